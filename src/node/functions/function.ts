/**
 * A function at work: it follows the changes of its namespace from a durable cursor and hands each delta that its filter
 * lets through to its handler, one at a time, in the order in which this node took them in; and tells it, if it asks for
 * that, what became of them. The cursor moves in the transaction that commits what the handler emits.
 * src/node/README.md, Functions; design.md 6, "What must stay true" (2).
 */

import { type Delta, type DeltaId, negatedIds, type PeerId } from '../../delta/delta.ts'
import { parseDeltaId } from '../../delta/identifiers.ts'
import { deltasOf } from '../../log/block-bytes.ts'
import { isShown } from '../../log/shown.ts'
import type { Change, Position } from '../../store/store.ts'
import { causesIn, type StatedCause } from './cause.ts'
import { type Failure, FunctionMemory, type Place, withoutFailure } from './memory.ts'
import { faultOf, type Handler, type StandingChange, type StandingHandler } from './options.ts'
import { Performer, type PerformerParts, type Telling } from './performer.ts'
import { type Field, negatedBy, standingClaims, standsNow, statedBecauseOf } from './standing.ts'
import { Turn } from '../turn.ts'

export interface FunctionStatus {
  readonly name: string
  readonly state: 'running' | 'retrying' | 'stopped' | 'closed'
  /** Changes up to here are dealt with. */
  readonly position: Position
  /** How far that is behind the newest change of the store: 0 when all is dealt with. */
  readonly lag: number
  /** Calls of the handlers that ended well, and deltas emitted by them, since the function was started. */
  readonly handledCount: number
  readonly emittedCount: number
  /** Deltas that were given up, and the newest of them. */
  readonly failedCount: number
  readonly failures: readonly Failure[]
}

export interface FunctionParts extends Field, Omit<PerformerParts, 'memory' | 'store'> {
  readonly handler: Handler
  readonly onStanding: StandingHandler | undefined
  /** Of the identity that asserts what is emitted. */
  readonly creator: PeerId
  /** Where it begins when nothing is remembered of it. */
  readonly start: Position
  /** Told once, when the function is closed. */
  readonly onClosed: () => void
}

/** Changes that may pass without a delta for the handler before the cursor is noted: they are filtered again after a crash. */
const UNNOTED_CHANGES_MAX = 1_024

/** A function of a namespace, at work until it is closed. Made by `Namespace.on`. */
export class DeltaFunction implements AsyncDisposable {
  readonly name: string
  readonly #parts: FunctionParts
  readonly #memory: FunctionMemory
  readonly #performer: Performer
  readonly #closing = new AbortController()
  readonly #signal: AbortSignal
  readonly #ended: Promise<void>
  /** What is under way, or was last: one thing at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false
  #unnotedCount = 0
  readonly #breath: Turn

  /** @internal Use `Namespace.on`. */
  constructor(parts: FunctionParts) {
    const { settings, store, namespace, start } = parts
    this.name = settings.name
    this.#memory = new FunctionMemory(store, namespace, settings.name, start)
    this.#signal = AbortSignal.any([parts.signal, this.#closing.signal])
    this.#parts = { ...parts, signal: this.#signal }
    this.#performer = new Performer({ ...this.#parts, memory: this.#memory })
    this.#breath = new Turn(parts.environment)
    this.#ended = this.#run()
  }

  /** Resolves once the function does no more: it was closed, its signal or its node ended, or it was stopped. */
  get ended(): Promise<void> {
    return this.#ended
  }

  status(): FunctionStatus {
    const { store } = this.#parts
    const { place, failures } = this.#memory
    const { state, handledCount, emittedCount } = this.#performer
    const isOver = this.#isClosed || this.#signal.aborted
    const isBehind = !isOver && store.changesNow({ after: place.after, countMax: 1, bytesMax: 1 }).length > 0
    return {
      name: this.name,
      state: this.#isClosed ? 'closed' : state,
      position: place.after,
      lag: isBehind ? store.position() - place.after : 0,
      handledCount,
      emittedCount,
      failedCount: failures.count,
      failures: failures.listed,
    }
  }

