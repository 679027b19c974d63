/** The commands about how values come to be: explain, history, diff, frontier. Tables for people, NDJSON for programs. */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { parseRecordName } from './assignment.ts'
import type { Call } from './call.ts'
import { openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortId } from './paths.ts'
import { readingQuery } from './reading.ts'
import { recordPath } from './records.ts'
import { printTable } from './table.ts'
import { counted, visible } from './terminal.ts'
import { type OutcomeJson, outcomeText, timeText, valueText } from './value-text.ts'

interface Candidate {
  readonly value: Json
  readonly time: { readonly ms: number }
  readonly creator: string
  readonly id: string
}

interface DeltaJson {
  readonly id: string
  readonly time: { readonly ms: number }
  readonly creator: string
}

interface Explanation extends OutcomeJson {
  readonly candidates: readonly Candidate[]
  readonly losers: readonly Candidate[]
  readonly negated: readonly { readonly value: Json; readonly delta: string }[]
  readonly deltas: { readonly [id: string]: DeltaJson }
  readonly resolver:
    | { readonly kind: 'latest' }
    | { readonly kind: 'rule'; readonly rule: Json; readonly source?: { readonly record: string } }
}

export async function explain(call: Call): Promise<ExitCode> {
  const [record = '', property = ''] = call.words
  const { collection, id } = parseRecordName(record)
  const { config, terminal } = call
  await using door = await openDoor(call)
  const path = [...recordPath(door, collection, id), 'explain', property]
  const { body } = await door.control.ask<Explanation>(path, { query: readingQuery(call) })
  if (config.json) {
    terminal.out(JSON.stringify(body))
    return EXIT.ok
  }
  const fact = (label: string, text: string) =>
    terminal.out(
      terminal.isTty ? `${terminal.style('dim', label.padEnd(5))} ${visible(text)}` : `${label}\t${visible(text)}`,
    )
  fact('value', outcomeText(body))
  fact('by', ruleText(body.resolver))
  terminal.out('')
  const losers = new Set(body.losers.map((loser) => loser.id))
  // A rule that makes a value of claims has no loser, and none of them need be the value.
  const isMade = losers.size === 0 && body.candidates.some(({ value }) => !isSame(value, body.value))
  const standing = body.candidates.map(({ value, time, creator, id: delta }) => ({
    row: [
      losers.has(delta) ? 'stands' : isMade ? 'is part of it' : 'is the value',
      valueText(value),
      timeText(time),
      shortId(creator),
    ],
    ms: time.ms,
  }))
  const negated = body.negated.flatMap(({ value, delta: name }) => {
    const delta = body.deltas[name]
    if (delta === undefined) return []
    return [{ row: ['negated', valueText(value), timeText(delta.time), shortId(delta.creator)], ms: delta.time.ms }]
  })
  const rows = [...standing, ...negated].sort((a, b) => a.ms - b.ms).map(({ row }) => row)
  printTable(terminal, ['claim', 'value', 'time', 'creator'], rows)
  return EXIT.ok
}

function isSame(a: Json, b: Json | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function ruleText(resolver: Explanation['resolver']): string {
  if (resolver.kind === 'latest') return 'the latest claim'
  const where = resolver.source === undefined ? 'the context or this node’s own configuration' : resolver.source.record
  return `${JSON.stringify(resolver.rule)}, of ${where}`
}

export async function history(call: Call): Promise<ExitCode> {
  const [record = '', property = ''] = call.words
  const { collection, id } = parseRecordName(record)
  const { config, options, terminal } = call
  await using door = await openDoor(call)
  const path = [...recordPath(door, collection, id), 'history', property]
  const query = { ...readingQuery(call), limit: options['limit'] }
  const { body } = await door.control.ask<{
    readonly moments: readonly { readonly delta: DeltaJson; readonly after: OutcomeJson }[]
    readonly skippedCount: number
  }>(path, { query })
  if (config.json) for (const moment of body.moments) terminal.out(JSON.stringify(moment))
  else {
    const rows = body.moments.map(({ delta, after }) => [
      timeText(delta.time),
      outcomeText(after),
      shortId(delta.creator),
      delta.id,
    ])
    printTable(terminal, ['time', 'value', 'creator', 'delta'], rows)
  }
  if (body.skippedCount > 0) {
    terminal.err(`note: ${counted(body.skippedCount, 'older delta')} not looked at; --limit looks at more, up to 1000`)
  }
  return EXIT.ok
}

export async function diff(call: Call): Promise<ExitCode> {
  const [record = ''] = call.words
  const { collection, id } = parseRecordName(record)
  const { config, options, terminal } = call
  const { from, to } = options
  if (typeof from !== 'string') {
    throw new RhizomeError(
      'RZ_CLI_USAGE',
      'say since when: --from 2026-11-20, or --from with what frontier printed then',
    )
  }
  await using door = await openDoor(call)
  const { context } = readingQuery(call)
  const { body } = await door.control.ask<
    readonly { readonly property: string; readonly before: OutcomeJson; readonly after: OutcomeJson }[]
  >([...recordPath(door, collection, id), 'diff'], { query: { context, from, to } })
  if (config.json) for (const change of body) terminal.out(JSON.stringify(change))
  else {
    const rows = body.map(({ property, before, after }) => [property, outcomeText(before), outcomeText(after)])
    printTable(terminal, ['property', 'before', 'after'], rows)
  }
  return EXIT.ok
}

export async function frontier(call: Call): Promise<ExitCode> {
  await using door = await openDoor(call)
  const { body } = await door.control.ask<{ readonly frontier: string }>(['api', 'ns', door.topic, 'frontier'])
  call.terminal.out(call.config.json ? JSON.stringify(body) : body.frontier)
  return EXIT.ok
}
