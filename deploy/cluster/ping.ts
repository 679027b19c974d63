/** The verb `ping`: who of nodes 1 to n answers whom. */

import { setTimeout } from 'node:timers/promises'
import { roundTripText } from '../../src/cli/peers.ts'
import { printTable } from '../../src/cli/table.ts'
import type { Backend } from './backend.ts'
import type { Call } from './call.ts'
import { openBackend } from './choose.ts'
import { indexesText, nodeName, parseIndex } from './names.ts'
import { partitionText, stateText } from './sights.ts'

interface Pinged {
  readonly member: { readonly name: string; readonly state: string }
  readonly roundTripMs?: number
}

const WAIT_MS = 1_500
const ASKERS_AT_ONCE = 4
const PAUSE_MS = 2_000

/** Exits with 1 unless each of them answers all others that are asked to ask. */
export async function ping({ state, terminal, words }: Call): Promise<number> {
  const { record } = state
  const { project, topic, groups } = record
  const backend = openBackend(record.backend, state, () => undefined)
  const sights = await backend.nodes()
  const highest = Math.max(1, ...sights.map(({ index }) => index))
  const count = words[0] === undefined ? highest : parseIndex(words[0], 'number of nodes')
  const indexes = Array.from({ length: count }, (_, offset) => offset + 1)
  const askers = sights.filter(({ index, state: is }) => index <= count && is === 'up').map(({ index }) => index)
  const heard = await askAll(backend, topic, askers, (line) => terminal.progress(line))
  terminal.progress('')
  const silent: number[] = []
  const partly: number[] = []
  const rows = indexes.map((index) => {
    const name = nodeName(project, index)
    const sight = sights.find((each) => each.index === index)
    const others = askers.filter((asker) => asker !== index)
    const answered = others.filter((asker) => heard.get(asker)?.has(name))
    const isAlone = others.length === 0 && askers.includes(index)
    if (answered.length === 0 && !isAlone) silent.push(index)
    else if (answered.length < others.length) partly.push(index)
    const roundTripsMs = answered.map((asker) => heard.get(asker)?.get(name) ?? 0)
    return [
      String(index),
      name,
      sight === undefined ? 'never started' : stateText(sight),
      answered.length > 0 ? indexesText(answered) : isAlone ? 'nobody else asks' : 'not responding',
      answered.length > 0 && answered.length < others.length
        ? indexesText(others.filter((asker) => !answered.includes(asker)))
        : '-',
      spanText(roundTripsMs),
    ]
  })
  printTable(terminal, ['node', 'name', 'state', 'answers', 'silent to', 'round trip'], rows)
  if (groups.length > 0) terminal.err(partitionText(groups, sights))
  if (silent.length > 0) terminal.err(`not responding: ${indexesText(silent)}`)
  if (partly.length > 0) terminal.err(`answering some and not others: ${indexesText(partly)}`)
  return silent.length + partly.length === 0 ? 0 : 1
}

/**
 * What each of `askers` heard, by name: one that lost its data came back as another peer, and the old one is silent for ever.
 * Nodes bound what they answer (PROBE_ASKERS_MAX and MEMBER_BURST of src/sync/members/limits.ts): so a few ask at a time, and
 * who missed somebody that is held alive asks once more.
 */
async function askAll(
  backend: Backend,
  topic: string,
  askers: readonly number[],
  tell: (line: string) => void,
): Promise<ReadonlyMap<number, ReadonlyMap<string, number>>> {
  const heard = new Map(askers.map((asker) => [asker, new Map<string, number>()]))
  let waiting = askers
  for (let turn = 0; waiting.length > 0; turn++) {
    if (turn > 0) await setTimeout(PAUSE_MS)
    tell(`asking: ${indexesText(waiting.slice(0, ASKERS_AT_ONCE))}`)
    const now = waiting.slice(0, ASKERS_AT_ONCE)
    const missed = await Promise.all(
      now.map(async (asker) => {
        const path = ['api', 'ns', topic, 'ping']
        const options = { method: 'POST', query: { timeoutMs: WAIT_MS } } as const
        const answers = await backend.ask<readonly Pinged[]>(asker, path, options).catch(() => [])
        for (const { member, roundTripMs } of answers)
          if (roundTripMs !== undefined) heard.get(asker)?.set(member.name, roundTripMs)
        return answers.some(({ member }) => member.state === 'alive' && heard.get(asker)?.has(member.name) !== true)
      }),
    )
    const isFirst = turn < Math.ceil(askers.length / ASKERS_AT_ONCE)
    waiting = [...waiting.slice(ASKERS_AT_ONCE), ...(isFirst ? now.filter((_, at) => missed[at]) : [])]
  }
  return heard
}

function spanText(roundTripsMs: readonly number[]): string {
  if (roundTripsMs.length === 0) return '-'
  const [least, most] = [Math.min(...roundTripsMs), Math.max(...roundTripsMs)]
  return roundTripText(least) === roundTripText(most)
    ? roundTripText(least)
    : `${roundTripText(least)} to ${roundTripText(most)}`
}
