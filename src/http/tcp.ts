/** Listening on TCP: the port asked for, or the next free one, and the URLs by which it is reached. */

import { isIPv6, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { RhizomeError } from '../errors.ts'
import { portHolder } from '../node/port-holder.ts'

const PORT_MAX = 65_535

/** Resolves to the port, one of `port` … `port + fallbackCount`. Throws RZ_HTTP_PORT_TAKEN, RZ_HTTP_LISTEN_FAILED. */
export async function listenOnTcp(server: Server, host: string, port: number, fallbackCount: number): Promise<number> {
  const last = Math.min(port + fallbackCount, PORT_MAX)
  for (let candidate = port; candidate <= last; candidate++) {
    try {
      await bind(server, host, candidate)
      return (server.address() as AddressInfo).port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw refused(host, candidate, error as Error)
    }
  }
  const holder = last === port ? await portHolder(port) : undefined
  const which = last === port ? `port ${port} on ${host} is` : `ports ${port} to ${last} on ${host} are`
  throw new RhizomeError(
    'RZ_HTTP_PORT_TAKEN',
    `${which} taken by ${holder ?? 'another process'}: stop it, give another --http-port, or give none and take a free one`,
  )
}

/** `http://…` for each address that reaches `host`: one, unless it stands for all of the machine's. */
export function urlsOf(host: string, port: number): readonly string[] {
  const isAny = host === '0.0.0.0' || host === '::'
  const hosts = isAny ? allAddresses(host === '::') : [host]
  return hosts.map((one) => `http://${isIPv6(one) ? `[${one}]` : one}:${port}`)
}

function allAddresses(withIPv6: boolean): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const usable = all.filter(({ family, scopeid }) => family === 'IPv4' || (withIPv6 && (scopeid ?? 0) === 0))
  return usable.map(({ address }) => address)
}

function refused(host: string, port: number, cause: Error): RhizomeError {
  return new RhizomeError(
    'RZ_HTTP_LISTEN_FAILED',
    `cannot listen on ${host} port ${port} (${cause.message}): give another --http-host or --http-port`,
    { cause },
  )
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port }, resolve)
  try {
    await promise
  } finally {
    server.removeListener('error', reject)
    server.removeListener('listening', resolve)
  }
}
