/**
 * Runs the dial plan: one timer, bounded parallel dials, until it is stopped. What to dial is decided in `dial-plan.ts`,
 * how is told from outside, so that this file knows no libp2p.
 */
import type { DialFailure, DialPlan, Target } from './dial-plan.ts'
import type { PeerIdText } from './net.ts'

export type DialOutcome =
  | { readonly kind: 'connected'; readonly peer: PeerIdText }
  | { readonly kind: 'failed'; readonly code: DialFailure; readonly message: string }

export interface DialLoopOptions {
  readonly plan: DialPlan
  /** Never rejects: every failure is an outcome. */
  readonly dial: (target: Target) => Promise<DialOutcome>
  readonly onFailed: (target: Target, failure: { readonly code: DialFailure; readonly message: string }) => void
  readonly nowMs: () => number
}

export class DialLoop {
  readonly #options: DialLoopOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: DialLoopOptions) {
    this.#options = options
  }

  /** Dials what is due and sleeps until the next. Call it whenever the plan was told something. */
  wake(): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    const { plan, nowMs } = this.#options
    for (const target of plan.take()) void this.#run(target)
    const dueMs = plan.nextDueMs()
    // A floor: with all dial slots taken something is overdue until one of them ends, and that wakes us too.
    if (dueMs !== undefined) this.#timer = setTimeout(() => this.wake(), Math.max(50, dueMs - nowMs()))
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #run(target: Target): Promise<void> {
    const { plan, dial, onFailed } = this.#options
    const outcome = await dial(target)
    if (this.#stopped) return
    if (outcome.kind === 'connected') {
      plan.succeeded(target.key, outcome.peer)
    } else {
      plan.failed(target.key, outcome.code)
      onFailed(target, outcome)
    }
    this.wake()
  }
}
