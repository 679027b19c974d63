/**
 * The command `repair`: sets aside what is damaged in a store and then, as a node, waits until peers have given what is
 * missing. What this node wrote itself and nobody gives back is asserted again. A sound store is left alone.
 */

import { RhizomeError } from '../errors.ts'
import { readCard } from '../node/home.ts'
import type { RhizomeNode } from '../node/node.ts'
import { repairDirectory } from '../node/repair.ts'
import type { Call } from './call.ts'
import { findDirectory } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortPath } from './paths.ts'
import { nodeOptions } from './run.ts'
import { counted, type Terminal, visible } from './terminal.ts'

type Report = ReturnType<typeof repairDirectory>

/** How long peers have to appear and to give what is missing. */
const FETCH_MS = 60_000
const DAMAGE_SHOWN_MAX = 20

export async function repair(call: Call): Promise<ExitCode> {
  const { config, terminal } = call
  const { directory, isRunning } = await findDirectory(call, { changes: true })
  if (isRunning) {
    throw new RhizomeError('RZ_STORE_LOCKED', `the node in ${shortPath(directory)} runs: stop it, then repair`)
  }
  const report = repairDirectory(directory)
  if (!config.json) tellDamage(report, directory, terminal)
  if (report.damage.length === 0) {
    if (config.json) terminal.out(JSON.stringify({ directory, ...report }))
    return EXIT.ok
  }
  const { fetched, reasserted, isInSync } = await fetchMissing(call, directory)
  if (config.json) terminal.out(JSON.stringify({ directory, ...report, fetched, reasserted, inSync: isInSync }))
  else tellMended(fetched, reasserted, terminal)
  if (isInSync) return EXIT.ok
  terminal.err('not in sync with a peer yet: what is missing comes when the node runs and one is there')
  return EXIT.failed
}

function tellDamage({ damage, blocks, repaired }: Report, directory: string, terminal: Terminal): void {
  if (damage.length === 0) {
    terminal.out(`nothing is damaged in ${shortPath(directory)}: ${counted(blocks, 'block')} are whole`)
    return
  }
  for (const { why, place, log, seq } of damage.slice(0, DAMAGE_SHOWN_MAX)) {
    const where = place === undefined ? '' : `row ${place}: `
    const block = log === undefined ? '' : `; it was block ${seq ?? '?'} of log ${log}`
    terminal.out(`damaged: ${where}${visible(bare(why))}${block}`)
  }
  if (damage.length > DAMAGE_SHOWN_MAX) terminal.out(`and ${counted(damage.length - DAMAGE_SHOWN_MAX, 'other')}`)
  terminal.out(
    `${counted(blocks, 'block')} are whole, ${counted(repaired?.setAside ?? 0, 'of them is', 'of them are')} set aside`,
  )
  if (repaired !== undefined) terminal.out(`the damaged file is kept as ${shortPath(repaired.keptAs)}`)
}

/** Without the place, which stands before it, and the advice, which is being followed. */
function bare(why: string): string {
  return why.replace(/^row \d+ of the store's log is damaged: /, '').replace(/\. Keep a copy.*$/, '')
}

async function fetchMissing(
  { config, terminal, signal }: Call,
  directory: string,
): Promise<{ readonly fetched: number; readonly reasserted: number; readonly isInSync: boolean }> {
  const card = await readCard(directory)
  const held = (card?.topics ?? []).filter((topic) => !config.topics.includes(topic))
  const topics = [...config.topics, ...held]
  const holds = [...config.holds, ...(card?.holds ?? held).filter((text) => held.includes(text.split(':', 1)[0] ?? ''))]
  if (topics.length === 0) throw new RhizomeError('RZ_CLI_USAGE', 'say what it holds, such as --topic users')
  const { openNode } = await import('../node/node.ts')
  const name = config.name ?? card?.name
  const settings = { ...config, topics, holds, data: directory, ...(name === undefined ? {} : { name }) }
  await using node = await openNode(nodeOptions(settings, terminal, signal))
  const before = deltasIn(node)
  terminal.err(`asking peers for what is missing, for ${FETCH_MS / 1_000} s at most (Ctrl-C leaves it for later)`)
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)])
  const waits = node.namespaces().map((namespace) => namespace.waitForSync({ signal: deadline }))
  const outcomes = await Promise.allSettled(waits)
  const fetched = deltasIn(node) - before
  const reasserted = await node.reassertSetAside()
  return { fetched, reasserted, isInSync: outcomes.every(({ status }) => status === 'fulfilled') }
}

function tellMended(fetched: number, reasserted: number, terminal: Terminal): void {
  terminal.out(`${counted(fetched, 'delta')} fetched from peers`)
  if (reasserted > 0)
    terminal.out(`${counted(reasserted, 'delta')} of this node's own, set aside before, written again`)
}

function deltasIn(node: RhizomeNode): number {
  return node.namespaces().reduce((sum, namespace) => sum + namespace.counts().deltas, 0)
}
