/**
 * The command `repair`: opens a damaged store, which sets damaged rows aside, and stays until peers have given what is
 * missing. Offline nothing can be fetched, so it runs as a node does.
 */

import { RhizomeError } from '../errors.ts'
import type { Call } from './commands.ts'
import { findDirectory } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortPath } from './paths.ts'
import { nodeOptions } from './run.ts'
import { readCard } from '../node/home.ts'
import { counted } from './terminal.ts'

/** How long peers have to appear and to give what is missing. */
const FETCH_MS = 60_000

export async function repair(call: Call): Promise<ExitCode> {
  const { config, terminal, signal } = call
  const { directory, isRunning } = await findDirectory(call)
  if (isRunning) {
    throw new RhizomeError('RZ_STORE_LOCKED', `the node in ${shortPath(directory)} runs: stop it, then repair`)
  }
  const card = await readCard(directory)
  const topics = [...new Set([...config.topics, ...(card?.topics ?? [])])]
  const { openNode } = await import('../node/node.ts')
  terminal.err(`repairing ${shortPath(directory)}`)
  const options = nodeOptions({ ...config, topics, data: directory }, terminal, signal)
  await using node = await openNode({ ...options, repair: true, name: config.name ?? card?.name ?? '' })
  const before = countsOf(node)
  terminal.err(`opened: ${counted(before, 'delta')} are whole; asking peers for what is missing, ${FETCH_MS / 1_000} s at most`)
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)])
  const answers = await Promise.allSettled(node.namespaces().map((namespace) => namespace.waitForSync({ signal: deadline })))
  const fetched = countsOf(node) - before
  const isSynced = answers.every(({ status }) => status === 'fulfilled')
  if (config.json) terminal.out(JSON.stringify({ directory, whole: before, fetched, inSync: isSynced }))
  else terminal.out(`${counted(fetched, 'delta')} fetched; ${counted(before + fetched, 'delta')} now`)
  if (isSynced) return EXIT.ok
  terminal.err('no peer has given all that it holds: run repair again when one is there, or go on and it comes in time')
  return EXIT.failed
}

function countsOf(node: Awaited<ReturnType<(typeof import('../node/node.ts'))['openNode']>>): number {
  return node.namespaces().reduce((sum, namespace) => sum + namespace.counts().deltas, 0)
}
