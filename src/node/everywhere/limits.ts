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
