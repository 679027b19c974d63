/**
 * The command `doctor`: step by step why nodes do not see each other. Finds out by the SDK's `diagnose`, beside a running node or
 * without one, and prints each finding as it is made: what is right, and what to do about what is not.
 */

import { diagnose } from '../node/diagnosis/diagnose.ts'
import type { Finding } from '../node/diagnosis/finding.ts'
import type { DiagnoseOptions, RunningNode } from '../node/diagnosis/options.ts'
import type { PeerSummary } from '../node/peers.ts'
import type { Call } from './call.ts'
import { Control } from './control.ts'
import { type FoundDirectory, seekDirectory } from './door.ts'
import { wordsOf } from './doctor-words.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { readNote } from './running.ts'
import { shortPath, shortTyped } from './paths.ts'
import { counted, type Style, type Terminal, visible, wrapped } from './terminal.ts'
import { DEFAULT_PORT } from '../node/options.ts'

/** As the HTTP API writes it, in part. */
interface StatusJson {
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly clock: RunningNode['clock'] | null
  readonly namespaces: readonly { readonly name: string }[]
}

const MARKS: Readonly<Record<Finding['verdict'], readonly [mark: string, style: Style]>> = {
  pass: ['✓', 'green'],
  warn: ['!', 'yellow'],
  fail: ['✗', 'red'],
  skip: ['-', 'dim'],
}
const CHECK_COLUMNS = 11

export async function doctor(call: Call): Promise<ExitCode> {
  const { config, terminal, signal } = call
  const found = await seekDirectory(call, { changes: false })
  if (!config.json) terminal.err(introduction(found))
  const counts = { pass: 0, warn: 0, fail: 0, skip: 0 }
  for await (const finding of diagnose(await optionsFor(call, found))) {
    if (signal.aborted) break
    counts[finding.verdict] += 1
    if (config.json) terminal.out(JSON.stringify({ ...finding, ...wordsOf(finding) }))
    else print(finding, terminal)
  }
  if (!config.json) terminal.err(conclusion(counts))
  return counts.fail === 0 ? EXIT.ok : EXIT.failed
}

function introduction(found: FoundDirectory | undefined): string {
  if (found === undefined) return 'no node has been here: looking at what one would meet'
  const { directory, isRunning } = found
  return isRunning
    ? `asking the node in ${shortPath(directory)}`
    : `no node runs; its data is in ${shortPath(directory)}`
}

async function optionsFor({ config, signal }: Call, found: FoundDirectory | undefined): Promise<DiagnoseOptions> {
  const { topics, home, listen } = config
  const data = found?.directory ?? config.data
  const running = found?.isRunning === true ? await askRunning(found) : undefined
  // What the running node was started with is not typed again.
  const note = running === undefined ? undefined : await readNote(found?.directory ?? '')
  const secret = config.secret ?? note?.secret
  const isNamed = config.peers.length + config.seeds.length > 0
  const { peers = [], seeds = [] } = isNamed ? config : (note ?? {})
  const mdns = config.mdns && note?.mdns !== false
  const known = topics.length > 0 ? topics : (running?.namespaces ?? found?.topics)
  return {
    peers,
    seeds,
    mdns,
    signal,
    ...(known === undefined ? {} : { topics: known }),
    ...(data === undefined ? {} : { data }),
    ...(home === undefined ? {} : { home }),
    ...(listen === undefined ? {} : { listen }),
    ...(secret === undefined ? {} : { secret }),
    ...(running === undefined ? {} : { running }),
  }
}

async function askRunning({ socketPath }: FoundDirectory): Promise<RunningNode> {
  await using control = new Control(socketPath)
  const { body: status } = await control.ask<StatusJson>(['api', 'status'])
  const { body: peers } = await control.ask<readonly PeerSummary[]>(['api', 'peers'], { query: { all: true } })
  const { peerId, addresses, clock, namespaces } = status
  return {
    peerId,
    addresses,
    ...(clock === null || clock === undefined ? {} : { clock }),
    namespaces: namespaces.map(({ name }) => name),
    peers: peers.filter(({ self }) => !self),
  }
}

function print(finding: Finding, terminal: Terminal): void {
  const { says, todo } = wordsOf(finding)
  const [mark, style] = MARKS[finding.verdict]
  const about =
    'peer' in finding && finding.check === 'peer'
      ? `${finding.peer.includes('/dnsaddr/') ? finding.peer : shortTyped(finding.peer, DEFAULT_PORT)}: `
      : ''
  const indent = CHECK_COLUMNS + 2
  const columns = terminal.isTty ? terminal.columns - indent : Infinity
  const [first = '', ...rest] = wrapped(visible(about + says), columns, 0)
  terminal.out(`${terminal.style(style, mark)} ${finding.check.padEnd(CHECK_COLUMNS)}${first}`)
  for (const line of rest) terminal.out(' '.repeat(indent) + line)
  for (const step of todo) {
    // What is to be typed stays whole.
    const lines = step.startsWith(' ') ? [step] : wrapped(visible(step), columns - 2, 0)
    for (const [index, line] of lines.entries())
      terminal.out(`${' '.repeat(indent)}${index === 0 && !step.startsWith(' ') ? '→ ' : '  '}${line}`)
  }
}

function conclusion({ fail, warn }: { readonly fail: number; readonly warn: number }): string {
  if (fail > 0) return `${counted(fail, 'check')} failed${warn === 0 ? '' : `, and ${counted(warn, 'warning')}`}`
  return warn === 0 ? 'all is well here' : `nothing failed; ${counted(warn, 'warning')}`
}
