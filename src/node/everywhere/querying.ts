/**
 * Queries wherever the records lie: where one part of the namespace has all that is read, it runs there; where several have,
 * their records are brought together here. src/node/README.md, Shards.
 */

import type { PeerId, Value } from '../../delta/delta.ts'
import { entityIdOf } from '../../delta/record.ts'
import { RhizomeError } from '../../errors.ts'
import { GatheredSource } from '../../query/gathered-source.ts'
import { DEFAULT_LIMITS, Meter, PAGE_ROWS_DEFAULT } from '../../query/limits.ts'
import { type Catalogue, NO_CATALOGUE } from '../../query/plan.ts'
import { type Relation, type Relations, relationsOf } from '../../query/relations.ts'
import { type Explanation, prepare, type QueryPage, runOver } from '../../query/run.ts'
import type { RecordRow } from '../../query/source.ts'
import { jsonOf, type QueryInput, type RowsOptions } from '../queries.ts'
import type { ViewOptions } from '../views.ts'
import { type Answer, type Answered, givenBy, together } from './answered.ts'
import { ACROSS_RECORDS_MAX } from './limits.ts'
import { ownRecords, tooMany } from './own-records.ts'
import type { Part, Places } from './places.ts'
import type { Reading } from './reading.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'
import { listIn, parseOrderedFields, textIn } from './words.ts'

export interface QueryingParts {
  readonly self: PeerId
  readonly places: Places
  readonly shards: Shards
  readonly reading: Reading
}

export interface QueryOutline {
  readonly parts: readonly Part[]
  readonly collections: ReadonlySet<string>
  /** What the stored queries say that it names: differs when they do. */
  readonly views: string
}

export class Querying {
  readonly #parts: QueryingParts

  constructor(parts: QueryingParts) {
    this.#parts = parts
  }

  query<Columns>(query: QueryInput<Columns>, options: ViewOptions): Answer<QueryPage> {
    const { places, reading } = this.#parts
    if (!places.isPlaced) return this.#here(places.namespace.query(query, options))
    const json = jsonOf(query)
    const relations = this.#relationsOf(json, options)
    const parts = this.#partsFor(relations)
    const [only] = parts
    if (parts.length > 1 || only === undefined) return this.#queryAcross(json, relations, options)
    if ('here' in only) return this.#here(only.here.query(json, options))
    return this.#page(only.elsewhere, { query: JSON.stringify(json), reading: reading.asked(options) })
  }

  explain<Columns>(query: QueryInput<Columns>, options: ViewOptions): Explanation {
    const { places } = this.#parts
    if (!places.isPlaced) return places.namespace.explainQuery(query, options)
    const json = jsonOf(query)
    const [only, ...others] = this.#partsFor(this.#relationsOf(json, options))
    if (only !== undefined && 'here' in only && others.length === 0) return only.here.explainQuery(json, options)
    throw new RhizomeError(
      'RZ_SHARD_ACROSS',
      'it does not run on this node alone: its plan is told by a node that holds all that it reads',
    )
  }

  /** What a query reads, and where that lies by now. Throws as `query` before it reads. */
  outline(json: unknown): QueryOutline {
    const { places } = this.#parts
    const { query, views } = prepare(json, this.#catalogue({}))
    const relations = relationsOf(query)
    return {
      parts: places.isPlaced ? this.#partsFor(relations) : [{ here: places.namespace }],
      collections: new Set(relations.relations.map(({ collection }) => collection)),
      views: JSON.stringify([...views]),
    }
  }

  rows(id: string, options: RowsOptions): Answer<QueryPage> {
    const { namespace, isPlaced } = this.#parts.places
    if (!isPlaced) return this.#here(namespace.rows(id, options))
    const { limit: count = PAGE_ROWS_DEFAULT, after, ...reading } = options
    return this.query({ limit: { view: id }, count, ...(after !== undefined && { after }) }, reading)
  }

  async #page(shard: Shard, content: Value): Promise<Answered<QueryPage>> {
    const { items, end, by } = await this.#parts.shards.holders.ask(shard, 'query', content)
    const rows = items.map(parseOrderedFields)
    return { value: { rows, ...(end !== null && { next: textIn(end) }) }, answeredBy: [by as PeerId] }
  }

