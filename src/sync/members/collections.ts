/**
 * The collections that a node holds records of, in a namespace and in its shards, and its containers, for the tags of a presence:
 * found in the store's ordered ids by skipping from one collection to the next, so that a million records cost as little as one.
 */

import { CONTAINER, CONTAINER_PREFIX, markedContainer } from '../../delta/container.ts'
import { isDeltaId } from '../../delta/identifiers.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { parseEntityId } from '../../delta/record.ts'
import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Position, Store } from '../../store/store.ts'
import { COLLECTIONS_MS, COLLECTIONS_PAGE, COLLECTIONS_PAGES_MAX, TAG_BYTES_MAX, TAGS_MAX } from './limits.ts'

export interface Tags {
  readonly names: readonly string[]
  /** There are more, or some whose names are too long, or more ids in between than are looked at. */
  readonly isCut: boolean
}

/** Behind all ids of a collection, in the order of UTF-8 bytes. */
const BEHIND_ALL = '\u{10FFFF}'

export class Collections {
  readonly #store: Store
  readonly #namespaces: () => readonly NamespaceId[]
  #tags: Tags = { names: [], isCut: false }
  #position: Position | undefined
  #readMs = -Infinity

  constructor(store: Store, namespaces: () => readonly NamespaceId[]) {
    this.#store = store
    this.#namespaces = namespaces
  }

  /** As of now, or of at most `COLLECTIONS_MS` ago. */
  tags(nowMs: number): Tags {
    if (nowMs - this.#readMs < COLLECTIONS_MS) return this.#tags
    try {
      const position = this.#store.position()
      if (position === this.#position) return this.#tags
      this.#readMs = nowMs
      this.#tags = this.#readAll()
      this.#position = position
    } catch (error) {
      // A store that fails is told by those who need it; what it held last is held still.
      if (!(error instanceof RhizomeError)) throw error
      this.#readMs = nowMs
    }
    return this.#tags
  }

  #readAll(): Tags {
    const read = this.#namespaces().map((namespace) => this.#read(namespace))
    const names = [...new Set(read.flatMap((tags) => tags.names))]
    // A single namespace's are in order.
    if (read.length > 1) names.sort(compareUtf8)
    return { names: names.slice(0, TAGS_MAX), isCut: read.some(({ isCut }) => isCut) || names.length > TAGS_MAX }
  }

  #read(namespace: NamespaceId): Tags {
    const found = this.#withRecords(namespace)
    if (!found.names.includes(CONTAINER)) return found
    const names = new Set(found.names)
    names.delete(CONTAINER)
    let { isCut } = found
    for (const name of this.#marked(namespace)) {
      if (Buffer.byteLength(name) > TAG_BYTES_MAX) isCut = true
      else names.add(name)
    }
    isCut ||= names.size > TAGS_MAX
    return { names: [...names].sort(compareUtf8).slice(0, TAGS_MAX), isCut }
  }

  /** Containers, one more than are told: what is cut is noticed. */
  #marked(namespace: NamespaceId): readonly string[] {
    const marks = this.#store.entities(namespace, { prefix: CONTAINER_PREFIX, countMax: TAGS_MAX + 1 })
    return marks.map(markedContainer).filter((name) => name !== undefined)
  }

  #withRecords(namespace: NamespaceId): Tags {
    const names: string[] = []
    let isCut = false
    let after = ''
    for (let page = 0; page < COLLECTIONS_PAGES_MAX; page++) {
      const ids = this.#store.entities(namespace, { prefix: '', after, countMax: COLLECTIONS_PAGE })
      let last: string | undefined
      for (const id of ids) {
        const collection = isDeltaId(id) ? undefined : parseEntityId(id)?.collection
        after = collection === undefined ? id : `${collection}/${BEHIND_ALL}`
        if (collection === undefined || collection === last || collection === names.at(-1)) continue
        last = collection
        if (names.length === TAGS_MAX) return { names, isCut: true }
        if (Buffer.byteLength(collection) > TAG_BYTES_MAX) isCut = true
        else names.push(collection)
      }
      if (ids.length < COLLECTIONS_PAGE) return { names, isCut }
    }
    return { names, isCut: true }
  }
}
