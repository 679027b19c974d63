/**
 * The port of the network: it finds peers, keeps connections to them alive and moves bytes.
 * It never decodes a block or a presence. Implementations: `libp2p.ts` (real) and `memory.ts` (tests and the simulator).
 * Callers: `sync` speaks through this port; `node` alone opens an implementation. design.md 4 and 6, stack-notes.md.
 */

/** A libp2p peer id in its text form (`12D3KooW…`). It is the public key that signs. */
export type PeerIdText = string

/** The answer of a topic's validator; GossipSub forwards only what is accepted and scores down who sent what is rejected. */
export type Verdict = 'accept' | 'ignore' | 'reject'

/** Judges one gossip message from memory alone: no I/O, no waiting. `from` is the peer that forwarded it. */
export type Validator = (bytes: Uint8Array, from: PeerIdText) => Verdict

/** Called once per accepted message of other peers, after the validator, in order of arrival. */
export type MessageListener = (bytes: Uint8Array, from: PeerIdText) => void

/** One end of a bidirectional stream of whole frames, each at most `FRAME_BYTES_MAX`. */
export interface NetStream {
  readonly peer: PeerIdText
  /** Resolves when the transport has room again, so an awaiting sender buffers at most one frame. Throws RZ_NET_STREAM_CLOSED. */
  send(frame: Uint8Array): Promise<void>
  /** Frames in the order sent; ends when the other side closed cleanly, throws RZ_NET_STREAM_CLOSED when it broke. May be iterated once. */
  frames(): AsyncIterable<Uint8Array>
  /** Ends our side cleanly once what was sent has left. */
  close(): Promise<void>
  /** Drops the stream at once, in both directions. */
  abort(reason: string): void
}

export interface NetPeer {
  readonly id: PeerIdText
  /** Multiaddrs in text form; the address of the live connection first. */
  readonly addresses: readonly string[]
  readonly direction: 'inbound' | 'outbound'
  /** Reached through a relay, for want of a direct connection. */
  readonly isRelayed: boolean
  readonly connectedAtMs: number
  /** Topics of ours that this peer is known to have joined. */
  readonly topics: readonly string[]
  /** Last measured round trip; absent until the first ping. */
  readonly roundTripMs?: number
}

/** What observers may be told; removing every listener changes no result. */
export type NetEvent =
  | {
      readonly kind: 'discovered'
      readonly peer: PeerIdText
      readonly addresses: readonly string[]
      readonly by: 'mdns' | 'static' | 'registry' | 'dht'
    }
  | { readonly kind: 'connected'; readonly peer: PeerIdText; readonly address: string }
  /** A peer that was connected through a relay is connected directly from now on. */
  | { readonly kind: 'direct'; readonly peer: PeerIdText; readonly address: string }
  | { readonly kind: 'disconnected'; readonly peer: PeerIdText }
  /** This node can be reached through the relay at the address, or no longer. */
  | { readonly kind: 'relay'; readonly address: string; readonly isReserved: boolean }
  /** A router maps this address outside to this node. */
  | { readonly kind: 'upnp'; readonly isMapped: true; readonly address: string }
  /** No router maps a port, and why; it is tried again. */
  | { readonly kind: 'upnp'; readonly isMapped: false; readonly message: string }
  /** The peer speaks our sync protocol or joined a topic of ours: it is worth syncing with. Fires again after a reconnect. */
  | { readonly kind: 'joined'; readonly peer: PeerIdText; readonly topic: string }
  | { readonly kind: 'left'; readonly peer: PeerIdText; readonly topic: string }
  /** A connection was refused or could not be made; `code` says why where we can tell (a wrong secret, an allow-list, an unreachable address). */
  | {
      readonly kind: 'dial-failed'
      readonly address: string
      /** The seed whose records name the address, or which has none. */
      readonly seed?: string
      readonly code: 'unreachable' | 'secret-mismatch' | 'refused' | 'self' | 'other'
      readonly message: string
    }
  /** Discovery's account after some time with nobody there: what was sent and heard, on which interface. */
  | {
      readonly kind: 'alone'
      readonly interfaces: readonly string[]
      readonly queriesSent: number
      readonly answersHeard: number
    }

export interface Net extends AsyncDisposable {
  readonly self: PeerIdText
  /** Multiaddrs others can dial, `/p2p/<self>` included; loopback only when nothing else is there. */
  addresses(): readonly string[]
  peers(): readonly NetPeer[]
  /** Joins a GossipSub topic. Joining twice is a bug of the caller. */
  join(topic: string, validate: Validator, listen: MessageListener): void
  leave(topic: string): void
  /**
   * Hands the message to gossip and answers how many peers it was sent to; zero is no error.
   * Throws RZ_NET_MESSAGE_TOO_LARGE over `GOSSIP_BYTES_MAX`, RZ_NET_CLOSED after close.
   */
  publish(topic: string, bytes: Uint8Array): Promise<number>
  /** Registers the one handler of an inbound protocol. A handler that rejects aborts its stream. */
  handle(protocol: string, handler: (stream: NetStream) => Promise<void>): void
  /** Opens a stream to a connected peer. Throws RZ_NET_DIAL_FAILED. */
  open(peer: PeerIdText, protocol: string, options: { readonly signal: AbortSignal }): Promise<NetStream>
  /**
   * Adds an address to the endless redial list: a multiaddr, `host[:port]` (port 4000 by default) or a `/dnsaddr/…`, whose records
   * are followed. Throws RZ_NET_ADDRESS_INVALID.
   */
  addPeer(address: string): void
  /** Lowers the standing of a peer that sent what is invalid in itself over a stream; enough of it ends the connection. */
  penalise(peer: PeerIdText, reason: string): void
  /** Observes; answers the function that stops observing. */
  onEvent(listener: (event: NetEvent) => void): () => void
  /** Idempotent. */
  close(): Promise<void>
}

/** Largest gossip message that is sent or accepted, in bytes (stack-notes.md: keep messages under 64 KiB). */
export const GOSSIP_BYTES_MAX = 65_536 - 1_024

/** Largest frame on a stream, in bytes: a fork proof of 2 MiB (the headers of two runs) with room for its envelope. */
export const FRAME_BYTES_MAX = 2_097_152 + 262_144
