/** In which order a subscription is handed blocks, and how it is kept how far it is. */

import type { Block, Dependency } from '../../log/block.ts'
import type { DeltaId } from '../../delta/delta.ts'
import type { Notes, Position } from '../../store/store.ts'
import type { Holder } from '../../sync/delivery/holdings.ts'

/** A block whose turn it is. */
export interface Due {
  readonly block: Block
  readonly position: Position
  /** Of its deltas so many are dealt with already. */
  readonly index: number
  /** What is to be durable together with so many of its deltas being dealt with. */
  readonly notes: (count: number) => Notes
  /** So many are. */
  readonly done: (count: number) => void
}

/** Something that is waited for past its deadline. The waiting goes on. */
export type Overdue =
  /** The block of this delta depends on one that is nowhere to be had. */
  | {
      readonly kind: 'dependency-missing'
      readonly delta: DeltaId
      readonly dependency: Dependency
      readonly waitedMs: number
    }
  /** It is not known that a majority of the declared members holds it. */
  | {
      readonly kind: 'majority-missing'
      readonly delta: DeltaId
      readonly holders: readonly Holder[]
      readonly neededCount: number
      readonly waitedMs: number
    }

export interface Course {
  /** Each block once it may be handed out. Who asks for the next has dealt with the last. Ends when `signal` does. */
  due(signal: AbortSignal): AsyncIterable<Due>
  /** Whether all that is here and may be handed out was. */
  readonly isBehind: boolean
}

/** A block may have to wait: resolves to false when it became void meanwhile, and when `signal` ends. */
export type Gate = (block: Block, signal: AbortSignal) => Promise<boolean>
