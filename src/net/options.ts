/** What a caller may choose about the network, each with its unit, range, default and what moving it costs. */
import { DEFAULT_MDNS_INTERVAL_MS, DEFAULT_PORT, DEFAULT_SERVICE_TAG } from './limits.ts'
import type { PeerIdText } from './net.ts'

export const DEFAULT_LISTEN = [`/ip4/0.0.0.0/tcp/${DEFAULT_PORT}`] as const
/** How many further ports are tried when the default one is taken: enough for a screen full of terminals. */
export const DEFAULT_PORT_FALLBACK_COUNT = 32

export interface MdnsChoice {
  /**
   * Milliseconds between two questions, 100 or more. Each makes every node on the LAN answer, so the traffic grows with
   * the cube of the number of nodes; a longer interval finds newcomers later. @default 10_000
   */
  readonly intervalMs?: number
  /** The DNS-SD service name; only nodes with the same tag find each other. @default '_rhizome._udp.local' */
  readonly serviceTag?: string
}

/** How much a relay carries; what is out of range is brought into it. What one node may cost is bounded by these together with the number of circuits (`limits.ts`). */
export interface RelayChoice {
  /**
   * Nodes that can be reached through this one, 1 to 10,000; more are refused until a place is free. Each costs a few KiB, and
   * keeps its place for 30 minutes after it went away. @default 64
   */
  readonly nodesMax?: number
  /**
   * Bytes that one relayed connection carries, both ways together, from 1 MiB; then it is ended, and the nodes make another and
   * go on where they were. Less makes heavy users pause more often. @default 1 GiB
   */
  readonly connectionBytesMax?: number
  /**
   * Milliseconds that one relayed connection lasts, from 60,000 to 86,400,000; then it is ended, and made anew, which gives hole punching
   * another chance. @default 7,200,000, two hours
   */
  readonly connectionMs?: number
}

export interface Libp2pNetOptions {
  /** The 32-byte seed of the Ed25519 key: it is the peer id, and others accept nobody else under it. */
  readonly identity: { readonly privateKey: Uint8Array }

  /**
   * Multiaddrs to listen on: `/ip4/<address>/tcp/<port>`, `/ip6/…`, with `/ws` at the end for WebSocket. Port 0 lets the system choose; an empty list listens
   * nowhere, so the node can only dial. @default ['/ip4/0.0.0.0/tcp/4000']
   */
  readonly listen?: readonly string[]

  /**
   * Addresses under which others outside reach this node, told to them beside its own: those of a proxy of the web (`wss://host`) or of
   * a port that is forwarded by hand, in the forms that `peers` takes. Throws RZ_NET_ADDRESS_INVALID. @default []
   */
  readonly announce?: readonly string[]

  /**
   * How many ports after the wanted one are tried when it is taken, 0 to 1,000. 0 makes a taken port an error
   * (RZ_NET_PORT_TAKEN): right when others were told this port. @default 32 without `listen`, else 0
   */
  readonly portFallbackCount?: number

  /**
   * Addresses dialled for ever: multiaddrs, `host[:port]` (port 4000), `ws://host[:port]`, `wss://host[:port]` or
   * `/dnsaddr/<name>[/p2p/<id>]`. A host's name is resolved
   * anew at every try. Throws RZ_NET_ADDRESS_INVALID. @default []
   */
  readonly peers?: readonly string[]

  /**
   * Names whose DNS records are the peers: `host[:port]` (port 4000). Each A and AAAA record is a node at that port, each TXT
   * record of `_dnsaddr.<host>` a multiaddr. Asked for anew each 30 s, and each 3 s while nobody is connected; 64 addresses of a
   * name are used. Throws RZ_NET_ADDRESS_INVALID. @default []
   */
  readonly seeds?: readonly string[]

  /** Discovery on the LAN; false sends and answers no multicast at all. @default {} */
  readonly mdns?: false | MdnsChoice

  /**
   * The text that closes the overlay: only nodes with the same one can connect, and nobody else can read even the
   * handshake. Any length; its strength is the text's own. A second encryption costs a third to a half of the throughput.
   * @default undefined: open
   */
  readonly secret?: string

  /**
   * Serves as a relay for nodes that cannot be reached: they listen here, and what others send them is carried through. It
   * cannot read it. A relay has no secret: with one it is RZ_NET_RELAY_SECRET. @default false
   */
  readonly relay?: boolean | RelayChoice

  /**
   * Relays to be reached through, for ever: multiaddrs or `host[:port]` (port 4000). Peers that are given by `…/p2p-circuit/p2p/<id>`
   * are dialled through their relays with or without it. Where the NATs on both sides keep ports, the connection becomes a
   * direct one after a moment. Throws RZ_NET_ADDRESS_INVALID. @default []
   */
  readonly via?: readonly string[]

  /**
   * Takes part in a DHT of all nodes that do, which they reach through those whom they are connected to by other means, and meets
   * nodes of its topics there. It is no part of the public one. Who has the same topic, or guesses its name, learns this node's
   * addresses. With an empty `listen`, or `via`, it asks and does not answer others. @default false
   */
  readonly dht?: boolean

  /**
   * Asks the router of this network, by UPnP, to map the listening ports to this node, and tells others the address outside. The ports
   * are open to anybody then, as long as the node runs. @default false
   */
  readonly upnp?: boolean

  /**
   * Connections held at once, 1 to 1,000: beyond them nobody is dialled, and who dials is refused. Fewer costs less memory and
   * traffic; below about 12 the graph of many nodes may fall apart. @default 128
   */
  readonly connectionsMax?: number

  /** Peer ids that may connect or be dialled; everyone else is hung up on. @default undefined: everyone */
  readonly allow?: readonly PeerIdText[]

  /**
   * A directory shared by the nodes of one user on this machine, who find each other there without multicast when they
   * share a topic. It is made if need be, with mode 0700. @default undefined: none
   */
  readonly registry?: { readonly directory: string }

  /** Receives the stack's own log lines, many per second: for `--verbose`. @default undefined: nothing is formatted */
  readonly log?: (line: string) => void

  /** Gives the opening up; what was opened is closed again. @default none */
  readonly signal?: AbortSignal
}

export const DEFAULT_MDNS: Required<MdnsChoice> = {
  intervalMs: DEFAULT_MDNS_INTERVAL_MS,
  serviceTag: DEFAULT_SERVICE_TAG,
}

export const DEFAULT_RELAY: Required<RelayChoice> = {
  nodesMax: 64,
  connectionBytesMax: 1_073_741_824,
  connectionMs: 7_200_000,
}
