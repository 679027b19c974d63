/**
 * How far we got with which peer of a namespace: noted in the store, so that the next session tells only what changed since.
 * A fixed number of notes that are used in turn: whoever meets ever new peers fills no disk with them. A peer that is
 * forgotten costs comparing the whole frontiers once. design.md 4.
 */

import type { NamespaceId } from '../log/namespace.ts'
import type { PeerIdText } from '../net/net.ts'
import type { Store } from '../store/store.ts'
import { SYNCED_PEERS_MAX } from './limits.ts'
import { parseToken, tokenText, tryNote } from './notes.ts'
import type { Token } from './wire.ts'

interface Synced {
  readonly slot: number
  readonly token: Token
}

export class SyncedPeers {
  readonly #store: Store
  readonly #namespace: NamespaceId
  /** The one noted longest ago first. Read from the store when first needed. */
  #peers: Map<PeerIdText, Synced> | undefined

  constructor(store: Store, namespace: NamespaceId) {
    this.#store = store
    this.#namespace = namespace
  }

  /** The peer's position up to which this node holds everything. */
  since(peer: PeerIdText): Token | undefined {
    return this.#known().get(peer)?.token
  }

  /** Replaces what was noted of the peer, or of the one noted longest ago. What cannot be written is not known. */
  note(peer: PeerIdText, token: Token): void {
    const peers = this.#known()
    const [oldest] = peers
    const evicted = peers.size < SYNCED_PEERS_MAX || peers.has(peer) ? undefined : oldest
    const slot = peers.get(peer)?.slot ?? evicted?.[1].slot ?? freeSlot(peers)
    // Names our own store's life too: one that was repaired may lack what it had by then.
    if (!tryNote(this.#store, this.#key(slot), `${peer}:${this.#store.instance}:${tokenText(token)}`)) return
    if (evicted !== undefined) peers.delete(evicted[0])
    peers.delete(peer)
    peers.set(peer, { slot, token })
  }

  #known(): Map<PeerIdText, Synced> {
    this.#peers ??= this.#read()
    return this.#peers
  }

  #read(): Map<PeerIdText, Synced> {
    const peers = new Map<PeerIdText, Synced>()
    for (let slot = 0; slot < SYNCED_PEERS_MAX; slot++) {
      const [peer = '', life, ...rest] = this.#store.note(this.#key(slot))?.split(':') ?? []
      const token = parseToken(rest.join(':'))
      if (life === this.#store.instance && token !== undefined) peers.set(peer, { slot, token })
    }
    return peers
  }

  #key(slot: number): string {
    return `synced/${this.#namespace}/${slot}`
  }
}

function freeSlot(peers: ReadonlyMap<PeerIdText, Synced>): number {
  const used = new Set(Array.from(peers.values(), ({ slot }) => slot))
  let slot = 0
  while (used.has(slot)) slot++
  return slot
}
