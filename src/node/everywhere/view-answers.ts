/** What a holder answers about how views come to be, about deltas, and with proofs. answers.ts. */

import type { Value } from '../../delta/delta.ts'
import { parseEntityId } from '../../delta/record.ts'
import type { Given } from '../../sync/questions/answering.ts'
import { ownEntities } from './own-records.ts'
import type { Shard } from './shard.ts'
import { changeItem, explanationItems, losslessItems, momentItem } from './view-words.ts'
import { deltaValue, fieldsIn, integerIn, invalid, parseMoment, parseReading, textIn, type Word } from './words.ts'

type ViewWord = Extract<Word, 'lossless' | 'explain' | 'history' | 'diff' | 'delta' | 'proof' | 'entities'>

/** Bytes of a proof's text that one item holds. */
const PROOF_PART_BYTES = 1_048_576

export const VIEW_ANSWERS: { readonly [word in ViewWord]: (content: Value, shard: Shard) => Given } = {
  lossless: (content, { namespace }) => {
    const { entity, reading } = fieldsIn(content)
    return { items: losslessItems(namespace.lossless(textIn(entity), parseReading(reading))), end: null }
  },

  explain: (content, { namespace }) => {
    const { record, property, reading } = fieldsIn(content)
    const { collection, id } = recordIn(record)
    const explanation = namespace.explain(collection, id, textIn(property), parseReading(reading))
    return { items: explanationItems(explanation), end: null }
  },

  history: (content, { namespace }) => {
    const { record, property, deltasMax, reading } = fieldsIn(content)
    const { collection, id } = recordIn(record)
    const { moments, skippedCount } = namespace.history(collection, id, textIn(property), {
      ...parseReading(reading),
      ...(deltasMax !== undefined && { deltasMax: integerIn(deltasMax) }),
    })
    return { items: moments.map(momentItem), end: skippedCount }
  },

  diff: (content, { namespace }) => {
    const { record, from, to, reading } = fieldsIn(content)
    const { collection, id } = recordIn(record)
    const changes = namespace.diff(collection, id, {
      ...parseReading(reading),
      from: parseMoment(from),
      ...(to !== undefined && { to: parseMoment(to) }),
    })
    return { items: changes.map(changeItem), end: null }
  },

  delta: (content, { namespace }) => {
    const { id, reading } = fieldsIn(content)
    const delta = namespace.delta(textIn(id), parseReading(reading))
    return { items: delta === undefined ? [] : [deltaValue(delta)], end: null }
  },

  entities: (content, { namespace }) => {
    const { prefix, after } = fieldsIn(content)
    const { entities, next } = ownEntities(namespace, textIn(prefix), after === undefined ? undefined : textIn(after))
    return { items: entities, end: next ?? null }
  },

  proof: (content, { namespace }) => {
    const { entity, property, context, asOf } = fieldsIn(content)
    const text = namespace.proof(textIn(entity), {
      ...(property !== undefined && { property: textIn(property) }),
      ...(context !== undefined && { context: textIn(context) }),
      ...(asOf !== undefined && { asOf: parseMoment(asOf) }),
    })
    return { items: text === undefined ? [] : partsOf(Buffer.from(text)), end: null }
  },
}

function recordIn(record: Value | undefined): { readonly collection: string; readonly id: string } {
  const parsed = parseEntityId(textIn(record))
  if (parsed === undefined) throw invalid('no record')
  return parsed
}

function* partsOf(text: Buffer): Generator<Value> {
  for (let start = 0; start < text.length; start += PROOF_PART_BYTES) {
    yield text.subarray(start, start + PROOF_PART_BYTES)
  }
}
