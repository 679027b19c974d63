/** Every limit and interval of questions to other nodes, each with its reason. */

export const QUESTION_PROTOCOL = '/rhizome/query/1'
export const QUESTION_VERSION = 1

/** A run of blocks (1 MiB) with room for its envelope. */
export const QUESTION_BYTES_MAX = 1_310_720
export const WORD_BYTES_MAX = 32
/** A frame of an answer is sent once it has so many bytes of items: some 10 ms of work for who reads it. */
export const PART_BYTES = 131_072
/** One item, a record say: what one frame of the network holds, less its envelope. */
export const ITEM_BYTES_MAX = 2_097_152
export const PART_ITEMS_MAX = 4_096
/** What one answer may have in all: it is kept until it is whole. */
export const ANSWER_BYTES_MAX = 67_108_864
export const ANSWER_ITEMS_MAX = 262_144
export const ITEM_LIMITS = { depthMax: 48, itemsMax: 262_144, copyBytes: true } as const
export const FAULT_TEXT_BYTES_MAX = 4_096

/** Asked at once: of one peer as many as it answers at once; the others wait. */
export const ASKED_PER_PEER_MAX = 16
export const ASKED_MAX = 64
export const WAITING_MAX = 4_096
/** Answered at once, in all and to one peer. */
export const ANSWERED_MAX = 64
export const ANSWERED_PER_PEER_MAX = 16

/**
 * Questions that wait for something to happen are counted apart, or following a few shards would keep ordinary ones waiting.
 * With those of one peer they are fewer than the streams that a connection takes (32).
 */
export const LATER_PER_PEER_MAX = 8
export const LATER_MAX = 256
/** They are answered after so long even where nothing happened: well before they would count as unanswered. */
export const LATER_MS_MAX = 5_000

/** A frame is sent after so long a work on its items, however few they are: others get their turn. */
export const PART_MS = 10
/** What answering one peer may take of this node's time: so much at once, and this share from then on; what is more waits. */
export const WORK_BURST_MS = 5_000
export const WORK_SHARE = 0.5
export const WORK_LOOK_MS = 50

export const OPEN_MS_MAX = 3_000
/** Without a frame for so long another holder is asked: longer than a query may take that keeps within its limits. */
export const ANSWER_IDLE_MS = 10_000
/** However much comes. */
export const ANSWER_MS_MAX = 120_000
/** From the opening of a stream to its question. */
export const QUESTION_MS_MAX = 5_000
