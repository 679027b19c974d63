/**
 * Every limit and interval of the network in one place, each with its reason. Nothing here is read from outside;
 * what a user may move is in `options.ts`. Sources: stack-notes.md, containers.md, and the packages' own defaults.
 */

export const DEFAULT_PORT = 4_000
/** The mDNS service tag of this software; an own one, so that other libp2p nodes on the LAN are not dialled. */
export const DEFAULT_SERVICE_TAG = '_rhizome._udp.local'
/** Each query makes every node answer by multicast, so work grows as N³/interval (containers.md): 10 s by default. */
export const DEFAULT_MDNS_INTERVAL_MS = 10_000
/** First queries after a (re)start come sooner, as RFC 6762 5.2 lets them: at 0 (the library's own), 1 and 3 s. */
export const MDNS_EARLY_QUERIES_MS = [1_000, 3_000] as const
/** Silence of so many intervals means that the multicast membership may be gone: the component is restarted. */
export const MDNS_SILENT_INTERVALS_MAX = 4
export const INTERFACES_POLL_MS = 2_000
/** With nobody connected for so long, the `alone` event says what was tried. */
export const ALONE_AFTER_MS = 10_000

/** libp2p's default of 5 a second for one address keeps 12 nodes behind one address from ever connecting. */
export const INBOUND_CONNECTIONS_PER_SECOND_MAX = 100
export const INBOUND_PENDING_MAX = 64
export const CONNECTIONS_MAX = 128
/** How long a try at one address may take, name resolution and handshake included; a LAN peer answers in milliseconds. */
export const ADDRESS_DIAL_TIMEOUT_MS = 5_000
/** All addresses of a peer, one after the other: one that swallows packets must not use up the others' time. */
export const DIAL_TIMEOUT_MS = 12_000
export const UPGRADE_TIMEOUT_MS = 10_000
/** A connection that ends this soon after the dial, before the peers knew each other, was refused by the other side. */
export const REFUSAL_WINDOW_MS = 2_000
/** A dropped link is noticed within interval + timeout. The timeout is long, or a busy machine drops good connections. */
export const PING_INTERVAL_MS = 5_000
export const PING_TIMEOUT_MS = 10_000
/**
 * Pings of one connection under way at once. On a busy machine the next begins before the last is answered; with the
 * library's limit of one that alone ends a good connection.
 */
export const PING_STREAMS_MAX = 8

export const DIALS_PARALLEL_MAX = 16
export const KNOWN_PEERS_MAX = 1_000
export const ADDRESSES_PER_PEER_MAX = 16
/** Redial pace: 0.5, 1, 2 … 10 s for ten minutes, then each minute. A peer found by discovery is forgotten after an hour. */
export const REDIAL_BASE_MS = 500
export const REDIAL_CAP_MS = 10_000
export const REDIAL_LATE_CAP_MS = 60_000
export const REDIAL_LATE_AFTER_MS = 600_000
export const FORGET_AFTER_MS = 3_600_000
/** Answers to one query arrive together; the pause lets the degree policy see them all before it chooses. */
export const DISCOVERY_SETTLE_MS = 100
/** Of two peers that find each other the one with the larger id waits this long, so that they meet in one connection. */
export const TIE_BREAK_GRACE_MS = 700
/** A peer that is heard of while its dials fail is tried again no sooner: on a LAN of many its answers come often. */
export const RETRY_FLOOR_MS = 1_500
/** After such a failure there is no use in haste: the address is this node itself. */
export const SELF_RETRY_MS = 600_000

/** Seeds are asked for anew: soon while nobody is connected, else at about the pace at which clusters let records live. */
export const SEED_ALONE_INTERVAL_MS = 3_000
export const SEED_INTERVAL_MS = 30_000
/** Records of one name that are used; a name with more still leads to some of them. */
export const SEED_ADDRESSES_MAX = 64
/** A `dnsaddr` record may name another `dnsaddr`, so many times in a row. */
export const DNSADDR_DEPTH_MAX = 4
/** How long one question to a name server may take; it is put twice. */
export const DNS_TIMEOUT_MS = 3_000

/** Word left in the DHT is given anew so often, and again and again, ever more seldom, while nobody of the topic is connected. */
export const DHT_INTERVAL_MS = 600_000
export const DHT_ALONE_BASE_MS = 2_000
export const DHT_ALONE_CAP_MS = 60_000
/** A pause before the DHT is asked, in which whoever came is identified, and others may come. */
export const DHT_SETTLE_MS = 1_000
/** How long word is kept: some rounds of the above may fail. Word that ended is looked for each five minutes. */
export const DHT_RECORD_MS = 3_600_000
export const DHT_CLEANUP_INTERVAL_MS = 300_000
export const DHT_QUERY_TIMEOUT_MS = 30_000
/** Nodes that are heard of at one asking; others are heard of through them. */
export const DHT_PROVIDERS_MAX = 20
/** What a node keeps for others, 200 bytes each: in all, and for one provider, which has one for each of its topics. */
export const DHT_RECORDS_MAX = 10_000
export const DHT_RECORDS_PER_PEER_MAX = 256
/** Peers that are dialled whoever else is connected, since they are in a topic where nobody else is. */
export const SOUGHT_PEERS_MAX = 64

