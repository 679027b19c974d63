/** How far behind a node is in a namespace. It never flatters: what is not known is not said. design.md 4. */

import type { PeerIdText } from '../net/net.ts'

export type SyncStatus =
  /** No peer of the namespace is connected. */
  | { readonly kind: 'alone' }
  /** Peers are there, but no sync with one of them is complete. */
  | { readonly kind: 'looking' }
  /** Signed heads are known that this node lacks `blocks` blocks of, a million of each at most; `peers` showed them. */
  | { readonly kind: 'behind'; readonly blocks: number; readonly peers: readonly PeerIdText[] }
  /** This node held all that these peers held at `asOfMs`, the earliest of their last complete syncs. */
  | { readonly kind: 'in-sync'; readonly peers: readonly PeerIdText[]; readonly asOfMs: number }
  /** The store refuses writes for want of space. */
  | { readonly kind: 'full' }

export interface StatusInput {
  readonly full: boolean
  readonly peers: readonly { readonly peer: PeerIdText; readonly inSyncAtMs?: number }[]
  readonly lacked: { readonly blocks: number; readonly peers: readonly PeerIdText[] }
  /** A sync completed earlier than this says nothing any more. */
  readonly freshAfterMs: number
}

export function statusOf({ full, peers, lacked, freshAfterMs }: StatusInput): SyncStatus {
  if (full) return { kind: 'full' }
  if (peers.length === 0) return { kind: 'alone' }
  if (lacked.blocks > 0) return { kind: 'behind', ...lacked }
  const inSync = peers.filter(({ inSyncAtMs }) => inSyncAtMs !== undefined && inSyncAtMs >= freshAfterMs)
  if (inSync.length === 0) return { kind: 'looking' }
  return {
    kind: 'in-sync',
    peers: inSync.map(({ peer }) => peer),
    asOfMs: Math.min(...inSync.map(({ inSyncAtMs }) => inSyncAtMs ?? Infinity)),
  }
}

/** True when an observer would see no difference; the mere passing of time is none. */
export function sameStatus(a: SyncStatus, b: SyncStatus): boolean {
  if (a.kind === 'behind') return b.kind === 'behind' && a.blocks === b.blocks
  if (a.kind === 'in-sync') return b.kind === 'in-sync' && a.peers.join() === b.peers.join()
  return a.kind === b.kind
}
