/**
 * Records that break the schema in force: written elsewhere, by raw deltas, or before the schema was. All records of a
 * collection are looked at when it is first asked about, and anew when its schemas or resolvers change; after that only
 * those that deltas have borne upon since, of which `Freshness` tells. What is kept is the ids of the records.
 */

import { setImmediate as turn } from 'node:timers/promises'
import type { DeltaId, PeerId } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import { entityIdOf, parseEntityId } from '../delta/record.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'
import { type Conformity, conformity } from '../view/schemas/conform.ts'
import type { SchemaFault } from '../view/schemas/run.ts'
import type { CollectionSchemas } from '../view/schemas/schema-set.ts'
import type { Keeper } from './freshness.ts'
import type { Views } from './views.ts'

export interface ViolationsOptions {
  /** Default: all that have a schema. */
  readonly collection?: string
  /** Starts behind this record: `<collection>/<id>`, as the page before says. */
  readonly after?: string
  /** 1 to 1,000. Default 100. */
  readonly countMax?: number
}

/** One reason why a record breaks its schema. */
export interface ViolationFault extends SchemaFault {
  /** The standing claims about the property at fault, oldest first, at most 16: none for one that is missing. */
  readonly deltas: readonly { readonly id: DeltaId; readonly creator: PeerId }[]
}

/** A record that breaks its schema. */
export interface Violation {
  readonly collection: string
  readonly id: string
  /** Of the schema that it breaks: the latest one in force, where it satisfies none. */
  readonly version: number
  readonly faults: readonly ViolationFault[]
}

export interface ViolationPage {
  /** By collection and id, in order of their UTF-8 bytes. */
  readonly violations: readonly Violation[]
  /** The `after` of the next page; absent on the last. */
  readonly after?: string
  /** That a collection has more than 100,000 of them, of which these are the first. */
  readonly isCut?: true
}

const COUNT_DEFAULT = 100
const COUNT_MAX = 1_000
const KEPT_MAX = 100_000
const PAGE_COUNT = 256
const DELTAS_LISTED_MAX = 16
/** How long a search may keep everybody else waiting. */
const TURN_MS = 5

interface Searched {
  readonly schemas: CollectionSchemas
  /** As an object: the collection's resolvers, which are kept while they do not change. */
  readonly resolvers: unknown
  /** Entities of the records that break it. */
  readonly broken: Set<string>
  isCut: boolean
}

export class Violations implements Keeper {
  readonly #store: Store
  readonly #namespace: NamespaceId
  readonly #views: Views
  readonly #searched = new Map<string, Searched>()
  /** Records to be looked at again before the next answer. */
  readonly #stale = new Set<string>()
  /** One search at a time: whoever asks meanwhile waits for it. */
  #search: Promise<void> = Promise.resolve()

  constructor(store: Store, namespace: NamespaceId, views: Views) {
    this.#store = store
    this.#namespace = namespace
    this.#views = views
  }

