/** What the HTTP face can be told, with its defaults and limits together. Argv and environment are read in src/cli alone. */

import type { Socket } from 'node:net'
import type { TokenCheck } from '../node/token.ts'

export interface HttpOptions {
  /**
   * TCP port from 0 (any free one) to 65535, or false for no TCP at all. Default: the first free port from `PORT_DEFAULT`
   * on. Given, a taken one is RZ_HTTP_PORT_TAKEN, unless `portFallbackCount` says otherwise.
   */
  readonly port?: number | false
  /** How many ports after `port` may be tried when it is taken. Default: 0 for a given port, else `PORT_FALLBACK_COUNT`. */
  readonly portFallbackCount?: number
  /** Address to listen on. Default `127.0.0.1`. Beyond loopback `token` is required (RZ_HTTP_TOKEN_MISSING). */
  readonly host?: string
  /** Host names under which requests may address this node, beside loopback's and the bound address. Default none. */
  readonly allowHosts?: readonly string[]
  /** Origins (`https://example.org`) whose pages may talk to this node. Default none but its own. */
  readonly allowOrigins?: readonly string[]
  /** Judges bearer tokens (token.ts). Given, every route but those of `/health` needs one. Default: none needed on loopback. */
  readonly token?: TokenCheck
  /**
   * Path of the control socket, which needs no token and is closed to other users. Default: the node's own
   * (control-socket.ts) if it has a directory; false for none.
   */
  readonly socketPath?: string | false
  /** Protocols beside HTTP on the control socket alone. Default none. */
  readonly upgrades?: Upgrades
  /** Who may connect to the node's network, as its status tells. Default `open`. */
  readonly overlay?: 'open' | 'secret' | 'offline'
  /** Hears of failures that are bugs of ours or of the disk; requests get RZ_HTTP_FAILED without their text. */
  readonly onError?: (error: unknown) => void
}

/** By the name of the protocol, who takes the connection. */
export type Upgrades = Readonly<Record<string, (socket: Socket) => void>>

export const HOST_DEFAULT = '127.0.0.1'
export const PORT_DEFAULT = 3_000
export const PORT_FALLBACK_COUNT = 99

/** A JSON body: a block of 1 MiB with room for escapes and base64. */
export const BODY_BYTES_MAX = 4 * 1_048_576
/** One line of an import: the largest delta with room for escapes and base64. */
export const LINE_BYTES_MAX = 1_048_576
/** One percent-encoded part of a path: an id of 1,024 bytes, each as `%xx`, with its collection. */
export const PATH_PART_CHARS_MAX = 4_096
/** Request line and headers. */
export const HEADER_BYTES_MAX = 32_768

/** Items on a page: by default and at most. */
export const PAGE_COUNT_DEFAULT = 1_000
export const PAGE_COUNT_MAX = 10_000
/** A page of deltas ends past this many characters of JSON, however few they are. */
export const PAGE_CHARS_MAX = 4 * 1_048_576

/** What a lossless view or an explanation may take, about: whoever writes deltas decides how much is claimed of an entity. */
export const ANSWER_CHARS_MAX = 32 * 1_048_576

/** With more logs the `Rhizome-Frontier` header is left out: 70 characters each, and clients take headers of 8 KiB in all. */
export const FRONTIER_LOGS_MAX = 64

/** Connections at once; more are refused by the kernel's queue. */
export const CONNECTIONS_MAX = 1_024
/** Streams that follow the log at once; more are RZ_HTTP_BUSY. */
export const FOLLOWERS_MAX = 128
/** Queries that are followed at once, each with up to 128 MiB of rows; more are RZ_HTTP_BUSY. */
export const LIVE_QUERIES_MAX = 16
/** Streams say something at least this often, so that both ends notice a dead connection. */
export const HEARTBEAT_MS = 15_000
/** A connection on which nothing moves is cut: four heartbeats. */
export const IDLE_MS = 60_000
/** Headers must have arrived by then. */
export const HEADERS_MS = 10_000
/** What is still being answered at closing has this long; then it is cut. Closing is promised within 2 s. */
export const CLOSE_GRACE_MS = 1_000
/** Lines gathered into one write to a stream. */
export const CHUNK_CHARS_MAX = 32_768

/** Records of an import that may wait for their commit at once; the reader of the request waits meanwhile. */
export const IMPORT_PENDING_MAX = 2_048
/** The same in bytes of their lines. */
export const IMPORT_PENDING_BYTES_MAX = 4 * 1_048_576
/** Failed lines that an import's answer lists; the rest is counted. */
export const IMPORT_FAILED_LISTED_MAX = 1_000
