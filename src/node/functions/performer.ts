/**
 * Calls a function's handlers and writes what they emit: how often one that throws is called again, what is given up then,
 * and that emission and notes are durable together. What the stream holds is not known here: `function.ts` follows it.
 */

import type { Delta, DeltaId, Pointer } from '../../delta/delta.ts'
import { type ErrorCode, RhizomeError } from '../../errors.ts'
import type { Notes, Position, Store } from '../../store/store.ts'
import type { Fault } from '../../view/fault.ts'
import { causePointers, type Told } from './cause.ts'
import type { Environment } from '../environment.ts'
import { Emission } from './emission.ts'
import { type Failure, type FailureMemory, withFailure } from './memory.ts'
import { type Emit, faultOf, type Occasion, RETRY_MS_MAX, type Settings } from './options.ts'

/** What is told of a function while it works. Data and cursor are the same whether anybody listens or not. */
export type FunctionEvent =
  /** The handler threw, or the store takes nothing: it is tried again. */
  | (Trouble & { readonly kind: 'retrying'; readonly retryMs: number })
  /** A delta was given up, and is listed among the failures. */
  | (Trouble & { readonly kind: 'skipped' })
  /** The function has ended, and begins with the same delta when it is started again. */
  | (Partial<Trouble> & Fault & { readonly kind: 'stopped' })

interface About {
  readonly delta: DeltaId
  readonly told: Told
}

interface Trouble extends About, Fault {
  /** How often this was tried by now. */
  readonly attempt: number
}

/** One telling: a delta with what is told of it, and how to call the handler. */
export interface Telling {
  readonly delta: Delta
  readonly told: Told
  readonly position: Position
  readonly depth: number
  readonly call: (emit: Emit, occasion: Occasion) => void | Promise<void>
}

export interface PerformerParts {
  readonly store: Pick<Store, 'setNotes'>
  readonly settings: Settings
  readonly memory: FailureMemory
  /** Writes deltas as one block together with notes; `records` are the entities of the records that it puts. */
  readonly write: (
    deltas: readonly (readonly Pointer[])[],
    notes: Notes,
    records: ReadonlySet<string>,
  ) => Promise<unknown>
  readonly tell: (event: FunctionEvent) => void
  readonly environment: Environment
  readonly signal: AbortSignal
}

interface Failed {
  readonly fault: Fault
  /** It would be the same again. */
  readonly isFinal: boolean
}

