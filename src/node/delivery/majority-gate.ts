/**
 * The gate of uniform delivery: a block passes once more than half of the declared members hold it durably, by receipts that
 * they have signed. Nothing takes the place of a receipt, no suspicion either. Receipts are cumulative: one lets pass whatever
 * its holder has of that log.
 */

import { deltaIdOf } from '../../delta/identifiers.ts'
import { type Block, logKeyOfHeader } from '../../log/block.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Store } from '../../store/store.ts'
import type { Receipts } from '../../sync/delivery/receipts.ts'
import type { Environment } from '../environment.ts'
import type { Overdue } from './course.ts'
import type { Majority } from './declared.ts'

export interface MajorityGateParts {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly receipts: Receipts
  readonly majority: Majority
  readonly deadlineMs: number
  readonly environment: Environment
  readonly onOverdue: (overdue: Overdue) => void
}

export class MajorityGate {
  readonly #parts: MajorityGateParts
  readonly #question: ReturnType<Receipts['ask']>
  #wake: () => void = () => undefined

  constructor(parts: MajorityGateParts) {
    const { receipts, majority } = parts
    this.#parts = parts
    this.#question = receipts.ask({ from: () => majority.members, all: true, onNews: () => this.#wake() })
  }

  /** Resolves to false when the block became void, or the signal ended, before it could pass. */
  async pass(block: Block, signal: AbortSignal): Promise<boolean> {
    const { majority } = this.#parts
    const place = { log: logKeyOfHeader(block.header), seq: block.header.seq }
    if (majority.isReached(place)) return this.#isHeld(block)
    this.#question.need(place.log, place.seq)
    const cancel = this.#tellWhenOverdue(block)
    const stop = (): void => this.#wake()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted && this.#isHeld(block)) {
        if (majority.isReached(place)) return true
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
      return false
    } finally {
      signal.removeEventListener('abort', stop)
      cancel()
      this.#question.rest()
    }
  }

  close(): void {
    this.#question.close()
  }

  /** A void block gets no receipts: it is looked at when others come, and past the deadline. */
  #isHeld({ hash }: Block): boolean {
    return this.#parts.store.positionOf(this.#parts.namespace, hash) !== undefined
  }

  /** Again after each deadline, as long as it lasts. */
  #tellWhenOverdue(block: Block): () => void {
    const { environment, deadlineMs, majority, onOverdue } = this.#parts
    const place = { log: logKeyOfHeader(block.header), seq: block.header.seq }
    let waitedMs = 0
    const plan = (): (() => void) =>
      environment.schedule(deadlineMs, () => {
        waitedMs += deadlineMs
        onOverdue({
          kind: 'majority-missing',
          delta: deltaIdOf(block.hash, 0),
          holders: majority.holdersOf(place),
          neededCount: majority.neededCount,
          waitedMs,
        })
        cancel = plan()
        this.#wake()
      })
    let cancel = plan()
    return () => cancel()
  }
}
