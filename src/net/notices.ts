/** Events for observers, and notices that would repeat with every retry, told once in a while. Listeners decide nothing. */
import { NOTICE_REPEAT_MS } from './limits.ts'
import type { NetEvent } from './net.ts'

/** Keys remembered at most; beyond that all are forgotten, and some notice comes once too often. */
const KEYS_MAX = 10_000
const EARLY_EVENTS_MAX = 100

export class Notices {
  readonly #nowMs: () => number
  readonly #listeners = new Set<(event: NetEvent) => void>()
  readonly #toldMs = new Map<string, number>()
  /** Told before anybody could listen, while the stack opened: for all who begin to listen in the turn of the first. */
  #early: NetEvent[] | undefined = []

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  listen(listener: (event: NetEvent) => void): () => void {
    this.#listeners.add(listener)
    for (const event of this.#early ?? []) listener(event)
    queueMicrotask(() => {
      this.#early = undefined
    })
    return () => this.#listeners.delete(listener)
  }

  emit(event: NetEvent): void {
    if (this.#early !== undefined && this.#early.length < EARLY_EVENTS_MAX) this.#early.push(event)
    for (const listener of this.#listeners) listener(event)
  }

  /** Emits unless the same code was told about the same key within NOTICE_REPEAT_MS. */
  tell(key: string, event: Extract<NetEvent, { kind: 'dial-failed' }>): void {
    const nowMs = this.#nowMs()
    const about = `${event.code} ${key}`
    if (nowMs - (this.#toldMs.get(about) ?? -Infinity) < NOTICE_REPEAT_MS) return
    if (this.#toldMs.size >= KEYS_MAX) this.#toldMs.clear()
    this.#toldMs.set(about, nowMs)
    this.emit(event)
  }
}
