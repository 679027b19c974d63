/**
 * One side of comparing two frontiers, in turns: ranges that differ are divided, until they are small enough to be listed;
 * of what is listed each side tells where it holds more. A machine without I/O; session.ts moves its frames.
 */

import { type FrontierEntry, sameEntry } from '../log/frontier.ts'
import type { LogKey } from '../log/block.ts'
import { RhizomeError } from '../errors.ts'
import { COMPARE_ITEMS_MAX, FRAME_ENTRIES_MAX, FRONTIER_LOGS_MAX, RANGE_DEPTH_MAX, RANGE_LOGS_MAX } from './limits.ts'
import { childrenOf, isEmptyFingerprint, rangeKeyOf, type Summary } from './summary.ts'
import { wantOf } from './want.ts'
import { type CompareItem, FINGERPRINT_BYTES, type Frame } from './wire.ts'

/** A tree item is as large as three entries. */
const TREE_WEIGHT = 3

export class Comparing {
  readonly #summary: Summary
  readonly #onClaim: (claimed: FrontierEntry) => void
  #turn: 'ours' | 'theirs' | 'over'
  #peerItems = 0
  #lastPrefix: string | undefined
  /** What our next turn will say: described, and encoded when there is room to send it. */
  readonly #items: { readonly prefix: string; readonly as: 'tree' | 'list' }[] = []
  readonly #claims: FrontierEntry[] = []

  constructor(summary: Summary, turn: 'ours' | 'theirs', onClaim: (claimed: FrontierEntry) => void) {
    this.#summary = summary
    this.#turn = turn
    this.#onClaim = onClaim
  }

  /** True when neither side has anything left to answer. */
  get over(): boolean {
    return this.#turn === 'over'
  }

  /** Begins with the whole frontier: listed if that is short, else divided; claimed whole to a peer that holds nothing. */
  open(peerLogs: number): void {
    if (peerLogs === 0) this.claimOnly(this.#summary.entries(''))
    else this.#items.push({ prefix: '', as: this.#summary.size <= FRONTIER_LOGS_MAX ? 'list' : 'tree' })
  }

  /** Begins and ends with heads that the peer may lack. */
  claimOnly(entries: readonly FrontierEntry[]): void {
    // One by one: a call takes no hundred thousand arguments.
    for (const entry of entries) this.#claims.push(entry)
  }

  /** Takes a frame of the peer's turn. Throws RZ_SYNC_FRAME_INVALID when it is not the peer's turn. */
  receive(frame: Frame & { readonly kind: 'compare' | 'claims' | 'turn' }): void {
    if (this.#turn !== 'theirs') throw invalid('it is not its turn to compare')
    switch (frame.kind) {
      case 'compare':
        return frame.items.forEach((item) => this.#answer(item))
      case 'claims':
        return frame.entries.forEach(this.#onClaim)
      case 'turn':
        this.#turn = frame.final ? 'over' : 'ours'
        this.#lastPrefix = undefined
        this.#peerItems = 0
    }
  }

  /** The next frame of our turn; undefined when it is not ours. */
  next(): Frame | undefined {
    if (this.#turn !== 'ours') return undefined
    if (this.#claims.length > 0) return { kind: 'claims', entries: this.#claims.splice(0, FRAME_ENTRIES_MAX) }
    if (this.#items.length > 0) return { kind: 'compare', items: this.#takeItems() }
    const final = !this.#asked
    this.#asked = false
    this.#turn = final ? 'over' : 'theirs'
    return { kind: 'turn', final }
  }

  /** Whether this turn has said anything that wants an answer. */
  #asked = false

  #takeItems(): readonly CompareItem[] {
    this.#asked = true
    const items: CompareItem[] = []
    for (let weight = 0; weight < FRAME_ENTRIES_MAX;) {
      const next = this.#items.shift()
      if (next === undefined) break
      const { prefix, as } = next
      if (as === 'tree') {
        items.push({ kind: 'tree', prefix, fingerprints: this.#summary.fingerprints(prefix) })
        weight += TREE_WEIGHT
      } else {
        const entries = this.#summary.entries(prefix)
        items.push({ kind: 'list', prefix, entries })
        weight += 1 + entries.length
      }
    }
    return items
  }

  #answer(item: CompareItem): void {
    const { prefix } = item
    // Ranges that do not overlap, in order: so one turn makes us tell each log of ours once at the most.
    const last = this.#lastPrefix
    if (last !== undefined && (prefix <= last || prefix.startsWith(last))) throw invalid('ranges that overlap')
    this.#lastPrefix = prefix
    if (++this.#peerItems > COMPARE_ITEMS_MAX) throw invalid('too many ranges')
    if (item.kind === 'tree') this.#divide(prefix, item.fingerprints)
    else this.#compareList(prefix, item.entries)
  }

  #divide(prefix: string, theirs: Uint8Array): void {
    for (const [index, child] of childrenOf(prefix).entries()) {
      const fingerprint = theirs.subarray(index * FINGERPRINT_BYTES, (index + 1) * FINGERPRINT_BYTES)
      if (Buffer.compare(this.#summary.fingerprint(child), fingerprint) === 0) continue
      this.#tell(child, isEmptyFingerprint(fingerprint))
    }
  }

  #tell(prefix: string, peerHasNone: boolean): void {
    if (peerHasNone) for (const entry of this.#summary.entries(prefix)) this.#claims.push(entry)
    else if (this.#summary.count(prefix) <= RANGE_LOGS_MAX || prefix.length >= RANGE_DEPTH_MAX)
      this.#items.push({ prefix, as: 'list' })
    else this.#items.push({ prefix, as: 'tree' })
  }

  #compareList(prefix: string, entries: readonly FrontierEntry[]): void {
    const theirs = new Map<LogKey, FrontierEntry>()
    for (const entry of entries) {
      if (!rangeKeyOf(entry.log).startsWith(prefix)) throw invalid('a log outside of its range')
      theirs.set(entry.log, entry)
    }
    for (const held of this.#summary.entries(prefix)) {
      const entry = theirs.get(held.log)
      theirs.delete(held.log)
      if (entry !== undefined && sameEntry(entry, held)) continue
      if (entry !== undefined) this.#onClaim(entry)
      if (wantOf(entry, held) !== undefined) this.#claims.push(held)
    }
    for (const entry of theirs.values()) this.#onClaim(entry)
  }
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_SYNC_FRAME_INVALID', `out of turn in comparing: ${why}`)
}
