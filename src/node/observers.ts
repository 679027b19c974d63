/** Who observes a node. The first is told what happened while the node opened; nobody changes a result by observing. */

import type { NodeEvent } from './events.ts'

type Observer = (event: NodeEvent) => void

/** Events kept for the first observer. */
const EARLY_EVENTS_MAX = 100

export class Observers {
  readonly #observers = new Set<Observer>()
  /** Until somebody observes. */
  #early: NodeEvent[] | undefined = []

  /** Answers the function that ends it. */
  add(observer: Observer): () => void {
    this.#observers.add(observer)
    for (const event of this.#early?.splice(0) ?? []) observer(event)
    this.#early = undefined
    return () => this.#observers.delete(observer)
  }

  tell(event: NodeEvent): void {
    if (this.#early !== undefined && this.#early.length < EARLY_EVENTS_MAX) this.#early.push(event)
    for (const observer of this.#observers) observer(event)
  }
}
