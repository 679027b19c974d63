/**
 * What a node can be told, with the defaults together. Argv, environment and files are read by the command line alone
 * (src/cli/config.ts); the SDK passes these options.
 */

import type { PeerId } from '../delta/delta.ts'
import type { RelayChoice } from '../net/options.ts'
import { type DetectorOptions, type DetectorPreset, DETECTORS } from '../sync/members/detector.ts'
import type { ContextInput } from './definition-input.ts'

/** `normal`: an acknowledged write survives a killed process. `full`: also a power cut, for an fsync per commit. */
export type Durability = 'normal' | 'full'

export interface NodeOptions {
  /**
   * What to hold: names of namespaces, each `[a-z0-9][a-z0-9._-]{0,63}`, at least one, at most `TOPICS_MAX`. After a name and a colon
   * parts of it: `shop:*:a-g` are collections by the first byte of their names, `shop:orders:a-g` records of one by that of their
   * ids, `shop:none` nothing but rules. Less held costs less disk and traffic, and a question to a holder for the rest.
   */
  readonly topics: readonly string[]
  /**
   * Directory of this node's data. Default: the first unlocked directory under `home` that already holds the first topic,
   * and was not shared under another secret, else a new one. Given, it is an error when another process holds it
   * (RZ_STORE_LOCKED) or it was shared under another secret (RZ_NODE_SECRET_DIFFERS).
   */
  readonly data?: string
  /** Where directories are looked for and made. Default: `RHIZOME_HOME`, else the platform's user-data folder. */
  readonly home?: string
  /** Keeps nothing on disk, the identity included. Default false. */
  readonly memory?: boolean
  /** Shown to people; not unique. Default: the machine's host name. */
  readonly name?: string
  /** Default `normal`. `full` costs about 0.2 ms per commit on an SSD. */
  readonly durability?: Durability
  /**
   * A keeper holds and serves what others write, and writes nothing of its own: writing is RZ_NODE_KEEPER. Default false.
   */
  readonly keep?: boolean
  /**
   * Runs functions that are records of the log and name this node: those that anyone has defined (true), or only these peers.
   * What they emit this node asserts in its own name, and whoever can write to the namespace can define one. Default false.
   */
  readonly functions?: boolean | readonly PeerId[]
  /** Mends a damaged store while opening: damaged rows are set aside, and fetched again from peers. Default false. */
  readonly repair?: boolean
  /** The network, or false for none at all: then the node is `alone`. */
  readonly network?: NetworkOptions | false
  /**
   * Contexts of this node alone, by id: each takes the place of the record of that id, in every namespace and at every
   * moment, and is never written to the log. Default none.
   */
  readonly contexts?: Readonly<Record<string, ContextInput>>
  /**
   * Id of the context in which views, ids and queries are read that name none. Until a namespace has it, reading them there is
   * RZ_CONTEXT_UNKNOWN. Default: none, everything is seen.
   */
  readonly context?: string
  /**
   * How it is found out that a member is gone: a preset, or options of one's own (RZ_DETECTOR_INVALID where they cannot be).
   * `lan` holds a killed process down within 3 s, `wan` within half a minute, `local` within 1.5 s; `synchronous` trusts that
   * nothing is ever late; `off` suspects nobody. Default `lan`.
   */
  readonly detector?: DetectorPreset | DetectorOptions
  /**
   * The declared members of its namespaces: 1 to 64 peer ids, the same list on every node. Uniform delivery counts their
   * majority, whoever else is there. Default: none, and uniform delivery is RZ_DELIVERY_MEMBERS.
   */
  readonly members?: readonly string[]
  /** Ends the opening. */
  readonly signal?: AbortSignal
}

export interface NetworkOptions {
  /** Multiaddrs to listen on. Default `/ip4/0.0.0.0/tcp/4000`, or the next free port up to 4099. Given, taken is an error. */
  readonly listen?: readonly string[]
  /**
   * Addresses under which others outside reach this node, told to them beside its own, as invitations hold them: a proxy of the web
   * (`wss://host`), or a port that is forwarded by hand (`host[:port]`, multiaddrs). Default none.
   */
  readonly announce?: readonly string[]
  /**
   * Multiaddrs, `host[:port]` (default port 4000), `ws://host`, `wss://host` or `/dnsaddr/<name>` to dial and redial for ever.
   * Default none.
   */
  readonly peers?: readonly string[]
  /**
   * Names, `host[:port]` (default port 4000), whose DNS records are peers: A and AAAA records at that port, `_dnsaddr` TXT records as
   * multiaddrs. Asked for anew each 30 s, each 3 s while nobody is connected. Default none.
   */
  readonly seeds?: readonly string[]
  /**
   * Serves as a relay for nodes that cannot be reached, which it cannot read, with limits of one's own or those told there. With
   * a secret it is RZ_NET_RELAY_SECRET: start the relay without. Default false.
   */
  readonly relay?: boolean | RelayChoice
  /**
   * Relays to be reached through: multiaddrs or `host[:port]`. Where the NATs on both sides keep ports, connections become
   * direct after a moment. Default none.
   */
  readonly via?: readonly string[]
  /**
   * Meets nodes of its topics in a DHT of all nodes that have this switched on, through whom it is connected to by other means; never in
   * the public one. Who has a topic, or guesses its name, learns this node's addresses. Default false.
   */
  readonly dht?: boolean
  /**
   * Asks the router, by UPnP, to map the listening ports to this node while it runs, and tells others the address outside. Default
   * false: no port is opened to the world.
   */
  readonly upnp?: boolean
  /** Finds peers on the LAN by multicast DNS. Default true. */
  readonly mdns?: boolean
  /** Closes the overlay: only nodes with the same secret can connect. Default none: anyone on the network can. */
  readonly secret?: string
  /**
   * Peers connected at once, 1 to 1,000: with so many nobody is dialled, and who dials is refused; other members are heard of
   * through those. Fewer costs less memory and fewer heartbeats; below about 12 many nodes may fall apart. Default 128.
   */
  readonly peersMax?: number
  /** Only these peers may connect. Default: anyone. */
  readonly allow?: readonly PeerId[]
  /** Finds other nodes of this user on this machine through a registry under `home`. Default true; never for `memory`. */
  readonly registry?: boolean
  /** Lines of the network stack's own logs. Default: dropped. */
  readonly log?: (line: string) => void
}

export const TOPICS_MAX = 64
/** The options that each preset stands for, to take some of and change others. */
export const DETECTOR_PRESETS: Readonly<Record<DetectorPreset, DetectorOptions>> = DETECTORS
export const DEFAULT_PORT = 4_000
