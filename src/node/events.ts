/** What a node tells observers. Removing every listener changes no result; data is followed by cursor (`deltas`). */

import type { NetEvent } from '../net/net.ts'
import type { ReplicationEvent } from '../sync/events.ts'
import type { OwnClock } from '../sync/members/own-clock.ts'
import type { SubscriptionEvent } from './delivery/subscription.ts'
import type { FunctionEvent } from './functions/performer.ts'

export type NodeEvent =
  | { readonly kind: 'network'; readonly event: NetEvent }
  | { readonly kind: 'replication'; readonly namespace: string; readonly event: ReplicationEvent }
  /** This node's clock has come to be far off those of its peers, or is right again (`isOff`). */
  | { readonly kind: 'own-clock'; readonly clock: OwnClock }
  /** A log of ours was found forked or behind what peers hold of it: writing goes on in a new log. */
  | { readonly kind: 'log-renewed'; readonly namespace: string; readonly creator: string; readonly why: string }
  /** Deltas of ours that a fork voided were asserted again. */
  | { readonly kind: 'reasserted'; readonly namespace: string; readonly deltas: number }
  /** A function of that name failed on a delta, or was stopped. */
  | { readonly kind: 'function'; readonly namespace: string; readonly name: string; readonly event: FunctionEvent }
  /** A subscription of that name failed on a delta, was stopped, or waits for longer than its deadline. */
  | {
      readonly kind: 'subscription'
      readonly namespace: string
      readonly name: string
      readonly event: SubscriptionEvent
    }
  /**
   * A shard: this node has come to hold all that the others hold of it (`held`); nobody who is there holds it (`unheld`), or
   * somebody does again (`reached`).
   */
  | {
      readonly kind: 'shard'
      readonly namespace: string
      readonly shard: string
      readonly change: 'held' | 'unheld' | 'reached'
    }
  /** Records that this node wrote before it knew of their shards lie there now. */
  | { readonly kind: 'records-moved'; readonly namespace: string; readonly records: number }
