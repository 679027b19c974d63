/**
 * A frontier made ready for comparing: a tree over the hashed keys of its logs, in which a log that changed costs the few
 * nodes above it. Hashed keys spread evenly whatever a creator chooses, so that a range is a prefix of a few hex digits, and
 * ranges of both sides divide alike. A range's fingerprint is a truncated SHA-256 over its entries if they are few, else over
 * those of its sixteen parts: it depends on what is in the range alone, never on the order in which it came, and unlike a
 * sum it cannot be steered by who picks the entries. In the manner of negentropy (range-based set reconciliation, Meyer 2023)
 * and of Merkle search trees (Auvolat 2019).
 */

import { hash as digest } from 'node:crypto'
import type { LogKey } from '../log/block.ts'
import type { FrontierEntry } from '../log/frontier.ts'
import { RANGE_DEPTH_MAX } from './limits.ts'
import { CHILDREN, FINGERPRINT_BYTES } from './wire.ts'

const HASH_BYTES = 32
/** Entries that are hashed together: part of what fingerprints mean, so both sides must have it alike. */
const FLAT_LOGS_MAX = 16
const DIGITS = Array.from({ length: CHILDREN }, (_, digit) => digit.toString(16))
const NO_LOGS = new Uint8Array(HASH_BYTES)

interface Place {
  readonly key: string
  readonly entry: FrontierEntry
}

/** Never changed, only replaced; `hash` is computed when first asked for. */
type Node =
  /** In the order of keys, then logs. More than `FLAT_LOGS_MAX` only where a whole key is shared. */
  | { readonly kind: 'leaf'; readonly size: number; readonly places: readonly Place[]; hash?: Uint8Array }
  | { readonly kind: 'branch'; readonly size: number; readonly children: readonly Node[]; hash?: Uint8Array }

const EMPTY: Node = { kind: 'leaf', size: 0, places: [] }
const EMPTY_CHILDREN: readonly Node[] = DIGITS.map(() => EMPTY)

/** Immutable: a session compares against one while the store moves on. A range is named by its prefix. */
export class Summary {
  readonly #root: Node

  constructor(root: Node) {
    this.#root = root
  }

  get size(): number {
    return this.#root.size
  }

  /** 32 bytes that are equal exactly when the frontiers are. */
  get digest(): Uint8Array {
    return hashOf(this.#root)
  }

  /** How many logs are in the range. Logarithmic. */
  count(prefix: string): number {
    return nodeAt(this.#root, prefix).size
  }

  /** In the order of their keys. */
  entries(prefix: string): readonly FrontierEntry[] {
    return placesOf(nodeAt(this.#root, prefix)).map(({ entry }) => entry)
  }

  /** All zero for an empty range. */
  fingerprint(prefix: string): Uint8Array {
    return hashOf(nodeAt(this.#root, prefix)).subarray(0, FINGERPRINT_BYTES)
  }

  /** The fingerprints of the sixteen ranges into which `prefix` divides. */
  fingerprints(prefix: string): Uint8Array {
    const bytes = new Uint8Array(CHILDREN * FINGERPRINT_BYTES)
    for (const [index, child] of childrenOf(prefix).entries()) {
      bytes.set(this.fingerprint(child), index * FINGERPRINT_BYTES)
    }
    return bytes
  }
}

/** Makes summaries of one namespace. Memory: some 100 bytes a log beside the entry itself. */
export class Summaries {
  #root: Node = EMPTY

  /** The one before with these entries put in or replaced. Logs never leave a frontier. */
  of(changed: readonly FrontierEntry[]): Summary {
    const places = changed.map((entry) => ({ key: rangeKeyOf(entry.log), entry }))
    this.#root = withPlaces(this.#root, places, 0)
    return new Summary(this.#root)
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

// ------------------------------------------------------------------------------------------------------ the tree

function withPlaces(node: Node, places: readonly Place[], depth: number): Node {
  if (places.length === 0) return node
  if (node.kind === 'branch') return withParts(node.children, places, depth)
  const few = node.size + places.length <= FLAT_LOGS_MAX
  if (few || depth === RANGE_DEPTH_MAX) return leafWith(node.places, places)
  return withParts(EMPTY_CHILDREN, [...node.places, ...places], depth)
}

function withParts(children: readonly Node[], places: readonly Place[], depth: number): Node {
  const parts = DIGITS.map((): Place[] => [])
  for (const place of places) parts[Number.parseInt(place.key.charAt(depth), CHILDREN)]?.push(place)
  const next = children.map((child, digit) => withPlaces(child, parts[digit] ?? [], depth + 1))
  return { kind: 'branch', size: next.reduce((sum, { size }) => sum + size, 0), children: next }
}

function leafWith(held: readonly Place[], places: readonly Place[]): Node {
  const byLog = new Map(held.map((place) => [place.entry.log, place]))
  for (const place of places) byLog.set(place.entry.log, place)
  const all = [...byLog.values()].sort(comparePlaces)
  return { kind: 'leaf', size: all.length, places: all }
}

function comparePlaces(a: Place, b: Place): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return a.entry.log < b.entry.log ? -1 : 1
}

function nodeAt(root: Node, prefix: string): Node {
  let node = root
  for (const digit of prefix) {
    if (node.kind === 'leaf') {
      const places = node.places.filter(({ key }) => key.startsWith(prefix))
      return { kind: 'leaf', size: places.length, places }
    }
    node = node.children[Number.parseInt(digit, CHILDREN)] ?? EMPTY
  }
  return node
}

function placesOf(node: Node): readonly Place[] {
  if (node.kind === 'leaf') return node.places
  const places: Place[] = []
  for (const child of node.children) for (const place of placesOf(child)) places.push(place)
  return places
}

function hashOf(node: Node): Uint8Array {
  if (node.size === 0) return NO_LOGS
  node.hash ??=
    node.kind === 'leaf' || node.size <= FLAT_LOGS_MAX ? flatHash(placesOf(node)) : branchHash(node.children)
  return node.hash
}

/** A text begins with a creator and so never as a branch does: with a zero byte. */
function flatHash(places: readonly Place[]): Uint8Array {
  const text = places.map(({ entry: { log, seq, hash, cut } }) => `${log} ${seq ?? ''} ${hash ?? ''} ${cut ?? ''}\n`)
  return digest('sha256', text.join(''), 'buffer')
}

function branchHash(children: readonly Node[]): Uint8Array {
  const bytes = new Uint8Array(1 + CHILDREN * HASH_BYTES)
  for (const [index, child] of children.entries()) bytes.set(hashOf(child), 1 + index * HASH_BYTES)
  return digest('sha256', bytes, 'buffer')
}
