/** Every limit and interval of membership that is no option of the detector (detector.ts), each with its reason. */

export const HEARTBEAT_PROTOCOL = '/rhizome/heartbeat/1'
export const ROLL_PROTOCOL = '/rhizome/roll/1'

// ------------------------------------------------------------------------------------------------ messages

export const PRESENCE_VERSION = 0
/** A presence with every list at its limit, and room for its envelope. */
export const MEMBER_MESSAGE_BYTES_MAX = 32_768
export const VERSION_BYTES_MAX = 64
/** More than a node dials of any peer. */
export const ADDRESSES_MAX = 16
export const ADDRESS_BYTES_MAX = 256
/** As many as a node may hold, its shards among them (node/options.ts). */
export const NAMESPACES_MAX = 192
/** That of a shard holds its range (log/namespace.ts). */
export const NAMESPACE_NAME_BYTES_MAX = 192
/** Of all names together, so that a presence fits: whoever holds more tells of the first. */
export const NAMESPACES_BYTES_MAX = 16_384
/** Collections told; whoever holds more says that there are more. */
export const TAGS_MAX = 64
export const TAG_BYTES_MAX = 128
/** The longest time between two presences that anybody may promise. */
export const PRESENCE_MS_MAX = 3_600_000

// -------------------------------------------------------------------------------------------------- members

/** Members remembered in a namespace: some 2 MB. Those connected are never given up for others. */
export const MEMBERS_MAX = 4_096
/** A member that left or is down is shown for so long, unless its place is needed. */
export const GONE_MS = 3_600_000
/** A member is not heard of for so many of its own promises: it is suspected. Two may be lost to gossip. */
export const PRESENCES_MISSED_MAX = 3
/** Presences differ from the one interval by as much, so that thousands of nodes started together do not speak together. */
export const PRESENCE_SPREAD = 0.25
/** What changes about a node is gathered for so long before it is told; one that says it oftener than others take is slower. */
export const PRESENCE_GATHER_MS = 250
/** As often as others take one of a member for long (`MEMBER_BURST`): a new collection is known everywhere within two seconds. */
export const PRESENCE_CHANGE_MS = 1_000
/** Messages of one member that are taken: so many at once, and one more each second. A flood stops at the first neighbour. */
export const MEMBER_BURST = 10
/** Messages that one neighbour passes on: a thousand members that change at once come within seconds. */
export const NEIGHBOUR_BURST = 1_000
export const NEIGHBOUR_PER_SECOND = 200
/** Refuting is a presence of its own: whoever accuses on and on makes a node tell it no oftener than this. */
export const REFUTE_MS = 500
/** Collections are looked up again this long after a change at the earliest: 80 short reads each time, at the most. */
export const COLLECTIONS_MS = 250
/** Ids looked at to find them: a page for each collection, and some for raw entities, which are of none. */
export const COLLECTIONS_PAGE = 16
export const COLLECTIONS_PAGES_MAX = TAGS_MAX + 16

// ----------------------------------------------------------------------------------------------- heartbeats

export const HEARTBEAT_BYTES_MAX = 64
export const HEARTBEAT_MS_MIN = 50
export const HEARTBEAT_MS_MAX = 60_000
/** A stream that could not be opened, or broke, is opened again after so long. */
export const REOPEN_MS = 1_000
export const OPEN_MS_MAX = 10_000
/** Inbound streams of one peer: the one in use, and one that replaces it before its end was noticed. */
export const STREAMS_PER_PEER_MAX = 4
/** Heartbeats under way whose answer may still come: a round trip longer than that is not measured. */
export const ECHOES_MAX = 64
/** The round trip is the mean of about so many, as TCP's is (RFC 6298). */
export const ROUND_TRIP_SHARE = 1 / 8

// ---------------------------------------------------------------------------------------------------- roll

/** Rolls exchanged on meeting and from time to time: what gossip lost is repaired by them. */
export const ROLL_MS = 60_000
export const ROLL_MEET_MS = 250
export const ROLL_FRAME_BYTES_MAX = 65_536
export const ROLL_ENTRIES_MAX = 1_024
export const ROLL_AGE_MS_MAX = 10 * PRESENCE_MS_MAX
export const ROLL_IDLE_MS = 10_000
export const ROLLS_INBOUND_MAX = 8

// --------------------------------------------------------------------------------------------------- probes

/** One asks all members to answer, at most this often. */
export const PROBE_MS = 1_000
/** A node answers and passes on one probe of an asker in this time: less, since two that are PROBE_MS apart may come closer. */
export const PROBE_ANSWER_MS = PROBE_MS / 2
/** Of so many askers in that time; fewer than MEMBER_BURST, or nobody would hear the answers. */
export const PROBE_ASKERS_MAX = 8
/** Answers of many members are spread, so that they do not all come at once: 2 ms for each, up to this. */
export const PROBE_SPREAD_PER_MEMBER_MS = 2
export const PROBE_SPREAD_MS_MAX = 2_000

// ---------------------------------------------------------------------------------------------------- clock

/** This node's clock is reported when it is off the median of its peers by more: what is "latest" depends on it. */
export const OWN_CLOCK_OFF_MS = 5_000
/** With so many peers the median says whose clock it is; with fewer it may be theirs. */
export const OWN_CLOCK_PEERS_SURE = 3
