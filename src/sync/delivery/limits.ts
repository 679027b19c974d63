/** Every limit and interval of receipts, each with its reason. */

export const RECEIPT_VERSION = 0
/** 256 logs at 100 bytes each, with room for the envelope. */
export const RECEIPT_BYTES_MAX = 32_768
/** Logs in one message; more come in the next. */
export const RECEIPT_LOGS_MAX = 256
/** Holders that one want names: what it can set off is bounded by it. A declared list has no more members. */
export const WANT_HOLDERS_MAX = 64

/** A holder answers for so long after it was asked, each time it holds more; and may be asked for longer by nobody. */
export const WANT_FOR_MS = 10_000
export const WANT_FOR_MS_MAX = 60_000
/** Who waits asks again after so long, doubled each time: gossip may lose the question, the answer, or both. */
export const WANT_AGAIN_MS = 250
export const WANT_AGAIN_MS_MAX = 4_000
/** What is to be asked is gathered for so long after a message; the first never waits. */
export const WANT_EVERY_MS = 100
/** As for wants: whoever asks, and however many do, one node sends 40 receipts a second at most. */
export const RECEIPT_EVERY_MS = 25

/** Askers that are answered at once; past it the one whose asking ends first is forgotten, and asks again. */
export const ASKERS_MAX = 256
/** Logs that one asker is answered about. */
export const ASKED_LOGS_MAX = 1_024
/** Logs about which receipts are owed, until the next is sent. */
export const OWED_LOGS_MAX = 4_096
/** How often it is looked whether anybody still asks. */
export const WANTS_LOOK_MS = 1_000
/** Logs whose holders are remembered: some 20 MB with 64 holders each. The longest untouched is asked about again. */
export const HOLDINGS_LOGS_MAX = 4_096
/** Receipts for blocks that are not here yet, of one holder and log: the newest replaces the last. */
export const UNPROVEN_MAX = 8

/** A holder sends 40 a second at most, and a question now and then. A flood stops at the first neighbour. */
export const SENDER_BURST = 96
export const SENDER_PER_SECOND = 64
/** What one neighbour passes on: 64 holders that answer at their full rate. */
export const NEIGHBOUR_BURST = 4_096
export const NEIGHBOUR_PER_SECOND = 2_560
/** Senders whose numbers and rates are remembered. */
export const SENDERS_MAX = 4_096
/** Gossip reorders: a message may be so many numbers behind the newest of its sender; what is older is a replay. */
export const REPLAY_WINDOW = 64
/** Numbers that are reserved by one note in the store. */
export const NUMBERS_RESERVED = 65_536
