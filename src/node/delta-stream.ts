/** Deltas in the order in which this node took them in, from the store's durable cursor alone. */

import type { Delta } from '../delta/delta.ts'
import { deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { isShown } from '../log/shown.ts'
import { type Position, POSITION_START, type Store } from '../store/store.ts'
import { changesUpTo } from './changes-up-to.ts'
import type { ViewOptions } from './views.ts'

export interface PlacedDelta {
  /** Of the block that holds the delta: its deltas share it. */
  readonly position: Position
  readonly delta: Delta
}

export interface DeltasOptions extends ViewOptions {
  /** Starts behind this position. Default: from the first delta on. */
  readonly after?: Position
  /** Goes on with what is written later, until `signal` ends it. Default true. */
  readonly live?: boolean
  readonly signal?: AbortSignal
}

export interface DeltaStream {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly after: Position | undefined
  readonly live: boolean
  readonly sees: (delta: Delta) => boolean
  readonly signal: AbortSignal
}

/** Those that `sees` holds for, once or, if `live`, until `signal` ends it. */
export async function* deltaStream(stream: DeltaStream): AsyncGenerator<PlacedDelta> {
  const { store, namespace, after = POSITION_START, live, sees, signal } = stream
  const changes = live ? store.changes({ after, signal }) : changesUpTo(store, { after, until: store.position() })
  for await (const change of changes) {
    if (change.namespace !== namespace || change.kind !== 'committed' || !isShown(change.block.header)) continue
    for (const delta of deltasOf(change.block)) if (sees(delta)) yield { position: change.position, delta }
    if (signal.aborted) return
  }
}
