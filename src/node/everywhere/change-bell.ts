/** Wakes whoever waits for a change of certain namespaces. All of them share one reader of the store, which reads while any waits. */

import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Store } from '../../store/store.ts'

interface Waiter {
  readonly namespaces: ReadonlySet<NamespaceId>
  readonly wake: () => void
}

export class ChangeBell {
  readonly #store: Store
  readonly #waiters = new Set<Waiter>()
  #reading: AbortController | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** Resolves with the next change of one of them, when the signal ends, and when the store closes. */
  async until(namespaces: ReadonlySet<NamespaceId>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const waiter = { namespaces, wake }
    this.#waiters.add(waiter)
    signal.addEventListener('abort', wake, { once: true })
    if (this.#reading?.signal.aborted !== false) void this.#read()
    await promise
    signal.removeEventListener('abort', wake)
    this.#waiters.delete(waiter)
    if (this.#waiters.size === 0) this.#reading?.abort()
  }

  async #read(): Promise<void> {
    const reading = new AbortController()
    const { signal } = reading
    this.#reading = reading
    try {
      for await (const { namespace } of this.#store.changes({ after: this.#store.position(), signal })) {
        for (const { namespaces, wake } of this.#waiters) if (namespaces.has(namespace)) wake()
      }
    } catch (error) {
      // Whoever is woken reads the store itself, and meets the same.
      if (!(error instanceof RhizomeError)) throw error
    }
    if (signal.aborted) return
    reading.abort()
    for (const { wake } of this.#waiters) wake()
  }
}
