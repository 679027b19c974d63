/** The port of the node: reached where it runs, free where it would listen. */

import { multiaddrHostPort } from '../../net/address.ts'
import { PeerProbe } from '../../net/diagnosis/peer.ts'
import { tryConnect, tryListen } from '../../net/diagnosis/port.ts'
import { DEFAULT_PORT } from '../options.ts'
import type { Finding } from './finding.ts'
import type { DiagnoseOptions } from './options.ts'

const DEFAULT_LISTEN = [`/ip4/0.0.0.0/tcp/${DEFAULT_PORT}`] as const

/** The port that others must be let through to. */
export function portOf({ running, listen = DEFAULT_LISTEN }: DiagnoseOptions): number {
  const [address = DEFAULT_LISTEN[0]] =
    running === undefined || running.addresses.length === 0 ? listen : running.addresses
  return multiaddrHostPort(address)?.port ?? DEFAULT_PORT
}

export async function* checkPort(options: DiagnoseOptions): AsyncGenerator<Finding> {
  const { running, listen, secret } = options
  if (running !== undefined) yield await ownAddresses(running.addresses)
  else for (const address of listen ?? DEFAULT_LISTEN) yield await wantedAddress(address, listen !== undefined, secret)
}

async function ownAddresses(addresses: readonly string[]): Promise<Finding> {
  const check = 'port'
  if (addresses.length === 0) return { check, verdict: 'fail', kind: 'port-closed' }
  for (const address of addresses) {
    const place = multiaddrHostPort(address)
    if (place === undefined) continue
    const outcome = await tryConnect(place.host, place.port)
    if (outcome.kind !== 'open') return { check, verdict: 'fail', kind: 'port-unreached', address, why: outcome.kind }
  }
  return { check, verdict: 'pass', kind: 'port-reached', addresses }
}

async function wantedAddress(address: string, isGiven: boolean, secret: string | undefined): Promise<Finding> {
  const check = 'port'
  const place = multiaddrHostPort(address)
  if (place === undefined)
    return { check, verdict: 'fail', kind: 'port-refused', address, why: 'it is no address of TCP' }
  const outcome = await tryListen(place.host, place.port)
  if (outcome.kind === 'free') return { check, verdict: 'pass', kind: 'port-free', address }
  if (outcome.kind === 'refused') return { check, verdict: 'fail', kind: 'port-refused', address, why: outcome.why }
  const holder = await holderOf(place, secret)
  // Unasked, a node takes the next free port, and peers that were told this one do not find it.
  return { check, verdict: isGiven ? 'fail' : 'warn', kind: 'port-taken', address, isGiven, holder }
}

/** A node of this software that lets us in, or who knows. */
async function holderOf({ host, port }: { readonly host: string; readonly port: number }, secret: string | undefined) {
  await using probe = await PeerProbe.open({ secret, topics: [] })
  const here = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  for await (const step of probe.walk(`${here}:${port}`)) if (step.kind === 'met') return 'node'
  return 'unknown'
}