/** What the handler is not to blame for: it passes, and nothing is given up for it. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['RZ_STORE_FULL', 'RZ_STORE_FAILED', 'RZ_NODE_BUSY'])

const NO_RECORDS: ReadonlySet<string> = new Set()

export class Performer {
  readonly #parts: PerformerParts
  #state: 'running' | 'retrying' | 'stopped' = 'running'
  #handledCount = 0
  #emittedCount = 0

  constructor(parts: PerformerParts) {
    this.#parts = parts
  }

  get state(): 'running' | 'retrying' | 'stopped' {
    return this.#state
  }

  /** Calls that ended well. */
  get handledCount(): number {
    return this.#handledCount
  }

  /** Deltas emitted by them, without those that state the causes. */
  get emittedCount(): number {
    return this.#emittedCount
  }

  /** False once the function is to do no more. */
  get goesOn(): boolean {
    return this.#state !== 'stopped' && !this.#parts.signal.aborted
  }

  /**
   * Calls the handler until it ends well or is given up, and writes what that comes to with `notes`. Answers whether it was
   * dealt with: not, when the function stopped or ends.
   */
  async perform(telling: Telling, notes: Notes): Promise<boolean> {
    const { attemptsMax, retryMs } = this.#parts.settings
    for (let attempt = 1; ; attempt++) {
      const failed = await this.attempt(telling, attempt, notes)
      if (failed === undefined) return true
      if (!this.goesOn) return false
      if (failed.isFinal || attempt >= attemptsMax) return this.#giveUp(telling, failed.fault, attempt, notes)
      await this.#retryLater({ ...aboutOf(telling), attempt, ...failed.fault }, retryMs)
    }
  }

  /** One call, and the writing of what it emits; undefined when both were done. */
  async attempt(telling: Telling, attempt: number, notes: Notes): Promise<Failed | undefined> {
    const { signal, settings } = this.#parts
    const { delta, told, position, depth } = telling
    const emission = new Emission()
    try {
      await untilAborted(signal, telling.call(emission.emit, { position, depth, attempt, signal }))
    } catch (error) {
      return { fault: faultOf(error), isFinal: false }
    } finally {
      emission.seal()
    }
    if (signal.aborted) return { fault: faultOf(signal.reason), isFinal: false }
    const emitted = emission.seal()
    try {
      if (emitted.length > 0) checkDepth(telling, settings)
      const cause = causePointers({ cause: delta.id, told, by: settings.name, depth }, emitted.length)
      await this.write([...emitted, ...cause], notes, aboutOf(telling), emission.records)
    } catch (error) {
      // What cannot be written now never can: the handler would emit the same again.
      if (error instanceof RhizomeError && error.code !== 'RZ_STORE_CLOSED') {
        return { fault: faultOf(error), isFinal: true }
      }
      throw error
    }
    this.#handledCount++
    this.#emittedCount += emitted.length
    return undefined
  }

  /** Waits out what is not the handler's fault. */
  async write(
    deltas: readonly (readonly Pointer[])[],
    notes: Notes,
    about: About,
    records: ReadonlySet<string> = NO_RECORDS,
  ): Promise<void> {
    const { store, write, memory, settings } = this.#parts
    for (let attempt = 1; ; attempt++) {
      try {
        if (deltas.length === 0) store.setNotes(notes)
        else await write(deltas, notes, records)
        return
      } catch (error) {
        if (!(error instanceof RhizomeError) || !PASSING.has(error.code)) throw error
        // A write of unknown outcome was done if its notes are there.
        if (error.code === 'RZ_STORE_FAILED' && memory.holds(notes)) return
        await this.#retryLater({ ...about, attempt, ...faultOf(error) }, settings.retryMs)
      }
    }
  }

  /** Lists what cannot be dealt with, and passes it over: all in one transaction with `notes`. */
  async skip(failure: Omit<Failure, 'atMs'>, notes: Notes): Promise<void> {
    const { memory, tell, environment } = this.#parts
    const { delta, told, code, message, attempts } = failure
    const failures = withFailure(memory.failures, { ...failure, atMs: environment.nowMs() })
    await this.write([], new Map([...notes, ...memory.failed(failures)]), { delta, told })
    memory.failures = failures
    tell({ kind: 'skipped', delta, told, attempt: attempts, code, message })
  }

  stop(why: Partial<Trouble> & Fault): void {
    this.#state = 'stopped'
    this.#parts.tell({ kind: 'stopped', ...why })
  }

  async #giveUp(telling: Telling, fault: Fault, attempts: number, notes: Notes): Promise<boolean> {
    if (this.#parts.settings.onFailure === 'stop') {
      this.stop({ ...aboutOf(telling), attempt: attempts, ...fault })
      return false
    }
    await this.skip({ ...aboutOf(telling), ...fault, attempts }, notes)
    return true
  }

  async #retryLater(trouble: Trouble, firstMs: number): Promise<void> {
    const { signal, tell, environment } = this.#parts
    const retryMs = Math.min(RETRY_MS_MAX, firstMs * 2 ** (trouble.attempt - 1))
    this.#state = 'retrying'
    tell({ kind: 'retrying', ...trouble, retryMs })
    const waited = Promise.withResolvers<void>()
    const cancel = environment.schedule(retryMs, waited.resolve)
    try {
      await untilAborted(signal, waited.promise)
    } finally {
      cancel()
    }
    signal.throwIfAborted()
    this.#state = 'running'
  }
}

function aboutOf({ delta, told }: Telling): About {
  return { delta: delta.id, told }
}

function checkDepth({ delta, depth }: Telling, { name, depthMax }: Settings): void {
  if (depth <= depthMax) return
  const message =
    `"${name}" would emit because of ${delta.id} what ${depth} causes in a row have led to, and ${depthMax} is the limit: ` +
    'functions that emit what they or others are handed make a loop'
  throw new RhizomeError('RZ_FUNCTION_DEPTH', message)
}

/** What `work` comes to, or nothing once `signal` ends: a handler that never ends keeps nothing from closing. */
async function untilAborted(signal: AbortSignal, work: void | Promise<void>): Promise<void> {
  if (work === undefined) return
  const aborted = Promise.withResolvers<void>()
  const onAbort = () => aborted.resolve()
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
