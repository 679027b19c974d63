/**
 * Blocks in causal order: each after those of its log and those that it depends on ("waiting" causal broadcast, Cachin, Guerraoui,
 * Rodrigues, Algorithm 3.15). The cursor is a frontier, a note for each log of how much of it was handed out, so it is exact across
 * crashes however blocks overtake each other. In memory: a number for each log, and a line for each log that is held back,
 * however many blocks wait behind it: they are read from the store once it is their turn.
 */

import { deltaIdOf } from '../../delta/identifiers.ts'
import { type Block, type Dependency, type LogKey, logKeyOfHeader, RUN_BYTES_MAX } from '../../log/block.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import { isShown } from '../../log/shown.ts'
import type { Notes, Store } from '../../store/store.ts'
import type { Environment } from '../environment.ts'
import type { Course, Due, Overdue } from './course.ts'

export interface CausalParts {
  readonly store: Store
  readonly namespace: NamespaceId
  /** Notes of the cursor begin with it. */
  readonly key: string
  readonly deadlineMs: number
  readonly environment: Environment
  readonly onOverdue: (overdue: Overdue) => void
}

/** Of a log so many blocks were handed out, and of the next so many deltas. */
interface Cursor {
  readonly seq: number
  readonly index: number
}

/** A log whose next block has to wait. */
interface HeldBack {
  readonly dependency: Dependency
  readonly cancel: () => void
}

/** Blocks that may pass with nothing to hand out before their cursors are noted: they are filtered again after a crash. */
const UNNOTED_LOGS_MAX = 1_024
const RUN_BYTES = RUN_BYTES_MAX / 16

export class CausalCourse implements Course {
  readonly #parts: CausalParts
  readonly #cursors = new Map<LogKey, Cursor>()
  readonly #unnoted = new Set<LogKey>()
  /** Logs to be looked at. */
  readonly #ready = new Set<LogKey>()
  readonly #heldBack = new Map<LogKey, HeldBack>()
  /** By log, those whose next block depends on one of it. */
  readonly #waiting = new Map<LogKey, Set<LogKey>>()

  constructor(parts: CausalParts) {
    this.#parts = parts
  }

  /** The notes of a cursor behind everything that is held now. */
  static behindAll(store: Store, namespace: NamespaceId, key: string): Notes {
    const heads = store.frontier(namespace).filter(({ seq }) => seq !== undefined)
    return new Map(heads.map(({ log, seq = 0 }) => [noteKey(key, log), cursorText({ seq: seq + 1, index: 0 })]))
  }

  get isBehind(): boolean {
    return this.#ready.size > 0 || this.#heldBack.size > 0
  }

