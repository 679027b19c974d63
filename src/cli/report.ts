/** What a running node reports, one line each: to people in words (`report-lines.ts`), to programs as JSON. */

import type { Json } from '../delta/json.ts'
import type { RhizomeNode } from '../node/node.ts'

export type SyncStatus = ReturnType<ReturnType<RhizomeNode['namespaces']>[number]['status']>

/** This node's clock by those of its peers. */
export type OwnClock = NonNullable<ReturnType<RhizomeNode['ownClock']>>

/** A line of the running node; as JSON it is this object with the time. README.md documents each. */
export type Report =
  | { readonly event: 'connected'; readonly peer: string; readonly name?: string; readonly address: string }
  | { readonly event: 'direct'; readonly peer: string; readonly name?: string; readonly address: string }
  | { readonly event: 'disconnected'; readonly peer: string; readonly name?: string }
  | { readonly event: 'relay'; readonly address: string; readonly reserved: boolean }
  | { readonly event: 'upnp'; readonly mapped: true; readonly address: string }
  | { readonly event: 'upnp'; readonly mapped: false; readonly message: string }
  | {
      readonly event: 'deltas'
      readonly topic: string
      /** New ones since the last report. */
      readonly received: number
      readonly from: readonly PeerName[]
      /** All that the node holds now. */
      readonly total: number
    }
  | { readonly event: 'sync'; readonly topic: string; readonly status: SyncStatus; readonly peers: readonly PeerName[] }
  | {
      readonly event: 'alone'
      readonly interfaces: readonly string[]
      readonly queriesSent: number
      readonly answersHeard: number
    }
  | {
      /** Nodes are connected, and none of them has this topic. */
      readonly event: 'unshared'
      readonly topic: string
      /** How many nodes. */
      readonly connected: number
    }
  | {
      readonly event: 'wrong-secret'
      readonly address: string
      /** Whether the user gave the address; else it is of a node that happens to be near. */
      readonly given: boolean
      readonly message: string
    }
  | {
      readonly event: 'dial-failed'
      readonly address: string
      /** Whether the user gave the address; else a peer was found there. */
      readonly given: boolean
      readonly code: string
      readonly message: string
    }
  | { readonly event: 'clock'; readonly peer: string; readonly name?: string; readonly offsetMs: number }
  | ({ readonly event: 'own-clock' } & OwnClock)
  | {
      /** A member has appeared, or holds other collections than before. */
      readonly event: 'presence'
      readonly topic: string
      readonly peer: string
      readonly name?: string
      readonly tags: readonly string[]
    }
  | {
      /** A message that is not data. */
      readonly event: 'message'
      readonly topic: string
      readonly peer: string
      readonly name?: string
      /** Whether it is for this node alone. */
      readonly addressed: boolean
      readonly message: Json
    }
  | {
      readonly event: 'member'
      readonly topic: string
      readonly peer: string
      readonly name?: string
      readonly state: 'alive' | 'suspect' | 'down' | 'left'
      readonly before?: string
    }
  | { readonly event: 'future-block'; readonly topic: string; readonly peer: string; readonly aheadMs: number }
  | { readonly event: 'many-logs'; readonly topic: string; readonly creator: string; readonly logs: number }
  | { readonly event: 'log-renewed'; readonly topic: string; readonly why: string }
  | { readonly event: 'reasserted'; readonly topic: string; readonly deltas: number }
  | {
      readonly event: 'function-skipped' | 'function-stopped'
      readonly topic: string
      readonly name: string
      readonly delta?: string
      readonly code: string
      readonly why: string
    }
  | { readonly event: 'records-moved'; readonly topic: string; readonly records: number }
  | {
      readonly event: 'shard'
      readonly topic: string
      readonly shard: string
      readonly change: 'held' | 'unheld' | 'reached'
    }
  | {
      readonly event: 'forked'
      readonly topic: string
      readonly log: string
      readonly cut: number
      readonly own: boolean
    }
  | {
      readonly event: 'rejected' | 'sync-failed'
      readonly topic: string
      readonly peer: string
      readonly name?: string
      readonly code: string
      readonly why: string
    }
  | {
      readonly event: 'store-refused' | 'announce-failed'
      readonly topic: string
      readonly code: string
      readonly why: string
    }

export interface PeerName {
  readonly peer: string
  readonly name?: string
}
