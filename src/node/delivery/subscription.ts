/**
 * A subscription at work: it is handed blocks by its course, and hands each delta that its filter lets through to its handler,
 * one at a time. What becomes of a handler that throws is `functions/performer.ts`'s, as for functions.
 */

import { deltasOf } from '../../log/block-bytes.ts'
import type { Store } from '../../store/store.ts'
import type { Environment } from '../environment.ts'
import type { Failure, FailureMemory } from '../functions/memory.ts'
import { faultOf } from '../functions/options.ts'
import { type FunctionEvent, Performer } from '../functions/performer.ts'
import { Turn } from '../turn.ts'
import type { Course, Due, Overdue } from './course.ts'
import type { Delivery, DeliveryHandler, SubscriptionSettings } from './options.ts'

/** What is told of a subscription while it works. What is handed out is the same whether anybody listens or not. */
export type SubscriptionEvent = FunctionEvent | Overdue

export interface SubscriptionStatus {
  readonly name: string
  readonly delivery: Delivery
  readonly state: 'running' | 'retrying' | 'stopped' | 'closed'
  /** Something that is held here was not handed out yet: it is on its way, or waits for what its delivery demands. */
  readonly isBehind: boolean
  /** Calls of the handler that ended well, since the subscription was begun. */
  readonly handledCount: number
  /** Deltas that were given up, and the newest of them. */
  readonly failedCount: number
  readonly failures: readonly Failure[]
}

export interface SubscriptionParts {
  readonly settings: SubscriptionSettings
  readonly handler: DeliveryHandler
  readonly course: Course
  readonly memory: FailureMemory
  readonly store: Pick<Store, 'setNotes'>
  readonly environment: Environment
  readonly tell: (event: SubscriptionEvent) => void
  readonly signal: AbortSignal
  /** Told once, when the subscription is closed. */
  readonly onClosed: () => void
}

/** A subscription to a namespace, at work until it is closed. Made by `Namespace.subscribe`. */
export class Subscription implements AsyncDisposable {
  readonly name: string
  readonly delivery: Delivery
  readonly #parts: SubscriptionParts
  readonly #performer: Performer
  readonly #closing = new AbortController()
  readonly #signal: AbortSignal
  readonly #turn: Turn
  readonly #ended: Promise<void>
  #isClosed = false

  /** @internal Use `Namespace.subscribe`. */
  constructor(parts: SubscriptionParts) {
    const { settings, environment } = parts
    this.name = settings.name
    this.delivery = settings.delivery
    this.#signal = AbortSignal.any([parts.signal, this.#closing.signal])
    this.#parts = parts
    this.#performer = new Performer({
      ...parts,
      signal: this.#signal,
      // A subscription emits nothing.
      write: () => Promise.reject(new Error('bug: a subscription writes')),
    })
    this.#turn = new Turn(environment)
    this.#ended = this.#run()
  }

  /** Resolves once it does no more: it was closed, its signal or its node ended, or it was stopped. */
  get ended(): Promise<void> {
    return this.#ended
  }

  status(): SubscriptionStatus {
    const { memory, course } = this.#parts
    const { state, handledCount } = this.#performer
    const isOver = this.#isClosed || this.#signal.aborted
    return {
      name: this.name,
      delivery: this.delivery,
      state: this.#isClosed ? 'closed' : state,
      isBehind: !isOver && course.isBehind,
      handledCount,
      failedCount: memory.failures.count,
      failures: memory.failures.listed,
    }
  }

  /** Ends it; a handler at work is not waited for, and is handed the same delta when it begins again. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
    this.#close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    try {
      for await (const due of this.#parts.course.due(this.#signal)) {
        await this.#handOut(due)
        if (!this.#performer.goesOn) break
      }
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

  async #handOut({ block, position, index, notes, done }: Due): Promise<void> {
    const { settings, handler } = this.#parts
    for (const delta of deltasOf(block).slice(index)) {
      await this.#turn.breathe()
      if (this.#signal.aborted) return
      const sees = settings.sees(delta)
      if (sees === false) continue
      const count = delta.index + 1
      if (sees !== true) {
        await this.#performer.skip({ delta: delta.id, told: 'delta', ...sees, attempts: 1 }, notes(count))
      } else {
        const isDealtWith = await this.#performer.perform(
          {
            delta,
            told: 'delta',
            position,
            depth: 0,
            call: (_emit, { attempt, signal }) => handler(delta, { position, attempt, signal }),
          },
          notes(count),
        )
        if (!isDealtWith) return
      }
      done(count)
    }
  }
}
