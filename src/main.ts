/**
 * The composition root: hands the command line what it needs of other faces. `bin.ts` has checked Node's version before it
 * imports this. The HTTP face is loaded when a node is served, so that `--help` is quick.
 */

import type { Socket } from 'node:net'
import type { ExitCode } from './cli/exit-codes.ts'
import { type Host, runCli } from './cli/cli.ts'
import { type Faces, type Served, type ServeOptions, SHELL_PROTOCOL } from './cli/faces.ts'
import type { RhizomeNode } from './node/node.ts'
import { VERSION } from './node/version.ts'
import type { TextOptions } from './text/options.ts'
import type { TextFace } from './text/server.ts'

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
    const { renewToken } = await import('./node/token.ts')
    return renewToken(directory)
  },
  async expectedNext(line) {
    const { expectedNext } = await import('./text/completion.ts')
    return expectedNext(line)
  },
}

async function serve(node: RhizomeNode, { tcp, text, ...options }: ServeOptions): Promise<Served> {
  const [{ openHttp }, { isLoopback }] = await Promise.all([import('./http/server.ts'), import('./node/loopback.ts')])
  await using opening = new AsyncDisposableStack()
  // One token for all faces: that which was given, else one where a face is reached from other machines.
  const given = (tcp === false ? undefined : tcp.token) ?? text?.token
  const needsToken = (host: string) => given !== undefined || !isLoopback(host)
  const needed = [tcp === false ? [] : [tcp.host], text === undefined ? [] : [text.host]].flat().some(needsToken)
  const { check, ...shown } = needed ? await tokenOf(node, given) : NO_TOKEN
  const tokenFor = (host: string) => (check !== undefined && needsToken(host) ? { token: check } : {})
  const { Sessions } = await import('./text/server.ts')
  const shells = new Sessions(node, undefined, options.onError)
  const upgrades = { [SHELL_PROTOCOL]: (socket: Socket) => shells.open(socket, { isMarked: true }) }
  const http = await openHttp(node, {
    upgrades,
    ...(tcp === false ? { port: false } : listeningOf(tcp)),
    ...options,
    ...(tcp === false ? {} : tokenFor(tcp.host)),
  })
  opening.use(http)
  // Closed before HTTP is: their connections are the control socket's.
  opening.use(shells)
  const lines =
    text === undefined ? undefined : await openLines(node, { ...listeningOf(text), ...tokenFor(text.host) }, options)
  if (lines !== undefined) opening.use(lines)
  const opened = opening.move()
  return {
    urls: http.urls,
    ...(lines && { text: lines.address }),
    ...shown,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const NO_TOKEN = { check: undefined, token: { kind: 'none' } } as const

function listeningOf<Listening extends { readonly token?: string }>({ token: _, ...listening }: Listening) {
  return listening
}

async function openLines(
  node: RhizomeNode,
  at: TextOptions,
  { onError }: Pick<ServeOptions, 'onError'>,
): Promise<TextFace> {
  const { openText } = await import('./text/server.ts')
  return openText(node, { ...at, onError })
}

/** A node in memory has no file to keep a token's hash in: it makes one for its life, and shows it. */
async function tokenOf({ directory }: RhizomeNode, given: string | undefined) {
  const { makeToken, tokenCheck, tokenFileCheck } = await import('./node/token.ts')
  if (given !== undefined) return { check: tokenCheck(given), token: { kind: 'given' } as const }
  if (directory !== undefined) return { check: tokenFileCheck(directory), token: { kind: 'stored' } as const }
  const token = makeToken()
  return { check: tokenCheck(token), token: { kind: 'shown', token } as const }
}
