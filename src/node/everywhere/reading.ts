/** Reading records wherever they are held: what lies in a shard that is not held here is asked of a holder. */

import type { PeerId, Value } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { entityIdOf, parseEntityId } from '../../delta/record.ts'
import { checkOptions } from '../known-options.ts'
import { idsCount } from '../listing.ts'
import type { LocalContexts } from '../local-contexts.ts'
import type { Entity, GetOptions, IdsOptions } from '../records.ts'
import type { ViewOptions } from '../views.ts'
import { type Answer, type Answered, givenBy, type PartlyAnswered, together, whenAnswered } from './answered.ts'
import { ownCollections, ownIds } from './own-records.ts'
import type { Part, Places } from './places.ts'
import { isAbsent, type Shard } from './shard.ts'
import type { Shards } from './shards.ts'
import { parseEntity } from './record-words.ts'
import { faultIn, listIn, readingValue, textsIn } from './words.ts'

export interface ReadingParts {
  readonly self: PeerId
  readonly places: Places
  readonly shards: Shards
  readonly contexts: LocalContexts
}

export class Reading {
  readonly #parts: ReadingParts

  constructor(parts: ReadingParts) {
    this.#parts = parts
  }

  get(collection: string, id: string, options: GetOptions): Answer<Entity | undefined> {
    const part = this.#parts.places.of(collection, id)
    if ('here' in part) return this.#here(part.here.get(collection, id, options))
    return this.#getElsewhere(part.elsewhere, collection, id, options)
  }

  ids(collection: string, options: IdsOptions): Answer<readonly string[]> {
    const parts = this.#parts.places.ofCollection(collection)
    const [only] = parts
    if (parts.length === 1 && only !== undefined) return this.#idsOf(only, collection, options)
    const countMax = idsCount(options.countMax)
    return together(
      parts.map((part) => this.#idsOf(part, collection, { ...options, countMax })),
      (ids) => ids.flat().sort(compareUtf8).slice(0, countMax),
    )
  }

  collections(options: ViewOptions): PartlyAnswered<readonly string[]> | Promise<PartlyAnswered<readonly string[]>> {
    const { places } = this.#parts
    if (!places.isPlaced) return this.#here(places.namespace.collections(options))
    const unheld: string[] = []
    const names = together(
      places.all().map((part) => this.#collectionsOf(part, options, unheld)),
      (found) => [...new Set(found.flat())].sort(compareUtf8),
    )
    return whenAnswered(names, (answered) => (unheld.length === 0 ? answered : { ...answered, unheld: unheld.sort() }))
  }

  /** How a view is read elsewhere: in the context that would hold here. */
  asked({ context, ...options }: ViewOptions): Value {
    const { standard, pinned } = this.#parts.contexts
    return readingValue({ ...options, context: context ?? standard ?? false }, (id) => pinned.has(id))
  }

  /** As `entity`, of a record's entity or of a delta: it is called by its id as an entity. */
  async entityElsewhere(shard: Shard, entity: string, options: ViewOptions): Promise<Answered<Entity | undefined>> {
    const { collection = '', id = '' } = parseEntityId(entity) ?? {}
    const { value, answeredBy } = await this.#getElsewhere(shard, collection, id, options)
    return { value: value && { ...value, id: entity }, answeredBy }
  }

  async #getElsewhere(
    shard: Shard,
    collection: string,
    id: string,
    { expand, ...options }: GetOptions,
  ): Promise<Answered<Entity | undefined>> {
    entityIdOf(collection, id)
    checkOptions('get', { ...options, ...(expand !== undefined && { expand }) })
    const common = { reading: this.asked(options), ...(expand !== undefined && { expand }) }
    const { shards } = this.#parts
    if (expand !== undefined) {
      const { items, by } = await shards.holders.ask(shard, 'get', { items: [[collection, id]], common })
      const [entity, fault] = listIn(items[0])
      if (fault !== undefined) throw faultIn(fault)
      return { value: parseEntity(entity ?? null), answeredBy: [by as PeerId] }
    }
    const { value, by } = await shards.gathering.ask(
      shard,
      'get',
      common,
      [collection, id],
      collection.length + id.length,
    )
    return { value: parseEntity(value), answeredBy: [by] }
  }

  #idsOf(part: Part, collection: string, options: IdsOptions): Answer<readonly string[]> {
    if ('here' in part) {
      const ids = this.#parts.places.isPlaced
        ? ownIds(part.here, collection, options)
        : part.here.ids(collection, options)
      return this.#here(ids)
    }
    const { countMax: asked, after, ...reading } = options
    const countMax = idsCount(asked)
    const content = { collection, countMax, ...(after !== undefined && { after }), reading: this.asked(reading) }
    return this.#parts.shards.holders
      .ask(part.elsewhere, 'ids', content)
      .then(({ items, by }) => ({ value: textsIn(items), answeredBy: [by as PeerId] }))
  }

  /** A shard that nobody can be asked about adds its name to `unheld`. */
  #collectionsOf(part: Part, options: ViewOptions, unheld: string[]): Answer<readonly string[]> {
    if ('here' in part) return this.#here(ownCollections(part.here, options))
    return this.#parts.shards.holders.ask(part.elsewhere, 'collections', this.asked(options)).then(
      ({ items, by }) => ({ value: textsIn(items), answeredBy: [by as PeerId] }),
      (error: unknown) => {
        if (!isAbsent(error)) throw error
        unheld.push(part.elsewhere.name)
        return { value: [], answeredBy: [] }
      },
    )
  }

  #here<Found>(value: Found): Answered<Found> {
    return givenBy(this.#parts.self, { value })
  }
}
