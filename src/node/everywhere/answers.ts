/**
 * What this node answers when others ask it for a shard that it holds. A question is foreign: its words are read by words.ts,
 * what it may take is bounded as it is for everybody, and whatever fails goes back as a code.
 */

import type { PropertyInput } from '../../delta/record.ts'
import { EntityReference, parseEntityId } from '../../delta/record.ts'
import { isReference, type Pointer, type Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { type BlockHash, type LogKey, logKeyOfHeader, RUN_BLOCKS_MAX } from '../../log/block.ts'
import type { QueryJson } from '../../query/algebra.ts'
import type { Store } from '../../store/store.ts'
import type { HeldLog } from '../../sync/delivery/message.ts'
import { decodeRun } from '../../sync/gossip-message.ts'
import type { Answerer, Given, Later } from '../../sync/questions/answering.ts'
import type { Question } from '../../sync/questions/wire.ts'
import type { Replication } from '../../sync/replication.ts'
import { knownPage } from '../watch.ts'
import type { ChangeBell } from './change-bell.ts'
import { changedItems, changesEnd, parseCursor } from './change-words.ts'
import { type Changes, changesSince, type ChangesParts, toldOf } from './changes.ts'
import { ACROSS_RECORDS_MAX, GATHERED_MAX, HOLD_LOGS_MAX, IDS_ASKED_MAX, KNOWN_MAX } from './limits.ts'
import { entityValue } from './record-words.ts'
import { ownCollections, ownIds, ownRecords } from './own-records.ts'
import { type Shard, unheld } from './shard.ts'
import type { Shards } from './shards.ts'
import { VIEW_ANSWERS } from './view-answers.ts'
import {
  bytesIn,
  faultValue,
  fieldsIn,
  integerIn,
  listIn,
  orderedValue,
  parseReading,
  textIn,
  timeValue,
  type Word,
} from './words.ts'
import { parseIntended } from './writing-words.ts'

export interface AnswersParts extends ChangesParts {
  readonly shards: Shards
  readonly replication: () => Replication | undefined
  readonly bell: ChangeBell
}

type Answer = (content: Value, shard: Shard, parts: AnswersParts, from: string) => Given | Later

/** Those that a node answers while it does not know yet whether it has everything. */
const WHILE_TAKING: ReadonlySet<string> = new Set<Word>(['take', 'prepare'])

/** Every word, with what answers it. */
const ANSWERS: { readonly [word in Word]: Answer } = {
  ...VIEW_ANSWERS,

  get: (content, { namespace }) => {
    const { items, common } = fieldsIn(content)
    const { reading, expand } = fieldsIn(common)
    const options = { ...parseReading(reading), ...(expand !== undefined && { expand: integerIn(expand) }) }
    // What references lead to is paid for by one record at a time.
    return eachOf(items, expand === undefined ? GATHERED_MAX : 1, (item) => {
      const [collection, id] = listIn(item)
      return entityValue(namespace.get(textIn(collection), textIn(id), options))
    })
  },

  ids: (content, { namespace }) => {
    const { collection, after, countMax, reading } = fieldsIn(content)
    const items = ownIds(namespace, textIn(collection), {
      ...parseReading(reading),
      countMax: Math.min(integerIn(countMax), IDS_ASKED_MAX),
      ...(after !== undefined && { after: textIn(after) }),
    })
    return { items, end: null }
  },

  collections: (content, { namespace }) => ({ items: ownCollections(namespace, parseReading(content)), end: null }),

  query: (content, { namespace }) => {
    const { query, reading } = fieldsIn(content)
    return pageGiven(namespace.query(jsonIn(query), parseReading(reading)))
  },

  rows: (content, { namespace }) => {
    const { id, limit, after, reading } = fieldsIn(content)
    const paging = {
      ...(limit !== undefined && { limit: integerIn(limit) }),
      ...(after !== undefined && { after: textIn(after) }),
    }
    return pageGiven(namespace.rows(textIn(id), { ...parseReading(reading), ...paging }))
  },

  records: (content, shard) => {
    const { collection, prefix, filter, reading } = fieldsIn(content)
    const relation = {
      collection: textIn(collection),
      prefix: textIn(prefix),
      ...(filter !== undefined && { filter: jsonIn(filter) }),
    }
    const records = ownRecords(shard.namespace, relation, parseReading(reading), ACROSS_RECORDS_MAX)
    return { items: mapped(records, ({ id, properties }) => [id, orderedValue(properties)]), end: null }
  },

  changes: (content, { namespace }, parts) => {
    const { after, waitMs } = fieldsIn(content)
    let changes = changesSince(namespace, parseCursor(after), parts)
    const mostMs = integerIn(waitMs)
    if (!isQuiet(changes) || mostMs === 0) return changesGiven(changes)
    return {
      waitMs: mostMs,
      until: async (signal) => {
        while (isQuiet(changes) && !signal.aborted) {
          await parts.bell.until(toldOf(namespace), signal)
          changes = changesSince(namespace, changes.cursor, parts)
        }
      },
      answer: () => changesGiven(changes),
    }
  },

  known: (content, { id }, { store }) => {
    const { collection, after } = fieldsIn(content)
    const options = { countMax: KNOWN_MAX, ...(after !== undefined && { after: textIn(after) }) }
    return { items: knownPage(store, id, textIn(collection), options), end: null }
  },

  standing: (content, { namespace }) => {
    const { collection, id } = fieldsIn(content)
    return { items: namespace.standingOf(textIn(collection), textIn(id)), end: null }
  },

  prepare: (content, { namespace }, { store }) =>
    eachOf(fieldsIn(content)['items'], GATHERED_MAX, (item) => {
      const [intended, onlyChanged] = listIn(item)
      const intent = parseIntended(intended ?? null)
      const kept = onlyChanged === true ? changedOf(intent, namespace) : null
      const deltas = kept === null ? intent.deltas : intent.deltas.filter((_, index) => kept.includes(index))
      namespace.checkIntent({ ...intent, records: deltas.length === 0 ? new Set() : intent.records, deltas })
      return [timeValue(store.latestTime()), kept]
    }),

  take: (content, shard, { store, replication }, from) => {
    const items = listIn(content).map(bytesIn)
    if (items.length > RUN_BLOCKS_MAX) throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'more than a run')
    const run = decodeRun(items)
    const carriers = replication()
    const [result] = carriers?.carried(shard.id, [run], from) ?? []
    const receipts = carriers?.receipts(shard.id)
    if (result === undefined || receipts === undefined) throw unheld(shard, 'this node takes no part in it any more')
    if (result.kind === 'gap') return { end: ['gap', result.missingFrom, null] }
    const { header } = run.blocks.at(-1) ?? run.blocks[0]
    const held = headAt(store, shard, logKeyOfHeader(header), header.seq)
    const isTaken = result.kind === 'committed' || result.kind === 'duplicate'
    return { end: [result.kind, null, isTaken && held !== undefined ? receipts.stated([held]) : null] }
  },

  hold: (content, shard, { store, replication }) => {
    const asked = listIn(content)
    if (asked.length > HOLD_LOGS_MAX)
      throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'more logs than a receipt holds')
    const held = asked.flatMap((item) => {
      const [log, seq] = listIn(item)
      return headAt(store, shard, textIn(log) as LogKey, integerIn(seq)) ?? []
    })
    const receipts = replication()?.receipts(shard.id)
    if (receipts === undefined) throw unheld(shard, 'this node takes no part in it any more')
    return { end: receipts.stated(held) }
  },
}

