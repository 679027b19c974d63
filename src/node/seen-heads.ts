/**
 * What this node has seen since the last block of a log that it writes: the source of that log's causal dependencies.
 * Reads the store's own sequence of changes at each write, so nothing can be seen and not be told. design.md 3, Commit.
 */

import { compareTime } from '../delta/clock.ts'
import { type Dependency, DEPENDENCIES_MAX, type LogKey } from '../log/block.ts'
import { CausalFringe } from '../log/fringe.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { type Position, POSITION_START, type Store } from '../store/store.ts'
import { changesUpTo } from './changes-up-to.ts'

/** Past this many changes the frontier is the shorter account of what was seen. */
const CHANGES_MAX = 2_048
/** Only the newest can become dependencies; twice as many, since some imply others. */
const HEADS_MAX = 2 * DEPENDENCIES_MAX

export class SeenHeads {
  readonly #store: Store
  readonly #namespace: NamespaceId
  #log: LogKey | undefined
  #fringe: CausalFringe | undefined
  /** Changes up to here are in the fringe. */
  #after: Position = POSITION_START

  constructor(store: Store, namespace: NamespaceId) {
    this.#store = store
    this.#namespace = namespace
  }

  /** The dependencies of the next block of `log`. Linear in what was committed since the last one. */
  dependencies(log: LogKey): { readonly dependencies: readonly Dependency[]; readonly cut: boolean } {
    if (this.#fringe === undefined || this.#log !== log || this.#store.position() - this.#after > CHANGES_MAX) {
      return this.#fromFrontier(log)
    }
    this.#catchUp(this.#fringe)
    return this.#fringe.dependencies()
  }

  /** Our own block at `position` implies all that was seen before it. */
  wrote(log: LogKey, position: Position): void {
    this.#log = log
    this.#fringe = new CausalFringe(log)
    this.#after = position
  }

  #catchUp(fringe: CausalFringe): void {
    const until = this.#store.position()
    for (const change of changesUpTo(this.#store, { after: this.#after, until })) {
      if (change.namespace !== this.#namespace) continue
      if (change.kind === 'committed') fringe.note(change.block.header, change.block.hash)
      if (change.kind === 'voided') fringe.void(change.log, change.cut)
    }
    this.#after = until
  }

  /** After a start or a long sync: the newest heads are named, save those that our own last block names already. */
  #fromFrontier(log: LogKey): { readonly dependencies: readonly Dependency[]; readonly cut: boolean } {
    const fringe = new CausalFringe(log)
    const position = this.#store.position()
    const implied = this.#impliedBy(log)
    for (const { log: other, head } of this.#heads(log)) {
      if ((implied.get(other) ?? -1) >= head.header.seq) continue
      fringe.note(head.header, head.hash)
    }
    this.#log = log
    this.#fringe = fringe
    this.#after = position
    return fringe.dependencies()
  }

  *#heads(own: LogKey) {
    const others = this.#store.frontier(this.#namespace).flatMap(({ log }) => {
      const head = log === own ? undefined : this.#store.logState(this.#namespace, log)?.head
      return head === undefined ? [] : [{ log, head }]
    })
    others.sort((a, b) => compareTime(b.head.time, a.head.time))
    for (const { log, head } of others.slice(0, HEADS_MAX)) {
      const block = this.#store.block(this.#namespace, head.hash)
      if (block !== undefined) yield { log, head: block }
    }
  }

  #impliedBy(log: LogKey): ReadonlyMap<LogKey, number> {
    const hash = this.#store.logState(this.#namespace, log)?.hash
    const last = hash === undefined ? undefined : this.#store.block(this.#namespace, hash)
    return new Map(last?.header.dependencies.map((dependency) => [dependency.log, dependency.seq]))
  }
}
