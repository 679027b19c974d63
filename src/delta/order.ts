/**
 * The orders that every node agrees on: of deltas, (time, creator, log, seq, index); of text, its UTF-8 bytes.
 * No locale, no order of arrival. design.md 3, Time, and 5.
 */

import { compareTime } from './clock.ts'
import type { Delta } from './delta.ts'

export function compareDeltas(a: Delta, b: Delta): number {
  return (
    compareTime(a.time, b.time) ||
    compareText(a.creator, b.creator) ||
    compareText(a.log, b.log) ||
    a.seq - b.seq ||
    a.index - b.index ||
    // Only the two sides of a fork come this far; they never stand in one view, but the order stays total.
    compareText(a.id, b.id)
  )
}

/** By code units: ids here are ASCII, so this is the order of their bytes, in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Negative, zero or positive as the UTF-8 bytes of `a` come before, equal or come after those of `b`. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** UTF-8 puts what UTF-16 writes as a surrogate pair after every other code point. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit
}
