/** The command `status`: what the node holds, and whether it is in sync. */

import type { Call } from './call.ts'
import { openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortAddress, shortPath } from './paths.ts'
import { ownClockText } from './report-lines.ts'
import type { OwnClock, SyncStatus } from './report.ts'
import { printTable } from './table.ts'
import { counted, grouped, visible } from './terminal.ts'

interface ShardJson {
  readonly name: string
  readonly state: 'held' | 'taking' | 'dropping' | 'elsewhere' | 'unheld'
  readonly holders: readonly string[]
  readonly waitingBlocks: number
  readonly isPlaced: boolean
}

/** As the HTTP API writes it. */
interface StatusJson {
  readonly name: string
  readonly peerId: string
  readonly version: string
  readonly directory: string | null
  readonly startedAtMs: number
  readonly addresses: readonly string[]
  readonly urls: readonly string[]
  readonly clock: OwnClock | null
  readonly namespaces: readonly {
    readonly name: string
    readonly counts: { readonly blocks: number; readonly deltas: number; readonly logs: number }
    readonly sync: SyncStatus
    readonly shards?: readonly ShardJson[]
  }[]
}

export async function status(call: Call): Promise<ExitCode> {
  const { config, terminal } = call
  await using door = await openDoor(call, { about: 'node', changes: false })
  const { body } = await door.control.ask<StatusJson>(['api', 'status'])
  if (config.json) {
    terminal.out(JSON.stringify({ running: door.isRunning, ...body }))
    return EXIT.ok
  }
  const fact = (label: string, text: string) =>
    terminal.out(terminal.isTty ? `${terminal.style('dim', label.padEnd(7))} ${text}` : `${label}\t${text}`)
  fact('node', `${visible(body.name)}  ${body.peerId}`)
  if (door.isRunning) {
    fact('up', `${duration(Date.now() - body.startedAtMs)}, version ${body.version}`)
    fact('at', body.addresses.map(shortAddress).join(', ') || 'nowhere: no network is up')
    if (body.clock?.isOff === true) fact('clock', terminal.style('yellow', ownClockText(body.clock)))
    fact('http', body.urls.length === 0 ? 'off' : body.urls.join(', '))
  } else {
    fact('up', 'not running: this is what its store holds')
  }
  fact('data', body.directory === null ? 'in memory' : shortPath(body.directory))
  terminal.out('')
  const rows = body.namespaces.map(({ name, counts, sync }) => {
    const numbers = [counts.deltas, counts.blocks, counts.logs].map(grouped)
    return [name, ...numbers, door.isRunning ? syncText(sync, Date.now()) : 'not running']
  })
  printTable(terminal, ['topic', 'deltas', 'blocks', 'logs', 'sync'], rows)
  const shards = body.namespaces.flatMap((namespace) => namespace.shards ?? [])
  if (shards.length > 0 && door.isRunning) {
    terminal.out('')
    printTable(
      terminal,
      ['shard', 'here', 'other holders', 'waiting'],
      shards.map(({ name, state, holders, waitingBlocks }) => [
        name,
        HERE[state],
        grouped(holders.length),
        waitingBlocks === 0 ? '' : counted(waitingBlocks, 'block'),
      ]),
    )
    for (const shard of shards) for (const line of shardWarnings(shard)) terminal.err(terminal.style('yellow', line))
  }
  return EXIT.ok
}

const HERE = { held: 'held', taking: 'taking over', dropping: 'dropping', elsewhere: 'no', unheld: 'no' } as const

function shardWarnings({ name, state, waitingBlocks, isPlaced }: ShardJson): readonly string[] {
  const waits = waitingBlocks === 0 ? '' : `; ${counted(waitingBlocks, 'block')} written here wait for one that does`
  return [
    ...(state === 'unheld' ? [`warning: nobody who is there holds ${name}${waits}`] : []),
    ...(isPlaced
      ? []
      : [`warning: ${name} is not placed, or overlaps what was placed before: no record belongs to it`]),
  ]
}

export function syncText(sync: SyncStatus, nowMs: number): string {
  switch (sync.kind) {
    case 'in-sync':
      return `in sync with ${counted(sync.peers.length, 'peer')} as of ${duration(nowMs - sync.asOfMs)} ago`
    case 'behind':
      return `behind by ${counted(sync.blocks, 'block')}`
    case 'looking':
      return 'looking: no sync is complete yet'
    case 'alone':
      return 'alone'
    case 'full':
      return 'the disk is full'
  }
}

/** `3 s`, `12 min`, `5 h 20 min`, `3 days`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}
