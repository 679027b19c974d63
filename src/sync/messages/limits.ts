/** Every limit of messages that are not data, each with its reason. */

export const MESSAGE_VERSION = 0
/** Of a whole message, as it is sent: small enough to be passed on at once, and no way to move files. */
export const MESSAGE_BYTES_MAX = 16_384
/**
 * How far a message's date may be off the receiver's clock, either way. Shorter would silence nodes whose clocks are a little
 * off; longer must remember longer what was heard. A node that is off by more hears nobody, and says so (own-clock.ts).
 */
export const MESSAGE_AGE_MS_MAX = 60_000

/** What a node may send: a cursor that moves, a word now and then. */
export const SENT_BURST = 32
export const SENT_PER_SECOND = 16
/** Twice that is taken of each sender: gossip bunches what was sent evenly. A flood stops at the first neighbour. */
export const SENDER_BURST = 64
export const SENDER_PER_SECOND = 32
/** What one neighbour passes on: sixteen senders at their full rate, 256 signature checks a second. */
export const NEIGHBOUR_BURST = 1_024
export const NEIGHBOUR_PER_SECOND = 256
/** Senders whose rates are remembered. */
export const SENDERS_MAX = 4_096
/** Messages remembered so that none is delivered twice: some 16 MB in two generations. Past it the older go early. */
export const HEARD_MAX = 65_536
