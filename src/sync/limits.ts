/** Every limit and interval of the room in one place, each with its reason. design.md 4 names some of them. */

export const SYNC_PROTOCOL = '/rhizome/sync/1'
/** Version of the frames on a stream and of the messages on a topic. */
export const SYNC_VERSION = 1
export const GOSSIP_VERSION = 0

// ------------------------------------------------------------------------------------------------- gossip

/** A valid block that leaves a gap waits for the missing one: so many per log, so many bytes in all. design.md 4. */
export const GAP_BLOCKS_PER_LOG_MAX = 16
export const GAP_BYTES_MAX = 8 * 1_048_576
/** GossipSub reorders by a few milliseconds; a gap that lasts longer is a loss, and sync starts. design.md 4. */
export const GAP_MS = 50
/** Accepted and not yet committed. Beyond it messages are dropped here (not for others), and sync makes it good. */
export const INBOX_BYTES_MAX = 8 * 1_048_576
export const INBOX_RUNS_MAX = 4_096
/** After a commit the inbox gathers for so long, so that a burst is committed in batches; the first never waits. */
export const INBOX_GATHER_MS = 1
/** Runs per transaction: some 10 ms of work, so that timers and sockets get their turn. */
export const INBOX_BATCH_RUNS_MAX = 256
/** Payload of one announcement: below the limit of a message with room for its envelope. */
export const ANNOUNCED_RUN_BYTES_MAX = 60_000
/** After a message what is committed is gathered for so long, unless it fills the next; the first never waits. */
export const ANNOUNCE_GATHER_MS = 1
/** Committed and not yet published, in bytes: past it the pump waits for the network. */
export const ANNOUNCE_QUEUE_BYTES_MAX = 4 * 1_048_576
/** Changes looked at in one go. */
export const ANNOUNCE_READ_MAX = 512
/** The durable cursor of announcements is written at most this often: what lies between is announced twice, harmlessly. */
export const ANNOUNCED_NOTE_MS = 1_000
/** Logs of which a header dated too far ahead is remembered. */
export const FUTURE_LOGS_MAX = 1_000
/** How often it is looked whether one is due: a wall clock may be set, and timers have a maximum. */
export const FUTURE_CHECK_MS = 3_600_000

/**
 * Logs of one creator in a namespace, past which it is reported, and again at each doubling. An honest owner begins one for
 * each device, restore and unclean stop: some hundreds in years. It is a warning and no bound: which logs come first differs
 * from node to node, so that nodes which refused the rest would hold different sets for good; nor would it stop anybody, since
 * keys cost nothing. What many logs cost is bounded instead: a change costs the same however many there are (summary.ts).
 */
export const LOGS_PER_CREATOR_REPORTED = 4_096

// ------------------------------------------------------------------------------------------------- sessions

export const PEER_NAME_BYTES_MAX = 256
/** Logs changed since the last contact that are told one by one; more, and the frontiers are compared. */
export const CHANGED_LOGS_MAX = 256
/** Changes that are read to find them. */
export const CHANGES_READ_MAX = 1_024
export const CHANGES_READ_BYTES_MAX = 1_048_576
/**
 * A range with at most so many logs is listed whole, at 90 bytes a log; a larger one is told by 16 fingerprints of
 * 272 bytes in all. At the top of the tree the whole frontier goes in one round trip up to `FRONTIER_LOGS_MAX`, where
 * ranges would save bytes and cost three.
 */
export const RANGE_LOGS_MAX = 8
export const FRONTIER_LOGS_MAX = 500
/** Hex digits of the hashed key of a log: where ranges stop being divided. */
export const RANGE_DEPTH_MAX = 16
/** Items of one side's turn in comparing: the tree's fourth level. A peer that sends more is at fault. */
export const COMPARE_ITEMS_MAX = 65_536
/** Entries or items in one frame: some 100 KB. */
export const FRAME_ENTRIES_MAX = 1_000
/** Logs that one session asks for; the next session goes on from there. */
export const SESSION_WANTS_MAX = 20_000
/** Logs asked for at once, and thereby reserved to one session. */
export const WANTS_PER_FRAME_MAX = 256
/** A log may be fetched by another session when nothing of it came for so long, or after so long in any case. */
export const RESERVATION_IDLE_MS = 5_000
export const RESERVATION_MS_MAX = 60_000
/** Payload of one frame of blocks: some 10 ms of work for who receives it. */
export const RUNS_FRAME_BYTES_MAX = 131_072
/** A log that lacks more blocks than this is told by its signed head before the blocks come. */
export const HEAD_FIRST_BLOCKS = 64
/** Comparing again within a session, when the digests differ after all. */
export const SESSION_ROUNDS_MAX = 3

/** Without a frame sent or received for so long a session is given up. */
export const SESSION_IDLE_MS = 15_000
/** However busy it is: what was committed counts, and the next goes on. */
export const SESSION_MS_MAX = 600_000
export const SESSION_OPEN_MS = 10_000
export const SESSIONS_INBOUND_MAX = 64
/** Streams on which a peer has not said hello yet: a few namespaces at once. */
export const GREETINGS_PER_PEER_MAX = 8
export const SESSIONS_OUTBOUND_MAX = 16

// ------------------------------------------------------------------------------------------------- peers

export const DEFAULT_INTERVAL_MS = 10_000
/** Of two peers that meet the one with the larger id waits so long for the other to open the session. */
export const TIE_BREAK_MS = 300
/** While something is lacking: doubled with each session that brings nothing, up to the interval. */
export const RETRY_MS = 125
/** What came by sync is offered to others after so long: neighbours in a line have no gossip of it. */
export const SPREAD_MS = 20
/** In sync is said of a peer for so many intervals after the last completed session. */
export const IN_SYNC_INTERVALS = 3
/** A log that a peer claims and does not serve is passed over for so long, doubled each time, up to the maximum. */
export const PASS_OVER_MS = 5_000
export const PASS_OVER_MS_MAX = 600_000
export const PASSED_OVER_MAX = 10_000
/** Peers of which it is noted how far we got with them: whoever is forgotten is compared with anew. */
export const SYNCED_PEERS_MAX = 256
/** Signed heads that are known and lacked, remembered to count by how much this node is behind. */
export const KNOWN_HEADS_MAX = 20_000
/** Of one peer: more logs than one session fetches at once many times over, and no room for one peer to fill it all. */
export const KNOWN_HEADS_PER_PEER_MAX = 1_000
/**
 * What one head may add to `behind`. Who signs a head may put any number into it; a longer log counts as so many until its
 * blocks come, so that the figure says "at least" and its sum stays exact.
 */
export const HEAD_BLOCKS_COUNTED_MAX = 1_000_000
/** Heads looked at again whenever the status is asked for: some 10 µs. */
export const HEADS_REVIEWED = 64
/** Syncs with a peer that showed a head and did not have its blocks, before that is held against it. */
export const MISSES_MAX = 4
/** A signed head that no connected peer holds stops counting after so long: its blocks may be gone for good. */
export const ORPHANED_HEAD_MS = 60_000
/** Many changes within this time are one change of status. */
export const STATUS_GATHER_MS = 5
/** A peer's clock that is further off than blocks may be ahead keeps its blocks, or ours, from being admitted. */
export const CLOCK_OFFSET_REPORT_MS = 5 * 60_000
