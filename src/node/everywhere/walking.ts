/**
 * Views of several entities or of all, wherever they are held: the ids are listed by each part of the namespace and brought into one
 * order, and each view is read where its entity lies. Only as many as are walked are asked for.
 */

import { setImmediate as turn } from 'node:timers/promises'
import { isDeltaId } from '../../delta/identifiers.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { parseEntityId } from '../../delta/record.ts'
import type { LosslessView } from '../../view/lossless.ts'
import type { Entity } from '../records.ts'
import { type EntityRange, type ManyOptions, namedEntities } from '../view-sequence.ts'
import type { Answer } from './answered.ts'
import { READ_AHEAD } from './limits.ts'
import { type EntityPage, ownEntities } from './own-records.ts'
import type { Part, Places } from './places.ts'
import type { Shards } from './shards.ts'
import type { Viewing } from './viewing.ts'
import { invalid, textIn, textsIn } from './words.ts'

export interface WalkingParts {
  readonly places: Places
  readonly shards: Shards
  readonly viewing: Viewing
}

/** An entity, and where it was listed; without that it is looked for. */
interface Listed {
  readonly entity: string
  readonly part: Part | undefined
}

const NOTHING = { value: undefined, answeredBy: [] } as const

export class Walking {
  readonly #parts: WalkingParts

  constructor(parts: WalkingParts) {
    this.#parts = parts
  }

  /** Deltas only where `ids` names them. */
  entities({ ids, prefix, after, ...options }: ManyOptions): AsyncGenerator<Entity> {
    const { viewing } = this.#parts
    const range = rangeOf(ids, prefix, after)
    return this.#walk(range, ({ entity, part }) => {
      if (part === undefined) return viewing.entity(entity, options)
      return isDeltaId(entity) ? NOTHING : viewing.entityIn(part, entity, options)
    })
  }

  lossless({ ids, prefix, after, ...options }: ManyOptions): AsyncGenerator<LosslessView> {
    const { viewing } = this.#parts
    return this.#walk(rangeOf(ids, prefix, after), ({ entity, part }) =>
      part === undefined ? viewing.lossless(entity, options) : viewing.losslessIn(part, entity, options),
    )
  }

  async *#walk<View>(range: EntityRange, read: (listed: Listed) => Answer<View | undefined>): AsyncGenerator<View> {
    await this.#parts.places.untilSettled()
    for await (const some of batches(range.ids === undefined ? this.#all(range) : those(range))) {
      for (const { value } of await Promise.all(some.map(async (listed) => read(listed)))) {
        if (value !== undefined) yield value
      }
    }
  }

  /** Every entity of every part that may have such, in the order of their ids. */
  async *#all(range: EntityRange): AsyncGenerator<Listed> {
    const { collection, id } = collectionIn(range.prefix ?? '')
    const { places } = this.#parts
    const parts = collection === undefined ? places.all() : places.ofCollection(collection, id)
    const heads = await Promise.all(
      parts.map(async (part) => {
        const entities = this.#entitiesOf(part, range)
        return { part, entities, next: await entities.next() }
      }),
    )
    for (;;) {
      const first = heads
        .filter(({ next }) => next.done !== true)
        .toSorted((a, b) => compareUtf8(a.next.value ?? '', b.next.value ?? ''))[0]
      if (first === undefined) return
      yield { entity: first.next.value ?? '', part: first.part }
      first.next = await first.entities.next()
    }
  }

  async *#entitiesOf(part: Part, { prefix = '', after }: EntityRange): AsyncGenerator<string, undefined> {
    for (let last = after; ;) {
      const { entities, next } = await this.#pageOf(part, prefix, last)
      yield* entities
      last = next
      if (last === undefined) return undefined
    }
  }

  async #pageOf(part: Part, prefix: string, after: string | undefined): Promise<EntityPage> {
    if ('here' in part) return ownEntities(part.here, prefix, after)
    const content = { prefix, ...(after !== undefined && { after }) }
    const { items, end } = await this.#parts.shards.holders.ask(part.elsewhere, 'entities', content)
    const entities = textsIn(items)
    if (end === null) return { entities, next: undefined }
    const next = textIn(end)
    // Whoever lists backwards would be asked for ever.
    if (after !== undefined && compareUtf8(next, after) <= 0) throw invalid('ids that do not go on')
    return { entities, next }
  }
}

function rangeOf(ids: EntityRange['ids'], prefix: string | undefined, after: string | undefined): EntityRange {
  return { ...(ids && { ids }), ...(prefix !== undefined && { prefix }), ...(after !== undefined && { after }) }
}

/** Those that are named: where each lies is looked for. */
async function* those(range: EntityRange): AsyncGenerator<Listed> {
  for (const entity of namedEntities(range)) yield { entity, part: undefined }
}

/** So many as are read at once; others get their turn between them. */
async function* batches(listed: AsyncIterable<Listed>): AsyncGenerator<readonly Listed[]> {
  let batch: Listed[] = []
  for await (const each of listed) {
    batch.push(each)
    if (batch.length < READ_AHEAD) continue
    yield batch
    batch = []
    await turn()
  }
  yield batch
}

/** The collection whose records alone begin so, and how their ids begin. */
function collectionIn(prefix: string): { readonly collection?: string; readonly id: string } {
  const { collection } = parseEntityId(`${prefix}x`) ?? {}
  return collection === undefined || !prefix.includes('/')
    ? { id: '' }
    : { collection, id: prefix.slice(collection.length + 1) }
}
