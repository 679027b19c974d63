/** Every limit and interval of shards on one node, each with its reason. */

/** How often it is looked whether shards were placed, are taken over, or are held by nobody. */
export const TURN_MS = 1_000
/** Nobody else is known to hold a shard for so long: who takes it over is its holder. Presences come within a second. */
export const ALONE_MS = 3_000
/** After its start a node waits so long for presences before it says that nobody holds a shard. */
export const START_MS = 5_000
/** Every holder is asked once in a round; they may be starting, or just gone. */
export const ROUNDS_MAX = 3
export const ROUND_MS = 400
/** What is asked in one turn goes as one question, so many at most and so large, below the limit of a question. */
export const GATHERED_MAX = 256
export const GATHERED_BYTES_MAX = 524_288
/** Bytes of own blocks carried to a holder at once. */
export const CARRIED_BYTES_MAX = 524_288
/** A holder's receipt is waited for so long, unless the write says otherwise. */
export const RECEIPT_MS = 5_000
/** Namespaces and shards held at once: four topics each, and a peer follows about 1,000. */
export const HELD_MAX = 192
/** Dropping waits so long for another holder to have everything. */
export const DROP_MS = 30_000
export const DROP_AGAIN_MS = 250
/** Logs asked about in one question: as many as a receipt holds. */
export const HOLD_LOGS_MAX = 256
/** Records of all collections that one query over several shards may bring together here. */
export const ACROSS_RECORDS_MAX = 50_000
/** Ids that one question may ask for. */
export const IDS_ASKED_MAX = 10_000
/** Records told of in one answer to who follows a shard, and how long they may take to find: then the rest is asked for. */
export const TOLD_MAX = 4_096
export const TOLD_MS = 10
/** Ids of a shard's records asked for at once, by who looks at all of them. */
export const KNOWN_MAX = 1_000
/** Where more shards of one holder are followed than it lets wait at once, they take turns of so long. */
export const TURNS_MS = 250
/** A holder that answers without anything to tell is asked again no sooner. */
export const FOLLOW_PACE_MS = 20
/** When following was not answered it is asked again after so long. */
export const FOLLOW_AGAIN_MS = 1_000
/** A watched query over several parts is run again no sooner, nor before as much time has passed as its last run took. */
export const RUN_AGAIN_MS = 500
/** Rows of one that are remembered here, to tell what has changed. */
export const ROWS_WATCHED_MAX = 100_000
/** Records that a watcher has been told of and not read yet; past that it looks at all records instead. */
export const PENDING_MAX = 8_192
/** Records that a watcher, or a walk over views, reads at once from other nodes: they are held until they have been handed out. */
export const READ_AHEAD = 16