  /**
   * Hands the listed failures out again, each once, between two deltas of the stream, and strikes off what ends well. Answers
   * how many are left.
   */
  retryFailures(): Promise<number> {
    return this.#inTurn(async () => {
      for (const failure of this.#memory.failures.listed) await this.#retry(failure)
      return this.#memory.failures.count
    })
  }

  /** Ends the function; a handler at work is not waited for, and what it would emit is not written. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
    this.#close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ------------------------------------------------------------------------------------------------ the stream

  async #run(): Promise<void> {
    try {
      await this.#follow()
    } catch (error) {
      if (!this.#signal.aborted) this.#performer.stop(faultOf(error))
    }
    // One that was stopped stays to be seen, with what stopped it, until somebody closes it.
    if (this.#performer.state !== 'stopped') this.#close()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.onClosed()
  }

  async #follow(): Promise<void> {
    const { store, namespace } = this.#parts
    for await (const change of store.changes({ after: this.#memory.place.after, signal: this.#signal })) {
      await this.#inTurn(async () => {
        if (change.namespace === namespace) await this.#take(change)
        if (this.#performer.goesOn) this.#pass(change.position)
      })
      if (!this.#performer.goesOn) return
    }
  }

  /** The change is dealt with. */
  #pass(position: Position): void {
    this.#memory.place = { after: position, index: 0 }
    if (++this.#unnotedCount < UNNOTED_CHANGES_MAX) return
    this.#parts.store.setNotes(this.#memory.placed(this.#memory.place))
    this.#unnotedCount = 0
  }

  async #take(change: Change): Promise<void> {
    if (change.kind === 'voided') return this.#takeVoided(change)
    const { block, position } = change
    if (!isShown(block.header)) return
    const deltas = deltasOf(block)
    const causes = causesIn(deltas)
    const { after, at, index } = this.#memory.place
    for (const delta of deltas.slice(at === position ? index : 0)) {
      await this.#breath.breathe()
      await this.#takeDelta(delta, position, causes.get(delta.id), { after, at: position, index: delta.index + 1 })
      if (!this.#performer.goesOn) return
    }
    if (this.#parts.onStanding === undefined) return
    await this.#tellStanding([...deltas, ...negatedBy(deltas, this.#parts)], position, depthOf(deltas, causes))
  }

  async #takeDelta(delta: Delta, position: Position, cause: StatedCause | undefined, after: Place): Promise<void> {
    const { settings, handler } = this.#parts
    if (this.#isPassedOver(delta, cause)) return
    const notes = this.#memory.placed(after)
    const sees = settings.sees(delta)
    if (sees === false) return
    if (sees !== true) {
      await this.#performer.skip({ delta: delta.id, told: 'delta', ...sees, attempts: 1 }, notes)
    } else if (statedBecauseOf(delta.id, this.#identity, this.#parts).some(({ told }) => told === 'delta')) {
      // It was dealt with before a repair, or by a later life of a store that was then restored: both are in the log.
      await this.#performer.write([], notes, { delta: delta.id, told: 'delta' })
    } else {
      const depth = 1 + (cause?.depth ?? 0)
      const call: Telling['call'] = (emit, occasion) => handler(delta, emit, occasion)
      if (!(await this.#performer.perform({ delta, told: 'delta', position, depth, call }, notes))) return
    }
    this.#memory.place = after
    this.#unnotedCount = 0
  }

  // ------------------------------------------------------------------------------------------ what became of it

  async #takeVoided({ log, position }: Change & { readonly kind: 'voided' }): Promise<void> {
    const { store, namespace, onStanding } = this.#parts
    if (onStanding === undefined) return
    const negating: Delta[] = []
    for (const block of store.voided(namespace, log)) {
      if (!isShown(block.header)) continue
      const deltas = deltasOf(block)
      const causes = causesIn(deltas)
      for (const delta of deltas) {
        await this.#breath.breathe()
        const cause = causes.get(delta.id)
        if (negatedIds(delta.pointers).length > 0) negating.push(delta)
        if (this.#memory.told(delta.id) === 'voided' || !this.#isHandedOut(delta, cause)) continue
        await this.#tellChange('voided', delta, position, 1 + (cause?.depth ?? 0))
        if (!this.#performer.goesOn) return
      }
    }
    await this.#tellStanding(negatedBy(negating, this.#parts), position, 0)
  }

  /** Tells what became of those of `deltas` that were handed out, where it is not what was told last. */
  async #tellStanding(deltas: readonly Delta[], position: Position, depth: number): Promise<void> {
    const { store, namespace } = this.#parts
    for (const delta of deltas) {
      await this.#breath.breathe()
      const isStanding = standsNow(delta, this.#parts)
      if (isStanding === (this.#memory.told(delta.id) === undefined)) continue
      const { blockHash } = parseDeltaId(delta.id)
      const block = store.block(namespace, blockHash)
      const heldAt = store.positionOf(namespace, blockHash)
      // Its own turn comes later.
      if (block === undefined || heldAt === undefined || heldAt > position) continue
      const cause = causesIn(deltasOf(block)).get(delta.id)
      if (!this.#isHandedOut(delta, cause)) continue
      const length = 1 + Math.max(depth, cause?.depth ?? 0)
      await this.#tellChange(isStanding ? 'restored' : 'hidden', delta, position, length)
      if (!this.#performer.goesOn) return
    }
  }

  async #tellChange(kind: StandingChange['kind'], delta: Delta, position: Position, depth: number): Promise<void> {
    const call = this.#standingCall(kind, delta)
    const notes = this.#memory.telling(delta.id, kind)
    await this.#performer.perform({ delta, told: kind, position, depth, call }, notes)
  }

  #standingCall(kind: StandingChange['kind'], delta: Delta): Telling['call'] {
    return (emit, occasion) => {
      const stated = statedBecauseOf(delta.id, this.#identity, this.#parts).flatMap(({ emitted }) => emitted)
      const emitted = standingClaims(stated, this.#parts)
      return this.#parts.onStanding?.({ kind, delta, emitted }, emit, occasion)
    }
  }

  // ------------------------------------------------------------------------------------------------- small things

  #isHandedOut(delta: Delta, cause: StatedCause | undefined): boolean {
    return !this.#isPassedOver(delta, cause) && this.#parts.settings.sees(delta) === true
  }

  /** What states a cause is for nobody; what the function itself has emitted only for one that asks for it. */
  #isPassedOver({ id, creator }: Delta, cause: StatedCause | undefined): boolean {
    if (cause === undefined) return false
    if (!cause.emitted.includes(id)) return true
    return !this.#parts.settings.own && cause.by === this.name && creator === this.#parts.creator
  }

  get #identity() {
    return { name: this.name, creator: this.#parts.creator }
  }

  /** One more attempt at what was given up; what is void or gone by now is struck off. */
  async #retry(failure: Failure): Promise<void> {
    const { store, namespace, handler } = this.#parts
    const { delta: id, told, attempts } = failure
    const left = withoutFailure(this.#memory.failures, failure)
    const notes = this.#memory.failed(left)
    const { blockHash } = parseDeltaId(id)
    const block = store.block(namespace, blockHash)
    const deltas = block === undefined ? [] : deltasOf(block)
    const delta = deltas.find((candidate) => candidate.id === id)
    if (delta === undefined) {
      await this.#performer.write([], notes, { delta: id, told })
    } else {
      const call: Telling['call'] =
        told === 'delta' ? (emit, occasion) => handler(delta, emit, occasion) : this.#standingCall(told, delta)
      const depth = 1 + (causesIn(deltas).get(id)?.depth ?? 0)
      const position = store.positionOf(namespace, blockHash) ?? this.#memory.place.after
      const telling = { delta, told, position, depth, call }
      if ((await this.#performer.attempt(telling, attempts + 1, notes)) !== undefined) return
    }
    this.#memory.failures = left
  }

  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

/** The longest chain of causes among deltas that negate. */
function depthOf(deltas: readonly Delta[], causes: ReadonlyMap<DeltaId, StatedCause>): number {
  let depth = 0
  for (const { id, pointers } of deltas) {
    if (negatedIds(pointers).length > 0) depth = Math.max(depth, causes.get(id)?.depth ?? 0)
  }
  return depth
}