/** A relay keeps the place of a node that went away for so long; one that is there asks again five minutes before. */
export const RELAY_RESERVATION_MS = 1_800_000
/** What a relay may be told to carry lies within these; less than the least would break every sync before it begins. */
export const RELAY_NODES_MAX = 10_000
export const RELAY_CONNECTION_BYTES_MIN = 1_048_576
export const RELAY_CONNECTION_MS_MIN = 60_000
export const RELAY_CONNECTION_MS_MAX = 86_400_000
/** Relayed connections that one peer may have begun, and may have been sent, through one relay. */
export const CIRCUITS_PER_PEER_MAX = 128
export const RESERVATION_TIMEOUT_MS = 10_000
/** How often is looked whether a reservation still stands. */
export const RESERVATION_CHECK_MS = 1_000
/** Ports that hole punching dials from, and how long one is used: longer than a try, shorter than a port rests after use. */
export const PUNCH_PORT_MIN = 20_000
export const PUNCH_PORT_MAX = 60_000
export const PUNCH_PORT_MS = 10_000

/** Up to so many nodes (this one included) everyone connects to everyone. */
export const FULL_MESH_NODES_MAX = 12
/** Beyond it: dials to the next nodes on the ring of hashed ids, and to others by rendezvous hash. See `degree.ts`. */
export const RING_SUCCESSORS = 2
export const RENDEZVOUS_PEERS = 4

/** A connected peer without gossip streams for so long is identified anew, and as long after that closed and redialled. */
export const DEAF_AFTER_MS = 5_000
export const WATCHDOG_INTERVAL_MS = 1_000

/** Inbound streams of one protocol on one connection; sync opens one or two. */
export const INBOUND_STREAMS_MAX = 32
export const OUTBOUND_STREAMS_MAX = 64
/** Unread bytes after which a stream stops granting window to the sender. */
export const READ_AHEAD_BYTES = 262_144
/** Yamux grows a window up to this. It must stay below the 4 MiB read buffer, or a paused reader is reset. */
export const STREAM_WINDOW_BYTES_MAX = 2_097_152
/** A sender whose peer reads nothing for so long gives the stream up. */
export const SEND_STALL_MS = 60_000
/** After our side closed, a peer that neither sends nor closes for so long loses the stream. */
export const LINGER_MS = 30_000
export const CLOSE_STREAM_MS = 10_000

/** Gossip ignores backpressure: past this its stream to a slow peer is reset, and sync brings what was lost. */
export const GOSSIP_BUFFER_BYTES_MAX = 16_777_216
/** An IWANT promise on a busy machine is late, not broken; and a few broken ones are no misbehaviour. */
export const GOSSIP_FOLLOWUP_MS = 10_000
export const GOSSIP_BEHAVIOUR_THRESHOLD = 6

/** What each offence costs, how fast it is forgiven, and where a peer is disconnected and for how long. */
export const PENALTY_POINTS = 10
export const PENALTY_HALF_LIFE_MS = 60_000
export const PENALTY_POINTS_MAX = 100
export const BLOCK_MS = 600_000

export const REGISTRY_POLL_MS = 1_000
export const REGISTRY_FILE_BYTES_MAX = 65_536
/** The same notice (same peer or address, same code) reaches observers at most once in this time. */
export const NOTICE_REPEAT_MS = 60_000

/** How long answers of routers to one search are waited for; UPnP lets them take a second. */
export const GATEWAY_SEARCH_MS = 3_000
/** Routers that are asked further on one network: there is one, seldom two, and anybody can answer. */
export const GATEWAY_ANSWERS_MAX = 8
export const GATEWAY_CALL_MS = 5_000
export const GATEWAY_ANSWER_BYTES_MAX = 262_144
/** A mapping that nobody renews lapses after so long: what a killed node leaves behind. */
export const PORT_LEASE_S = 3_600
/** A router that restarted has forgotten its mappings, or has another address: it is asked so often. */
export const PORT_RENEWAL_MS = 300_000
export const PORT_RETRY_MS = 30_000
/** Ports tried, one after the other, when others have them. */
export const EXTERNAL_PORTS_TRIED_MAX = 16
