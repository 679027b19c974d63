/** What `diagnose` is told: how the node is or would be started, and what a running one says of itself. */

import type { OwnClock } from '../../sync/members/own-clock.ts'

export interface DiagnoseOptions {
  /** Namespaces that are to be shared. Default: those that the running node holds, else none. */
  readonly topics?: readonly string[]
  /** The node's directory, whether it runs or not. Default: none yet. */
  readonly data?: string
  /** Where directories are made. Default: `RHIZOME_HOME`, else the platform's user-data folder. */
  readonly home?: string
  /** Multiaddrs to listen on. Default: port 4000 on every IPv4 interface. */
  readonly listen?: readonly string[]
  /** Peers that should be reached: multiaddrs or `host[:port]`. Default: those that answer by multicast. */
  readonly peers?: readonly string[]
  /** Names whose DNS records are peers, as `NetworkOptions.seeds`: each of these should be reached. Default none. */
  readonly seeds?: readonly string[]
  /** Whether multicast is tried, which sends a question to the LAN. Default true. */
  readonly mdns?: boolean
  readonly secret?: string
  /** What the node of this directory says of itself, if it runs. Default: it does not. */
  readonly running?: RunningNode
  /** DNS-SD service name, for tests: nodes of another are not heard. */
  readonly serviceTag?: string
  readonly signal?: AbortSignal
}

/** As its status and its list of peers tell. */
export interface RunningNode {
  readonly peerId: string
  /** Multiaddrs on which it listens. */
  readonly addresses: readonly string[]
  readonly clock?: OwnClock
  readonly namespaces: readonly string[]
  /** Members that it knows, without itself, connected or not. */
  readonly peers: readonly RunningPeer[]
}

export interface RunningPeer {
  readonly id: string
  readonly connected: boolean
  readonly addresses: readonly string[]
  /** Those that it shares with the node. */
  readonly namespaces: readonly string[]
  /** Its clock less the node's, as far as it is known. */
  readonly clockOffsetMs?: number
}
