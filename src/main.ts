/**
 * The composition root: hands the command line what it needs of other faces. `bin.ts` has checked Node's version before it
 * imports this. The HTTP face is loaded when a node is served, so that `--help` is quick.
 */

import type { ExitCode } from './cli/exit-codes.ts'
import { type Host, runCli } from './cli/cli.ts'
import type { Faces, Served, ServeOptions } from './cli/faces.ts'
import type { RhizomeNode } from './node/node.ts'
import { VERSION } from './node/version.ts'

/** Runs one command line, without the two leading words of `process.argv`; resolves to the exit code. */
export function main(argv: readonly string[], host: Host = process): Promise<ExitCode> {
  return runCli({ argv, host, version: VERSION, faces })
}

const faces: Faces = {
  serve,
  async socketPathOf(directory) {
    const { findControlSocket } = await import('./http/control-socket.ts')
    return findControlSocket(directory)
  },
  async renewToken(directory) {
    const { renewToken } = await import('./http/token.ts')
    return renewToken(directory)
  },
}

async function serve(node: RhizomeNode, { tcp, ...options }: ServeOptions): Promise<Served> {
  const [{ openHttp }, { isLoopback }] = await Promise.all([import('./http/server.ts'), import('./http/access.ts')])
  if (tcp === false) {
    const face = await openHttp(node, { port: false, ...options })
    return { urls: [], token: { kind: 'none' }, [Symbol.asyncDispose]: () => face.close() }
  }
  const { token: given, ...listening } = tcp
  const isOpen = given === undefined && isLoopback(tcp.host)
  const { check, ...shown } = isOpen ? { token: { kind: 'none' } as const } : await tokenOf(node, given)
  const face = await openHttp(node, { ...listening, ...options, ...(check === undefined ? {} : { token: check }) })
  return { urls: face.urls, ...shown, [Symbol.asyncDispose]: () => face.close() }
}

/** A node in memory has no file to keep a token's hash in: it makes one for its life, and shows it. */
async function tokenOf({ directory }: RhizomeNode, given: string | undefined) {
  const { makeToken, tokenCheck, tokenFileCheck } = await import('./http/token.ts')
  if (given !== undefined) return { check: tokenCheck(given), token: { kind: 'given' } as const }
  if (directory !== undefined) return { check: tokenFileCheck(directory), token: { kind: 'stored' } as const }
  const token = makeToken()
  return { check: tokenCheck(token), token: { kind: 'shown', token } as const }
}