/** Answers questions about shards that are held here. */
export function answererOf(parts: AnswersParts): Answerer {
  return ({ namespace, word, content }: Question, from) => {
    const shard = parts.shards.byId(namespace)
    if (shard === undefined || shard.holding === 'apart' || shard.holding === 'dropping') {
      throw new RhizomeError('RZ_SHARD_UNHELD', 'this node does not hold it')
    }
    if (!parts.shards.isHere(shard) && !WHILE_TAKING.has(word)) {
      throw new RhizomeError('RZ_SHARD_TAKING', `this node is only taking "${shard.name}" over`)
    }
    if (!isWord(word)) throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'an unknown word')
    return ANSWERS[word](content, shard, parts, from)
  }
}

function isWord(word: string): word is Word {
  return Object.hasOwn(ANSWERS, word)
}

/** An answer for each item, or a fault: one that cannot be answered keeps no other from being told. */
function eachOf(items: Value | undefined, countMax: number, answer: (item: Value) => Value): Given {
  const asked = listIn(items)
  if (asked.length > countMax) throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'too much at once')
  return { items: mapped(asked, (item) => answerOrFault(() => answer(item))), end: null }
}

function answerOrFault(answer: () => Value): Value {
  try {
    return [answer()]
  } catch (error) {
    if (error instanceof RhizomeError) return [null, faultValue(error)]
    throw error
  }
}

/** Of the deltas of a record those that say something new, by index. */
function changedOf(
  { records, deltas }: { readonly records: ReadonlySet<string>; readonly deltas: readonly (readonly Pointer[])[] },
  namespace: Shard['namespace'],
): readonly number[] {
  const [entity = ''] = records
  const { collection, id } = parseEntityId(entity) ?? {}
  if (collection === undefined || id === undefined) return []
  const inputs = deltas.map((pointers): readonly [string, PropertyInput] => {
    const [about, said] = pointers
    if (about === undefined || said === undefined || !isReference(about)) {
      throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'no delta of a record')
    }
    const input = isReference(said) ? new EntityReference(said.target, said.targetContext) : said.target
    return [about.targetContext, input]
  })
  const changed = namespace.changedOf(collection, id, Object.fromEntries(inputs))
  return inputs.flatMap(([property], index) => (changed.has(property) ? [index] : []))
}

/** What is held of a log up to `seq`; undefined while that is not here. */
function headAt(store: Store, { id }: Shard, log: LogKey, seq: number): HeldLog | undefined {
  const hash: BlockHash | undefined = store.readRun(id, log, seq, 1)?.blocks[0]?.hash
  return hash === undefined ? undefined : { log, seq, hash }
}

/** Whether nothing has happened by now. */
function isQuiet({ records, rules, isKnown, isAll }: Changes): boolean {
  return isKnown && isAll && records.length === 0 && rules.length === 0
}

function changesGiven(changes: Changes): Given {
  return { items: changedItems(changes), end: changesEnd(changes) }
}

function pageGiven({ rows, next }: ReturnType<Shard['namespace']['query']>): Given {
  return { items: mapped(rows, orderedValue), end: next ?? null }
}

/** The text of a query: whether it is one is decided by the one reader of queries. */
function jsonIn(text: Value | undefined): QueryJson {
  try {
    return JSON.parse(textIn(text)) as QueryJson
  } catch (cause) {
    throw new RhizomeError('RZ_QUERY_INVALID', 'the query is no JSON', { cause })
  }
}

function* mapped<Item, Result>(items: Iterable<Item>, make: (item: Item) => Result): Iterable<Result> {
  for (const item of items) yield make(item)
}
