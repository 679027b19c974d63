/** The logs that this store has written: what peers hold of them is ours to watch over. Kept as a note in the store. */

import type { LogKey } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'

export class OwnLogs {
  readonly #store: Store
  readonly #namespace: NamespaceId
  readonly #logs: Set<LogKey>

  constructor(store: Store, namespace: NamespaceId) {
    this.#store = store
    this.#namespace = namespace
    const noted = store.note(this.#key())
    this.#logs = new Set(noted === undefined ? [] : (JSON.parse(noted) as LogKey[]))
  }

  has(log: LogKey): boolean {
    return this.#logs.has(log)
  }

  all(): Iterable<LogKey> {
    return this.#logs
  }

  /** Durable before it returns, and so before anything is written to the log. */
  add(log: LogKey): void {
    if (this.#logs.has(log)) return
    this.#logs.add(log)
    this.#store.setNote(this.#key(), JSON.stringify([...this.#logs]))
  }

  #key(): string {
    return `own-logs/${this.#namespace}`
  }
}
