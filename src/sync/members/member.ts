/** A member of a namespace as others are told of it. */

import type { PeerId } from '../../delta/delta.ts'

/**
 * `suspect`: not heard for too long, and asked to refute it. `down`: it did not; no detector can tell a dead node from one
 * that is cut off, so this says "not to be reached", and is withdrawn when it is heard again. `left`: it took its leave.
 */
export type MemberState = 'alive' | 'suspect' | 'down' | 'left'

export interface Member {
  readonly peer: PeerId
  /** As it calls itself; not unique. */
  readonly name: string
  readonly state: MemberState
  /** Where it says it can be dialled. */
  readonly addresses: readonly string[]
  /** Names of the namespaces that it holds. */
  readonly namespaces: readonly string[]
  /** Collections that it holds records of, in the order of their names; the first 64. */
  readonly tags: readonly string[]
  /** It holds more collections than are told. */
  readonly tagsCut: boolean
  /** Of its software. */
  readonly version: string
  /** Whether this node has a connection to it; others are heard of by gossip. */
  readonly connected: boolean
  /** When it was last heard, by this node's clock, milliseconds since 1970. */
  readonly lastHeardMs: number
  /** Rises with each start of the node, and with each suspicion that it refuted. */
  readonly incarnation: number
  /** Its clock less ours; of connected members, once measured. */
  readonly clockOffsetMs?: number
  /** Of connected members, once measured. */
  readonly roundTripMs?: number
  /** Blocks that it has shown by signed heads and this node lacks; of connected members. */
  readonly behindBlocks?: number
}

/** What became different. `appeared`: it is new, or back; `details`: name, addresses, namespaces or version. */
export type MemberChange = 'appeared' | 'state' | 'tags' | 'details'
