/**
 * What happened before what, by the clocks of the log. A frontier is a vector clock with a component for each log (Mattern,
 * "Virtual Time and Global States of Distributed Systems", 1989): comparing two tells exactly which of the moments saw the
 * other. A block's time is a Lamport clock (Lamport 1978): earlier for whatever happened before, but an earlier time proves
 * nothing; so it only rules out.
 */

import { compareTime } from '../delta/clock.ts'
import type { Header, LogKey } from './block.ts'

/** Of each log the sequence number of its last block; a log that is not named has none. */
export type VectorClock = ReadonlyMap<LogKey, number>

/** Of two moments: the same, one that saw all of the other and more, or neither. */
export type Order = 'same' | 'before' | 'after' | 'concurrent'

/** How `a` stands to `b`. Linear in the logs. */
export function compareClocks(a: VectorClock, b: VectorClock): Order {
  const isWithin = (one: VectorClock, other: VectorClock): boolean => {
    for (const [log, seq] of one) if (seq > (other.get(log) ?? -1)) return false
    return true
  }
  const [isBefore, isAfter] = [isWithin(a, b), isWithin(b, a)]
  if (isBefore && isAfter) return 'same'
  if (isBefore) return 'before'
  return isAfter ? 'after' : 'concurrent'
}

/** Where a block stands, and what it says of others. */
export interface CausalBlock {
  readonly log: LogKey
  readonly header: Pick<Header, 'seq' | 'time' | 'dependencies'>
}

/** Blocks of `log` from `fromSeq` up to and with `toSeq` as they are held, newest first. */
export type BlocksBack = (log: LogKey, fromSeq: number, toSeq: number) => Iterable<CausalBlock>

/**
 * Whether the author of `later` had seen `earlier`: it is of the same log and before it, or some chain of dependencies leads
 * there. Looks at blocks between the two, by their times; undefined when it takes more than `blocksMax` of them. An author
 * that had seen more than 64 other heads names the newest alone, so of those it may answer false.
 */
export function hasSeen(
  later: CausalBlock,
  earlier: CausalBlock,
  { blocksBack, blocksMax }: { readonly blocksBack: BlocksBack; readonly blocksMax: number },
): boolean | undefined {
  const { time, seq: wanted } = earlier.header
  /** Of each log up to where it was looked at. */
  const looked = new Map<LogKey, number>()
  const open = [{ log: later.log, seq: later.header.seq }]
  let left = blocksMax
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { log, seq } = place
    if (log === earlier.log && seq >= wanted) return true
    const from = (looked.get(log) ?? -1) + 1
    if (seq < from) continue
    looked.set(log, seq)
    for (const { header } of blocksBack(log, from, seq)) {
      if (left-- === 0) return undefined
      // What happened before it has an earlier time still, and that of `earlier` is not.
      if (compareTime(header.time, time) <= 0) break
      open.push(...header.dependencies)
    }
  }
  return false
}
