/**
 * What a function remembers across restarts, as notes of the store: how far it is, what it failed on, and of which deltas it
 * was told that they do not stand. They lie in the file of the log and are written in the transactions of what the
 * function emits, so a copy of the store holds the cursor that belongs to it. A repair numbers what it keeps anew, past every
 * cursor: then the function begins with the first delta again. design.md 6, "What must stay true" (2).
 */

import type { DeltaId } from '../../delta/delta.ts'
import type { ErrorCode } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Notes, Position, Store } from '../../store/store.ts'
import type { Told } from './cause.ts'

/** How far a function is. */
export interface Place {
  /** Changes up to here are dealt with. */
  readonly after: Position
  /** The change under way, and how many of its deltas are dealt with: all of them while it is told what they did to others. */
  readonly at?: Position
  readonly index: number
}

/** A delta that was given up. */
export interface Failure {
  readonly delta: DeltaId
  readonly told: Told
  readonly code: ErrorCode
  readonly message: string
  readonly attempts: number
  /** By this node's clock. */
  readonly atMs: number
}

export interface Failures {
  /** All that were given up so far and not dealt with since. */
  readonly count: number
  /** The newest `FAILURES_MAX` of them, oldest first. */
  readonly listed: readonly Failure[]
}

const FAILURES_MAX = 256
const MESSAGE_UNITS_MAX = 300

/** Begins the keys of the notes of one of that name. */
export function memoryKey(namespace: NamespaceId, name: string): string {
  return `function/${namespace}/${name}`
}

/** What is kept of deltas that were given up. */
export interface FailureMemory {
  failures: Failures
  /** The note of `failures`. */
  failed(failures: Failures): Notes
  /** Whether notes are written already: asked after a write of unknown outcome. */
  holds(notes: Notes): boolean
}

export class FunctionMemory implements FailureMemory {
  place: Place
  failures: Failures
  readonly #store: Store
  readonly #key: string

  /** Where nothing is remembered, it begins after `start`. */
  constructor(store: Store, namespace: NamespaceId, name: string, start: Position) {
    this.#store = store
    this.#key = memoryKey(namespace, name)
    const place = store.note(this.#key)
    this.place = place === undefined ? { after: start, index: 0 } : (JSON.parse(place) as Place)
    // Noted before anything comes after it: else a crash would begin later.
    if (place === undefined) store.setNotes(this.placed(this.place))
    const failures = store.note(`${this.#key}/failures`)
    this.failures = failures === undefined ? { count: 0, listed: [] } : (JSON.parse(failures) as Failures)
  }

  /** The note of a place. */
  placed(place: Place): Notes {
    return new Map([[this.#key, JSON.stringify(place)]])
  }

  /** The note of `failures`. */
  failed(failures: Failures): Notes {
    return new Map([[`${this.#key}/failures`, failures.count === 0 ? undefined : JSON.stringify(failures)]])
  }

  /** What it was told last of a delta that was handed out, if that is not that it stands. */
  told(id: DeltaId): 'hidden' | 'voided' | undefined {
    return this.#store.note(this.#toldKey(id)) as 'hidden' | 'voided' | undefined
  }

  /** The note of what it is told of a delta. */
  telling(id: DeltaId, told: 'hidden' | 'restored' | 'voided'): Notes {
    return new Map([[this.#toldKey(id), told === 'restored' ? undefined : told]])
  }

  /** Whether notes are written already: asked after a write of unknown outcome. */
  holds(notes: Notes): boolean {
    return [...notes].every(([key, value]) => this.#store.note(key) === value)
  }

  #toldKey(id: DeltaId): string {
    return `${this.#key}/told/${id}`
  }
}

/** `failures` with one more. */
export function withFailure({ count, listed }: Failures, failure: Failure): Failures {
  const message = failure.message.slice(0, MESSAGE_UNITS_MAX).toWellFormed()
  return { count: count + 1, listed: [...listed, { ...failure, message }].slice(-FAILURES_MAX) }
}

/** `failures` without one that was dealt with. */
export function withoutFailure({ count, listed }: Failures, failure: Failure): Failures {
  const left = listed.filter((other) => other !== failure)
  return { count: count - (listed.length - left.length), listed: left }
}