  concern(entities: ReadonlySet<string>): void {
    for (const entity of entities) {
      if (this.#searched.has(parseEntityId(entity)?.collection ?? '')) this.#stale.add(entity)
    }
    if (this.#stale.size > KEPT_MAX) this.forget()
  }

  forget(): void {
    this.#searched.clear()
    this.#stale.clear()
  }

  /** Linear in the collection's records the first time, then in what has changed since, and in the page. */
  async list(options: ViolationsOptions): Promise<ViolationPage> {
    const { collection, after = '', countMax = COUNT_DEFAULT } = options
    const search = this.#search.then(() => this.#bringUpToDate(collection))
    this.#search = search.catch(() => undefined)
    await search
    const searched = [...this.#searched].filter(([name]) => collection === undefined || name === collection)
    const behind = searched
      .flatMap(([, { broken }]) => [...broken])
      .filter((entity) => compareUtf8(entity, after) > 0)
      .sort(compareUtf8)
    const count = Math.max(1, Math.min(countMax, COUNT_MAX))
    const page = behind.slice(0, count)
    const last = page.at(-1)
    return {
      violations: page.flatMap((entity) => this.#violation(entity) ?? []),
      ...(last !== undefined && behind.length > count && { after: last }),
      ...(searched.some(([, { isCut }]) => isCut) && { isCut: true as const }),
    }
  }

  async #bringUpToDate(only: string | undefined): Promise<void> {
    // While some are searched, more may change, or all be forgotten; whatever has not changed is not looked at again.
    let names = this.#unsearched(only)
    do {
      for (const name of names) await this.#searchAll(name)
      await this.#lookAtStale()
      names = this.#unsearched(only)
    } while (names.length > 0)
  }

  async #lookAtStale(): Promise<void> {
    let sinceMs = performance.now()
    for (const entity of this.#stale) {
      this.#stale.delete(entity)
      this.#look(entity)
      if (performance.now() - sinceMs < TURN_MS) continue
      await turn()
      sinceMs = performance.now()
    }
  }

  /** Collections that have to be looked through. Forgets those that have no schema any more. */
  #unsearched(only: string | undefined): readonly string[] {
    const { schemas, resolvers } = this.#views.definitions()
    for (const [name, searched] of this.#searched) {
      const now = schemas.collections.get(name)
      const isSame = now !== undefined && sameSchemas(now, searched.schemas)
      // One that was cut has others behind the cut, which are not known.
      const isShort = searched.isCut && [...this.#stale].some((entity) => entity.startsWith(`${name}/`))
      if (isSame && resolvers.collections.get(name) === searched.resolvers && !isShort) continue
      this.#searched.delete(name)
    }
    const wanted = only === undefined ? [...schemas.collections.keys()] : [only]
    return wanted.filter((name) => schemas.collections.has(name) && !this.#searched.has(name))
  }

  async #searchAll(name: string): Promise<void> {
    const { schemas, resolvers } = this.#views.definitions()
    const own = schemas.collections.get(name)
    if (own === undefined) return
    const searched: Searched = {
      schemas: own,
      resolvers: resolvers.collections.get(name),
      broken: new Set(),
      isCut: false,
    }
    this.#searched.set(name, searched)
    const prefix = entityIdOf(name, 'x').slice(0, -1)
    let sinceMs = performance.now()
    for (let after: string | undefined; ;) {
      const page = this.#store.entities(this.#namespace, {
        prefix,
        countMax: PAGE_COUNT,
        ...(after === undefined ? {} : { after }),
      })
      for (const entity of page) {
        if (searched.broken.size >= KEPT_MAX) searched.isCut = true
        if (searched.isCut || this.#searched.get(name) !== searched) return
        this.#look(entity)
        if (performance.now() - sinceMs < TURN_MS) continue
        await turn()
        sinceMs = performance.now()
      }
      after = page.at(-1)
      if (after === undefined) return
    }
  }

  #look(entity: string): void {
    const { broken } = this.#searched.get(parseEntityId(entity)?.collection ?? '') ?? {}
    const conformed = this.#conformity(entity)
    if (conformed !== undefined && conformed.faults.length > 0) broken?.add(entity)
    else broken?.delete(entity)
  }

  #violation(entity: string): Violation | undefined {
    const { collection = '', id = '' } = parseEntityId(entity) ?? {}
    const conformed = this.#conformity(entity)
    if (conformed === undefined || conformed.faults.length === 0) return undefined
    const { version, faults } = conformed
    return { collection, id, version, faults: faults.map((fault) => ({ ...fault, deltas: blamed(fault, conformed) })) }
  }

  #conformity(entity: string): Conformity | undefined {
    const { schemas, resolvers } = this.#views.definitions()
    const { collection = '', id } = parseEntityId(entity) ?? {}
    const own = schemas.collections.get(collection)
    if (own === undefined || id === undefined) return undefined
    return conformity(own, resolvers, entity, this.#store.entity(this.#namespace, entity))
  }
}

function sameSchemas(a: CollectionSchemas, b: CollectionSchemas): boolean {
  return a.length === b.length && a.every((schema, index) => schema === b[index])
}

function blamed({ path }: SchemaFault, { lossless }: Conformity): ViolationFault['deltas'] {
  const [, name] = path.split('/')
  const property = name?.replaceAll('~1', '/').replaceAll('~0', '~')
  const claims = property === undefined ? Object.values(lossless.properties).flat() : lossless.properties[property]
  const standing = claims?.filter((claim) => claim.standing) ?? []
  return standing.slice(0, DELTAS_LISTED_MAX).map(({ delta: { id, creator } }) => ({ id, creator }))
}
