/**
 * A frontier made ready for comparing: its logs in the order of their hashed keys, and for each the hash of its entry.
 * Hashed keys spread evenly whatever a creator chooses, so that a range is a prefix of a few hex digits, and ranges of both
 * sides divide alike. A fingerprint is a truncated SHA-256 over the entries' hashes in the range: unlike a sum it cannot be
 * steered by who picks the entries. In the manner of negentropy (range-based set reconciliation, Meyer 2023).
 */

import { hash as digest } from 'node:crypto'
import type { LogKey } from '../log/block.ts'
import type { Frontier, FrontierEntry } from '../log/frontier.ts'
import { RANGE_DEPTH_MAX } from './limits.ts'
import { CHILDREN, FINGERPRINT_BYTES } from './wire.ts'

const HASH_BYTES = 32
const DIGITS = Array.from({ length: CHILDREN }, (_, digit) => digit.toString(16))
const NO_LOGS = new Uint8Array(FINGERPRINT_BYTES)

/** Logs from index `start` up to but not including `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** Immutable: a session compares against one while the store moves on. */
export class Summary {
  /** 32 bytes that are equal exactly when the frontiers are. */
  readonly digest: Uint8Array
  readonly #keys: readonly string[]
  readonly #entries: readonly FrontierEntry[]
  readonly #hashes: Buffer

  constructor(keys: readonly string[], entries: readonly FrontierEntry[], hashes: Buffer) {
    this.#keys = keys
    this.#entries = entries
    this.#hashes = hashes
    this.digest = digest('sha256', hashes, 'buffer')
  }

  get size(): number {
    return this.#entries.length
  }

  /** The logs whose hashed key begins with `prefix`. Logarithmic. */
  range(prefix: string): Range {
    return { start: this.#firstFrom(prefix), end: this.#firstFrom(`${prefix}g`) }
  }

  entries({ start, end }: Range): readonly FrontierEntry[] {
    return this.#entries.slice(start, end)
  }

  /** All zero for an empty range. */
  fingerprint({ start, end }: Range): Uint8Array {
    if (start === end) return NO_LOGS
    const bytes = this.#hashes.subarray(start * HASH_BYTES, end * HASH_BYTES)
    return digest('sha256', bytes, 'buffer').subarray(0, FINGERPRINT_BYTES)
  }

  /** The fingerprints of the sixteen ranges into which `prefix` divides. */
  fingerprints(prefix: string): Uint8Array {
    const bytes = new Uint8Array(CHILDREN * FINGERPRINT_BYTES)
    for (const [index, child] of childrenOf(prefix).entries()) {
      bytes.set(this.fingerprint(this.range(child)), index * FINGERPRINT_BYTES)
    }
    return bytes
  }

  #firstFrom(bound: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] as string) < bound) low = middle + 1
      else high = middle
    }
    return low
  }
}

export function childrenOf(prefix: string): readonly string[] {
  return DIGITS.map((digit) => prefix + digit)
}

export function isEmptyFingerprint(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** The place of a log among ranges. */
export function rangeKeyOf(log: LogKey): string {
  return digest('sha256', log, 'hex').slice(0, RANGE_DEPTH_MAX)
}

function entryHash({ log, seq, hash, cut }: FrontierEntry): Uint8Array {
  return digest('sha256', `${log} ${seq ?? ''} ${hash ?? ''} ${cut ?? ''}`, 'buffer')
}

interface Place {
  readonly key: string
  readonly log: LogKey
  entry: FrontierEntry
  hash: Uint8Array
}

/** Makes summaries of one namespace, and hashes again only what changed. Memory: some 300 bytes a log. */
export class Summaries {
  readonly #places = new Map<LogKey, Place>()
  #order: Place[] = []
  #keys: readonly string[] = []

  /** Linear in the logs; ten thousand take some milliseconds. Logs never leave a frontier. */
  of(frontier: Frontier): Summary {
    let grown = false
    for (const entry of frontier) {
      const place = this.#places.get(entry.log)
      if (place === undefined) {
        this.#places.set(entry.log, { key: rangeKeyOf(entry.log), log: entry.log, entry, hash: entryHash(entry) })
        grown = true
      } else if (!unchanged(place.entry, entry)) {
        place.entry = entry
        place.hash = entryHash(entry)
      }
    }
    if (grown) this.#sort()
    const hashes = Buffer.allocUnsafe(this.#order.length * HASH_BYTES)
    for (const [index, { hash }] of this.#order.entries()) hashes.set(hash, index * HASH_BYTES)
    return new Summary(
      this.#keys,
      this.#order.map(({ entry }) => entry),
      hashes,
    )
  }

  #sort(): void {
    this.#order = [...this.#places.values()].sort((a, b) =>
      a.key < b.key ? -1 : a.key > b.key ? 1 : a.log < b.log ? -1 : 1,
    )
    this.#keys = this.#order.map(({ key }) => key)
  }
}

function unchanged(a: FrontierEntry, b: FrontierEntry): boolean {
  return a.seq === b.seq && a.hash === b.hash && a.cut === b.cut
}