  /** The stored queries of that moment. */
  #catalogue({ asOf }: ViewOptions): Catalogue {
    const { records } = this.#parts.places.namespace.definitionsAt(asOf)
    return { ...NO_CATALOGUE, viewOf: (id) => records.query.get(id)?.definition?.query }
  }

  #relationsOf(json: unknown, options: ViewOptions): Relations {
    const { asOf } = options
    if (asOf !== undefined && typeof asOf === 'string' && asOf.startsWith('f')) {
      throw new RhizomeError(
        'RZ_AS_OF_INVALID',
        `a frontier is one namespace's, and "${this.#parts.places.namespace.name}" lies in several: name a time`,
      )
    }
    return relationsOf(prepare(json, this.#catalogue(options)).query)
  }

  /** Where a query's records lie. */
  #partsFor({ relations, readsPointers }: Relations): readonly Part[] {
    const { places } = this.#parts
    if (readsPointers) {
      throw new RhizomeError(
        'RZ_SHARD_ACROSS',
        `raw deltas are of one namespace, and "${places.namespace.name}" lies in several: ask one of them, such as ` +
          `node.namespace("${places.nameOf(places.namespace.placements.ranges[0])}")`,
      )
    }
    const ranges = new Set(relations.flatMap(({ collection, prefix }) => places.rangesOf(collection, prefix)))
    return [...ranges].map((range) => places.part(range))
  }

  #queryAcross(json: unknown, { relations }: Relations, options: ViewOptions): Answer<QueryPage> {
    // What is asked twice is asked once.
    const different = [...new Map(relations.map((each) => [JSON.stringify(each), each])).values()]
    const asked = different.flatMap((relation) =>
      this.#parts.places
        .ofCollection(relation.collection, relation.prefix)
        .map((part) => ({ relation, answer: this.#recordsOf(part, relation, options) })),
    )
    return together(
      asked.map(({ answer }) => answer),
      (answers) => {
        const gathered = new Map(relations.map(({ collection }) => [collection, new Map<string, RecordRow>()]))
        for (const [index, records] of answers.entries()) {
          const rows = gathered.get(asked[index]?.relation.collection ?? '')
          for (const record of records) rows?.set(record.id, record)
        }
        const count = [...gathered.values()].reduce((sum, { size }) => sum + size, 0)
        if (count > ACROSS_RECORDS_MAX) throw tooMany(ACROSS_RECORDS_MAX)
        const meter = new Meter(DEFAULT_LIMITS)
        return runOver(json, new GatheredSource(gathered, meter), meter, this.#catalogue(options))
      },
    )
  }

  #recordsOf(part: Part, relation: Relation, options: ViewOptions): Answer<readonly RecordRow[]> {
    if ('here' in part) return this.#here([...ownRecords(part.here, relation, options, ACROSS_RECORDS_MAX)])
    const { collection, prefix, filter } = relation
    const content = {
      collection,
      prefix,
      reading: this.#parts.reading.asked(options),
      ...(filter !== undefined && { filter: JSON.stringify(filter) }),
    }
    return this.#parts.shards.holders.ask(part.elsewhere, 'records', content).then(({ items, by }) => {
      const value = items.map((item): RecordRow => {
        const [id, properties] = listIn(item)
        return {
          id: textIn(id),
          entity: entityIdOf(collection, textIn(id)),
          properties: parseOrderedFields(properties),
        }
      })
      return { value, answeredBy: [by as PeerId] }
    })
  }

  #here<Found>(value: Found): Answered<Found> {
    return givenBy(this.#parts.self, { value })
  }
}
