/**
 * An application on a machine that follows the deltas by cursor: it notes durably how far it is, goes on there after a crash,
 * and keeps what it was told, for invariants to look at.
 */

import type { Delta } from '../../src/delta/delta.ts'
import type { Namespace } from '../../src/node/namespace.ts'
import type { Position } from '../../src/store/store.ts'

export interface Told {
  readonly position: Position
  readonly delta: Delta
}

export class Follower {
  readonly name: string
  /** Since the positions of its store mean what they mean now. */
  #told: Told[] = []
  #instance: string | undefined

  constructor(name: string) {
    this.name = name
  }

  get told(): readonly Told[] {
    return this.#told
  }

  /** Goes on where it was, unless the store is another one now. */
  follow(instance: string, namespace: Namespace): void {
    if (this.#instance !== instance) this.#told = []
    this.#instance = instance
    void this.#follow(this.#told, namespace)
  }

  async #follow(told: Told[], namespace: Namespace): Promise<void> {
    const last = told.at(-1)
    for await (const next of namespace.deltas(last === undefined ? {} : { after: last.position })) told.push(next)
  }
}
