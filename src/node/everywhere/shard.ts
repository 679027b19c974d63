/** One shard as a node knows it: a namespace of its own, held here or not. */

import type { PeerId } from '../../delta/delta.ts'
import type { ShardRange } from '../../delta/shard-range.ts'
import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Namespace } from '../namespace.ts'
import type { OwnLogs } from '../own-logs.ts'

/**
 * `apart`: not held; what this node writes to it lies in its own log alone, until a holder has it. `taking`: it takes part, and
 * does not know yet whether it has what the others have. `held`: it answers for it. `dropping`: it answers no more, and waits for
 * another holder's receipt.
 */
export type Holding = 'apart' | 'taking' | 'held' | 'dropping'

export interface Shard {
  /** `shop:*:a-g`. */
  readonly name: string
  readonly id: NamespaceId
  readonly range: ShardRange
  readonly parent: Namespace
  readonly namespace: Namespace
  readonly ownLogs: OwnLogs
  holding: Holding
  /** It was held and is no topic of this node any more: it is dropped as soon as another holder has everything. */
  isLeaving: boolean
  /** When it began to take part, by the steady clock. */
  sinceMs: number
  /** Who answered last: asked first again, so that what it has answered does not become less. */
  preferred: PeerId | undefined
  /** Resolves when what was to be written to it from here, until now, is in this node's log: writes keep their order. */
  writing: Promise<void>
  /** Whether it was told that nobody holds it. */
  isMissed: boolean
}

export interface ShardStatus {
  readonly name: string
  /** As it is placed: `*:a-g`. */
  readonly range: string
  /**
   * `dropping`: it is held until another holder has everything. `elsewhere`: others hold it; `unheld`: nobody who is
   * there does, as far as this node knows.
   */
  readonly state: 'held' | 'taking' | 'dropping' | 'elsewhere' | 'unheld'
  /** Other nodes that are there and hold it. */
  readonly holders: readonly PeerId[]
  /** Blocks that this node has written to it and no holder has given a receipt for. */
  readonly waitingBlocks: number
  /** Whether its placement is in force: one that overlaps an earlier one is not everywhere, one that was deleted nowhere. */
  readonly isPlaced: boolean
}

/** What came of moving records from the parent to their shards. */
export interface MovedResult {
  readonly records: number
  /** Whether some could not be moved, such as those of a shard that nobody holds: to be tried again. */
  readonly isMoreDue: boolean
}

export function unheld({ name }: Shard, why = 'no node that is there holds'): RhizomeError {
  return new RhizomeError('RZ_SHARD_UNHELD', `${why} "${name}": start one that does, with --topic '${name}'`)
}

/** Whether it says that nobody who holds the shard answers. */
export function isAbsent(error: unknown): boolean {
  return error instanceof RhizomeError && (error.code === 'RZ_SHARD_UNHELD' || error.code === 'RZ_SHARD_UNANSWERED')
}
