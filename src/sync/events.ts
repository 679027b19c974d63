/** What replication tells observers. Removing every listener changes no result. */

import type { PeerId } from '../delta/delta.ts'
import type { LogKey } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { PeerIdText } from '../net/net.ts'
import type { Member, MemberChange, MemberState } from './members/member.ts'
import type { Message } from './messages/message.ts'
import type { SyncStatus } from './status.ts'

export type ReplicationEvent = { readonly namespace: NamespaceId } & (
  | { readonly kind: 'status-changed'; readonly status: SyncStatus }
  /** A member is new, or back, is in another state (`before` says in which it was), or tells other things of itself. */
  | {
      readonly kind: 'member-changed'
      readonly member: Member
      readonly change: MemberChange
      readonly before?: MemberState
    }
  /** A message that is not data, for this node or for all. */
  | { readonly kind: 'message'; readonly message: Message }
  /** Blocks that were new were committed. */
  | {
      readonly kind: 'received'
      readonly from: PeerIdText
      readonly via: 'gossip' | 'sync'
      readonly blocks: number
      readonly deltas: number
    }
  /** Something that is invalid in itself came from this peer; nothing of it was kept. */
  | { readonly kind: 'rejected'; readonly from: PeerIdText; readonly code: string; readonly why: string }
  /** A block dated further ahead of our clock than is admitted: it is fetched again when due. */
  | { readonly kind: 'future-block'; readonly peer: PeerIdText; readonly log: LogKey; readonly aheadMs: number }
  /** A peer's clock is more than five minutes off ours; positive when the peer is ahead. */
  | { readonly kind: 'clock-off'; readonly peer: PeerIdText; readonly offsetMs: number }
  /** A peer holds blocks of a log that this node writes, and this node does not: the log must not be continued. */
  | { readonly kind: 'own-log-ahead'; readonly peer: PeerIdText; readonly log: LogKey; readonly seq: number }
  | { readonly kind: 'forked'; readonly log: LogKey; readonly cut: number; readonly own: boolean }
  | { readonly kind: 'synced'; readonly peer: PeerIdText; readonly blocks: number; readonly deltas: number }
  | { readonly kind: 'sync-failed'; readonly peer: PeerIdText; readonly code: string; readonly why: string }
  /**
   * One creator has begun so many logs: 4,096, or a doubling of that. They are admitted all the same (limits.ts says why);
   * whoever runs the node decides whether to leave the namespace.
   */
  | { readonly kind: 'many-logs'; readonly from: PeerIdText; readonly creator: PeerId; readonly logs: number }
  /** The store refuses what comes. */
  | { readonly kind: 'store-refused'; readonly code: string; readonly why: string }
  /** A block of our own could not be handed to gossip; sync brings it. */
  | { readonly kind: 'announce-failed'; readonly code: string; readonly why: string }
)

type WithoutNamespace<T> = T extends unknown ? Omit<T, 'namespace'> : never
export type NamespaceEvent = WithoutNamespace<ReplicationEvent>