  async *due(signal: AbortSignal): AsyncGenerator<Due> {
    const { store, namespace } = this.#parts
    const after = store.position()
    for (const { log, seq } of store.frontier(namespace)) {
      if (seq !== undefined && this.#cursorOf(log).seq <= seq) this.#ready.add(log)
    }
    try {
      yield* this.#drain(signal)
      for await (const change of store.changes({ after, signal })) {
        if (change.namespace !== namespace) continue
        if (change.kind === 'committed') this.#ready.add(logKeyOfHeader(change.block.header))
        else this.#wake(change.log)
        yield* this.#drain(signal)
      }
    } finally {
      for (const { cancel } of this.#heldBack.values()) cancel()
    }
  }

  async *#drain(signal: AbortSignal): AsyncGenerator<Due> {
    // The set grows while it is walked: what is handed out may be what others wait for.
    for (const log of this.#ready) {
      if (signal.aborted) return
      this.#ready.delete(log)
      yield* this.#walk(log, signal)
    }
  }

  /** Hands out the log as far as that may be. */
  async *#walk(log: LogKey, signal: AbortSignal): AsyncGenerator<Due> {
    const { store, namespace } = this.#parts
    for (;;) {
      const run = store.readRun(namespace, log, this.#cursorOf(log).seq, RUN_BYTES)
      if (run === undefined) return
      for (const block of run.blocks) {
        const position = store.positionOf(namespace, block.hash)
        // Void, or part of a run that goes on past the cut.
        if (position === undefined) return
        const missing = block.header.dependencies.find((dependency) => !this.#isMet(dependency))
        if (missing !== undefined) return this.#holdBack(log, block, missing)
        this.#letGo(log)
        const { seq } = block.header
        if (isShown(block.header)) {
          yield {
            block,
            position,
            index: this.#cursorOf(log).index,
            notes: (count) => this.#notes(log, { seq, index: count }),
            done: (count) => {
              this.#unnoted.clear()
              this.#cursors.set(log, { seq, index: count })
            },
          }
        }
        if (signal.aborted) return
        this.#pass(log, { seq: seq + 1, index: 0 })
      }
    }
  }

  /** What is void counts as met, what it follows does not. A dependency names its block: one of another branch is none. */
  #isMet({ log, seq, hash }: Dependency): boolean {
    const { store, namespace } = this.#parts
    if (this.#cursorOf(log).seq > seq && store.positionOf(namespace, hash) !== undefined) return true
    const { cut = Infinity } = store.logState(namespace, log) ?? {}
    return seq >= cut && this.#cursorOf(log).seq >= cut
  }

  #pass(log: LogKey, cursor: Cursor): void {
    this.#cursors.set(log, cursor)
    this.#unnoted.add(log)
    if (this.#unnoted.size >= UNNOTED_LOGS_MAX) {
      this.#parts.store.setNotes(this.#notes(log, cursor))
      this.#unnoted.clear()
    }
    this.#wake(log)
  }

  // ---------------------------------------------------------------------------------------------- held back

  #holdBack(log: LogKey, block: Block, dependency: Dependency): void {
    const before = this.#heldBack.get(log)
    if (before?.dependency.hash !== dependency.hash) {
      before?.cancel()
      const { environment, deadlineMs } = this.#parts
      const cancel = environment.schedule(deadlineMs, () => this.#overdue(block, dependency))
      this.#heldBack.set(log, { dependency, cancel })
    }
    const waiting = this.#waiting.get(dependency.log) ?? new Set<LogKey>()
    this.#waiting.set(dependency.log, waiting)
    waiting.add(log)
  }

  #letGo(log: LogKey): void {
    this.#heldBack.get(log)?.cancel()
    this.#heldBack.delete(log)
  }

  #wake(log: LogKey): void {
    for (const waiting of this.#waiting.get(log) ?? []) this.#ready.add(waiting)
    this.#waiting.delete(log)
  }

  /** One that is here and waits itself is not missing: what it waits for is told. */
  #overdue({ hash }: Block, dependency: Dependency): void {
    const { store, namespace, deadlineMs, onOverdue } = this.#parts
    if (store.positionOf(namespace, dependency.hash) !== undefined) return
    onOverdue({ kind: 'dependency-missing', delta: deltaIdOf(hash, 0), dependency, waitedMs: deadlineMs })
  }

  // ------------------------------------------------------------------------------------------------- cursors

  #cursorOf(log: LogKey): Cursor {
    const known = this.#cursors.get(log)
    if (known !== undefined) return known
    const [seq = 0, index = 0] = this.#parts.store.note(noteKey(this.#parts.key, log))?.split(':').map(Number) ?? []
    const cursor = { seq, index }
    this.#cursors.set(log, cursor)
    return cursor
  }

  /** Of this cursor, and of those that have moved since the last. */
  #notes(log: LogKey, cursor: Cursor): Notes {
    const others = [...this.#unnoted].map((other) => [other, this.#cursorOf(other)] as const)
    return new Map(
      [...others, [log, cursor] as const].map(([of, at]) => [noteKey(this.#parts.key, of), cursorText(at)]),
    )
  }
}

function noteKey(key: string, log: LogKey): string {
  return `${key}/${log}`
}

function cursorText({ seq, index }: Cursor): string {
  return index === 0 ? `${seq}` : `${seq}:${index}`
}
