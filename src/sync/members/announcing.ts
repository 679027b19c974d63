/**
 * What this node tells of itself in one namespace, and when: a presence when something changed, gathered for a moment, one
 * from time to time, one of a higher incarnation when it is accused, and a leave. A machine with the clock passed in; signs
 * nothing and sends nothing itself.
 */

import { PRESENCE_CHANGE_MS, PRESENCE_GATHER_MS, PRESENCE_MS_MAX, PRESENCE_SPREAD, REFUTE_MS } from './limits.ts'

export interface AnnouncingOptions {
  /** Higher than that of any earlier start. */
  readonly incarnation: number
  /** From 0 to 1. */
  readonly random: () => number
}

export class Announcing {
  readonly #random: () => number
  #incarnation: number
  #counter = 0
  #dueMs = -Infinity
  #toldMs = -Infinity
  #refutedMs = -Infinity
  #refutes = false

  constructor({ incarnation, random }: AnnouncingOptions) {
    this.#incarnation = incarnation
    this.#random = random
  }

  get incarnation(): number {
    return this.#incarnation
  }

  /** Something of it is different, or somebody new listens. */
  changed(nowMs: number): void {
    this.#due(Math.max(nowMs + PRESENCE_GATHER_MS, this.#toldMs + PRESENCE_CHANGE_MS))
  }

  /** Somebody holds that this incarnation, or a later one, is silent or has ended. Answers false when that is met already. */
  refute(incarnation: number, nowMs: number): boolean {
    if (incarnation < this.#incarnation) return false
    this.#incarnation = incarnation + 1
    this.#counter = 0
    this.#refutes = true
    this.#due(Math.max(nowMs, this.#refutedMs + REFUTE_MS))
    return true
  }

  /** Whether a presence is to be told now. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueMs
  }

  /** The numbers of the next presence, which is told now; the one after it comes within `intervalMs` and its spread. */
  next(
    nowMs: number,
    intervalMs: number,
  ): { readonly incarnation: number; readonly counter: number; readonly nextMs: number } {
    if (this.#refutes) this.#refutedMs = nowMs
    this.#refutes = false
    this.#toldMs = nowMs
    this.#dueMs = nowMs + intervalMs * (1 + PRESENCE_SPREAD * (2 * this.#random() - 1))
    const nextMs = Math.min(PRESENCE_MS_MAX, Math.ceil(intervalMs * (1 + PRESENCE_SPREAD)))
    return { incarnation: this.#incarnation, counter: this.#counter++, nextMs }
  }

  #due(atMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, atMs)
  }
}
