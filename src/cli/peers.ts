/** The command `peers`: who takes part, connected or not, once or as it changes. */

import { setTimeout } from 'node:timers/promises'
import type { PeerSummary } from '../node/peers.ts'
import type { Call } from './call.ts'
import { type Door, openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortAddress, shortId } from './paths.ts'
import { printTable } from './table.ts'
import { grouped, type Terminal, visible } from './terminal.ts'

/** How often a picture is drawn anew while nothing happens: round trips and clocks change all the time. */
const REDRAW_MS = 1_000
const HOME = '\u001B[H'
const CLEAR = '\u001B[2J'
const CLEAR_LINE = '\u001B[K'
const CLEAR_BELOW = '\u001B[J'

const HEADER = ['name', 'id', 'state', 'sync', 'address', 'ping', 'clock', 'behind', 'version', 'topics', 'tags']

/** As the HTTP API writes it. */
interface ChangeJson {
  readonly namespace: string
  readonly change: string
  readonly before?: string
  readonly member: {
    readonly peer: string
    readonly name: string
    readonly state: string
    readonly tags: readonly string[]
  }
}

export async function peers(call: Call): Promise<ExitCode> {
  const { config, terminal } = call
  await using door = await openDoor(call, { about: 'node', changes: false })
  // Awaited: the door is closed when this returns.
  if (call.options['watch'] === true) return await watch(call, door)
  const body = await askPeers(door)
  if (config.json) {
    for (const peer of body) terminal.out(JSON.stringify(peer))
    return EXIT.ok
  }
  printTable(terminal, HEADER, body.map(peerRow))
  if (body.every(({ self }) => self)) {
    terminal.err(
      door.isRunning
        ? `nobody else is connected: on the other machine type npx rhizome-node --topic ${door.topic}, or join by npx rhizome-node invite`
        : `no node runs here: start one with npx rhizome-node --topic ${door.topic}`,
    )
  }
  return EXIT.ok
}

async function askPeers(door: Door): Promise<readonly PeerSummary[]> {
  return (await door.control.ask<readonly PeerSummary[]>(['api', 'peers'], { query: { all: true } })).body
}

async function watch(call: Call, door: Door): Promise<ExitCode> {
  const { config, terminal, signal } = call
  if (!door.isRunning) {
    terminal.err(`no node runs here, so nothing changes: start one with npx rhizome-node --topic ${door.topic}`)
    return EXIT.noNode
  }
  const changes = door.control.events<ChangeJson>(['api', 'peers', 'events'], { signal })
  if (terminal.isTty && !config.json) await draw(changes, { door, terminal, signal })
  else for await (const change of changes) terminal.out(config.json ? changeJson(change) : changeLine(change))
  return EXIT.ok
}

/** One picture after another, in the same place, until the signal. */
async function draw(
  changes: AsyncIterable<ChangeJson>,
  { door, terminal, signal }: { readonly door: Door; readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<void> {
  const source = changes[Symbol.asyncIterator]()
  let next = soon(source)
  let before = CLEAR
  while (!signal.aborted) {
    const lines: string[] = []
    const { columns, isTty, style, err, progress } = terminal
    const frame = { columns, isTty, style, err, progress, out: (line: string) => void lines.push(...line.split('\n')) }
    printTable(frame, HEADER, (await askPeers(door)).map(peerRow))
    lines.push('', terminal.style('dim', 'Ctrl-C stops'))
    terminal.out(before + HOME + lines.map((line) => line + CLEAR_LINE).join('\n') + CLEAR_BELOW)
    before = ''
    const pause = setTimeout(REDRAW_MS, 'later' as const, { signal }).catch(() => 'later' as const)
    const happened = await Promise.race([next, pause])
    if (happened === 'later') continue
    if (happened.done === true) return
    next = soon(source)
  }
}

/** A failure is met where it is awaited, which may be after another has ended the command. */
function soon<Item>(source: AsyncIterator<Item>): Promise<IteratorResult<Item>> {
  const next = source.next()
  next.catch(() => undefined)
  return next
}

function changeJson(change: ChangeJson): string {
  return JSON.stringify({ time: new Date().toISOString(), ...change })
}

function changeLine({ namespace, change, before = '-', member }: ChangeJson): string {
  const cells = [
    namespace,
    member.name,
    shortId(member.peer),
    change,
    before,
    member.state,
    member.tags.join(' ') || '-',
  ]
  return cells.map(visible).join('\t')
}

function peerRow(peer: PeerSummary): readonly string[] {
  const { name, id, self, connected, state, member, addresses, roundTripMs, clockOffsetMs, behindBlocks } = peer
  const [address] = addresses
  return [
    name ?? '?',
    shortId(id),
    self ? 'this node' : (member ?? '?'),
    self || !connected ? '-' : state,
    address === undefined ? '-' : shortAddress(address),
    roundTripMs === undefined ? '-' : roundTripText(roundTripMs),
    clockOffsetMs === undefined ? '-' : `${clockOffsetMs < 0 ? '' : '+'}${(clockOffsetMs / 1_000).toFixed(1)} s`,
    behindBlocks === undefined ? '-' : grouped(behindBlocks),
    peer.version ?? '-',
    peer.namespaces.join(' ') || '-',
    peer.tags?.join(' ') || '-',
  ]
}

/** `0.4 ms`, `23 ms`. */
export function roundTripText(roundTripMs: number): string {
  return `${roundTripMs < 10 ? roundTripMs.toFixed(1) : Math.round(roundTripMs)} ms`
}
