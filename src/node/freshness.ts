/**
 * Keeps what is derived from one namespace's deltas from growing old: before it is read, whatever the store has committed
 * since the last time is looked through once, and all who keep something are told which entities it bears upon. Nothing is
 * learnt from events, so what is kept can never differ from what would be made anew. design.md 6, "What must stay true" (2).
 *
 * Where looking through would take longer than making things anew, and where blocks became void, everything is forgotten:
 * that costs time, and no correctness.
 */

import type { NamespaceId } from '../log/namespace.ts'
import type { Position, Store } from '../store/store.ts'
import { changesUpTo } from './changes-up-to.ts'
import { concernedBy } from './concerned.ts'

/** Who keeps something that depends on deltas alone. Must not read it here: more may follow. */
export interface Keeper {
  /** What is kept about these entities is old. */
  concern(entities: ReadonlySet<string>): void
  /** All that is kept is old. */
  forget(): void
}

/** Changes and bytes of deltas that are looked through before a read: 20 ms at the most, but for a flood of negations. */
const CHANGES_MAX = 1_024
const BYTES_MAX = 1_048_576

export class Freshness {
  readonly #store: Store
  readonly #namespace: NamespaceId
  readonly #keepers: Keeper[] = []
  /** The keepers know of changes up to here; undefined before there was anything to keep. */
  #position: Position | undefined

  constructor(store: Store, namespace: NamespaceId) {
    this.#store = store
    this.#namespace = namespace
  }

  /** To be called before `keeper` keeps anything. Keepers are told in the order in which they came. */
  add(keeper: Keeper): void {
    this.#keepers.push(keeper)
  }

  /** To be called before what is kept is read. Costs nothing when nothing was committed since. */
  catchUp(): void {
    const position = this.#store.position()
    if (position === this.#position) return
    const concerned = this.#position === undefined ? undefined : this.#concernedSince(this.#position, position)
    for (const keeper of this.#keepers) {
      if (concerned === undefined) keeper.forget()
      else if (concerned.size > 0) keeper.concern(concerned)
    }
    this.#position = position
  }

  /** Undefined where all is to be forgotten. */
  #concernedSince(after: Position, until: Position): ReadonlySet<string> | undefined {
    if (until - after > CHANGES_MAX) return undefined
    const entities = new Set<string>()
    let bytes = 0
    for (const change of changesUpTo(this.#store, { after, until })) {
      if (change.namespace !== this.#namespace) continue
      if (change.kind === 'voided') return undefined
      bytes += change.block.header.payloadBytes
      if (bytes > BYTES_MAX) return undefined
      for (const entity of concernedBy(change, this.#store, this.#namespace)) entities.add(entity)
    }
    return entities
  }
}
