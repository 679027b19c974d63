/**
 * The command `verify`: what a proof shows, in plain words, and what it leaves to trust. It opens no store and talks to
 * nobody. What it prints is told apart: proven, computed from that, and stated only.
 */

import { createReadStream } from 'node:fs'
import { isReference } from '../delta/delta.ts'
import { type Json, toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { type ProofReport, type ProvenCreator, type ProvenValue, verifyProofFrom } from '../node/verify-proof.ts'
import type { Call } from './call.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { counted, visible } from './terminal.ts'

type Stated = NonNullable<ProvenValue['stated']>

export async function verify({ words, stdin, config, terminal }: Call): Promise<ExitCode> {
  const [file = ''] = words
  const report = await read(file, stdin as AsyncIterable<Uint8Array | string>)
  const differing = report.values.filter(({ verdict }) => verdict === 'different').map(({ property }) => property)
  if (config.json) terminal.out(JSON.stringify(reportJson(report)))
  else for (const line of reportLines(report, terminal.style)) terminal.out(line)
  if (differing.length === 0) return EXIT.ok
  const names = differing.map(visible).join(', ')
  terminal.err(`what was stated of ${names} does not follow from the claims: do not rely on who made this proof`)
  return EXIT.unproven
}

async function read(file: string, stdin: AsyncIterable<Uint8Array | string>): Promise<ProofReport> {
  const chunks: AsyncIterable<Uint8Array | string> = file === '-' ? stdin : createReadStream(file)
  try {
    return await verifyProofFrom(chunks)
  } catch (cause) {
    if (cause instanceof RhizomeError || !(cause instanceof Error) || !('syscall' in cause)) throw cause
    throw new RhizomeError('RZ_CLI_INPUT', `${file} cannot be read: ${cause.message}`, { cause })
  }
}

function* reportLines(report: ProofReport, style: Call['terminal']['style']): Generator<string> {
  const { creators, values, forks, completeness, property, context, asOf } = report
  const about = visible(report.entity)
  yield `${style('bold', about)} in ${visible(report.namespace)}`
  if (property !== undefined) yield `  of the property ${visible(property)} alone, and of those that its rule reads`
  if (context !== undefined) yield `  as seen in the context ${visible(context)}`
  if (asOf !== undefined) yield `  as of ${typeof asOf === 'number' ? momentText(asOf) : 'a frontier'}`
  yield ''
  yield `${style('green', 'Proven')}: ${sumText(creators)}, by ${counted(creators.length, 'creator')}; all signatures are good.`
  for (const creator of creators) yield `  ${creator.id}  ${sumText([creator])}`
  for (const { log, cut } of forks)
    yield `  The log ${log} has forked: from block ${cut} on it is void. All this is older.`
  yield ''
  yield `${style('green', 'Computed anew')} from these claims, by the rules among them:`
  if (values.length === 0) yield '  no value: nothing that was claimed stands'
  for (const value of values) yield* valueLines(value, style)
  yield ''
  const { peer, timeMs, frontier } = completeness
  yield `${style('yellow', 'Not proven')}: that there is nothing else. It is the signed word of`
  yield `  ${peer}`
  yield `  that it held no more about this on ${momentText(timeMs)}, by its own clock,`
  yield `  in ${counted(frontier.logsCount, 'log')} of the namespace, frontier ${frontier.digest}.`
  yield 'Whose keys these are, and whom of them to believe, is for you to know.'
}

function* valueLines({ property, stated, computed, verdict, rule }: ProvenValue, style: Call['terminal']['style']) {
  yield `  ${visible(property)} ${outcomeText(computed)}`
  if (rule.kind === 'latest') yield '    the last claim that stands'
  else if (rule.kind === 'context') yield '    by a rule of the context'
  else yield `    by the rule ${visible(rule.record)} of ${rule.creator}`
  if (verdict === 'different') yield `    ${style('red', 'DIFFERENT')}: it was stated that it ${outcomeText(stated)}`
  if (verdict === 'unknown') yield '    not checked: the rule is of another release than one of the two nodes'
}

function outcomeText(outcome: Stated | undefined): string {
  if (outcome === undefined) return 'has no value'
  if ('error' in outcome) return `has no value: ${outcome.error}`
  const json = toJson(outcome.value)
  return typeof json === 'string' ? `= ${shortened(json)}` : `:= ${shortened(JSON.stringify(json))}`
}

/** More is in the answer of `--json`. */
const VALUE_CHARS_MAX = 400

function shortened(text: string): string {
  if (text.length <= VALUE_CHARS_MAX) return visible(text)
  return `${visible(text.slice(0, VALUE_CHARS_MAX).toWellFormed())}… (${counted(text.length, 'character')})`
}

function sumText(creators: readonly Omit<ProvenCreator, 'id'>[]): string {
  const sum = (of: 'claims' | 'negations' | 'definitions') => creators.reduce((total, counts) => total + counts[of], 0)
  const parts = [
    [sum('claims'), 'claim'],
    [sum('negations'), 'negation'],
    [sum('definitions'), 'definition of a rule', 'definitions of rules'],
  ] as const
  return parts
    .filter(([count], index) => count > 0 || index === 0)
    .map(([count, one, many]) => counted(count, one, many))
    .join(', ')
}

/** Whoever made the proof may have written a time that no calendar has. */
function momentText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString()
}

function reportJson(report: ProofReport): Json {
  const { namespace, entity, property, context, asOf, deltas, creators, values, forks, completeness } = report
  return {
    namespace,
    entity,
    ...(property !== undefined && { property }),
    ...(context !== undefined && { context }),
    ...(asOf !== undefined && { asOf }),
    deltas: deltas.map(({ id, time, creator, host, log, seq, index, pointers }) => ({
      id,
      time: { ...time },
      creator,
      host,
      log,
      seq,
      index,
      pointers: pointers.map((pointer) =>
        isReference(pointer) ? { ...pointer } : { localContext: pointer.localContext, target: toJson(pointer.target) },
      ),
    })),
    creators: creators.map((creator) => ({ ...creator })),
    values: values.map(({ stated, computed, rule, ...rest }) => ({
      ...rest,
      ...(stated && { stated: outcomeJson(stated) }),
      ...(computed && { computed: outcomeJson(computed) }),
      rule: { ...rule },
    })),
    forks: forks.map((fork) => ({ ...fork })),
    completeness: { ...completeness, frontier: { ...completeness.frontier } },
  }
}

function outcomeJson(outcome: Stated): Json {
  return 'error' in outcome ? { error: outcome.error } : { value: toJson(outcome.value) }
}
