/** What the text face can be told, with its defaults and limits together. Argv and environment are read in src/cli alone. */

import type { TokenCheck } from '../node/token.ts'

export interface TextOptions {
  /** TCP port from 0 (any free one) to 65535. A taken one is RZ_TEXT_PORT_TAKEN. */
  readonly port: number
  /** Address to listen on. Default `127.0.0.1`. Beyond loopback `token` is required (RZ_TEXT_TOKEN_MISSING). */
  readonly host?: string
  /** Judges the token of `AUTH` (node/token.ts). Given, the first line must be that. Default: none needed on loopback. */
  readonly token?: TokenCheck
  /** Some of the limits otherwise than `DEFAULT_LIMITS`: for tests, which would wait for minutes. */
  readonly limits?: Partial<TextLimits>
  /** Hears of failures that are bugs of ours or of the disk; the client is told the code alone. */
  readonly onError?: (error: unknown) => void
}

export interface TextLimits {
  /** A line, without its end. A longer one is skipped and answered RZ_TEXT_TOO_LONG. */
  readonly lineBytesMax: number
  /** The same until the token has been shown: strangers get no memory. */
  readonly strangerLineBytesMax: number
  /** Connections at once; one more is answered RZ_TEXT_BUSY and closed. */
  readonly connectionsMax: number
  /** Lines of one connection that are being answered at once; no more of it is read meanwhile. */
  readonly pipelineMax: number
  /** The same in bytes of their lines. */
  readonly pipelineBytesMax: number
  /** Buckets that are watched at once, by all connections; one more is answered RZ_TEXT_BUSY. */
  readonly watchesMax: number
  /** Silence after which a connection is told RZ_TEXT_IDLE and closed, milliseconds. */
  readonly idleMs: number
  /** A client that has answers to read, and takes none for so long, is cut. Milliseconds. */
  readonly stalledMs: number
  /** The token must have been shown by then. Milliseconds. */
  readonly strangerMs: number
  /** A bucket that is watched says an empty line at least this often, so that both ends notice a dead connection. */
  readonly heartbeatMs: number
}

export const HOST_DEFAULT = '127.0.0.1'

export const DEFAULT_LIMITS: TextLimits = {
  // The largest delta (512 KiB) with room for JSON's escapes and base64; as a line of HTTP's import.
  lineBytesMax: 1_048_576,
  // A token has 46 bytes.
  strangerLineBytesMax: 256,
  // Each may hold a line of `lineBytesMax`: 256 MiB if all of them do at once.
  connectionsMax: 256,
  // Writes under way share a block, which takes 1,024 deltas (node/writer.ts).
  pipelineMax: 1_024,
  pipelineBytesMax: 4_194_304,
  // As many as HTTP lets follow the log.
  watchesMax: 128,
  // A person may think for a while; longer than the keep-alive of any firewall helps nobody.
  idleMs: 900_000,
  // As HTTP: nothing moves for four heartbeats.
  stalledMs: 60_000,
  strangerMs: 10_000,
  heartbeatMs: 15_000,
}

/** What is still being answered at closing has this long; then it is cut. Closing a node is promised within 2 s. */
export const CLOSE_GRACE_MS = 1_000
/** Output gathered into one write to a socket. */
export const CHUNK_CHARS_MAX = 65_536
/** What a read that is not answered at once counts as, among the bytes under way: so many of them are asked at a time. */
export const READ_BYTES = 65_536
/** How long one connection may keep all others waiting. */
export const TURN_MS = 5
/** Rows asked for at once: a page as large as a query may be, since each page of an ordered query sorts all rows anew. */
export const PAGE_ROWS = 10_000
/** Keys asked for at once. */
export const PAGE_KEYS = 1_000
/** Deletions of a statement under way at once: a block's worth. */
export const DELETIONS_MAX = 1_024

/** Words, values and punctuation of a statement. */
export const TOKENS_MAX = 4_096
/** Levels of JSON in a statement; queries and deltas allow fewer. Keeps every recursion over it shallow. */
export const JSON_DEPTH_MAX = 64
/** Joins of a statement: a query nests 32 operators deep, of which three may stand around the joins. */
export const JOINS_MAX = 16
