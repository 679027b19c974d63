/**
 * Bytes as they come from a socket, taken apart into lines that end in LF or CRLF, in bounded memory whatever comes. A line
 * without an end is no line: what a broken connection cut off is never taken for a whole one.
 */

/** A line without its end, or that one was too long and has been skipped. */
export type Line = Buffer | 'too long'

const LF = 0x0a
const CR = 0x0d
const HELD_BYTES_MIN = 4_096

export class LineSplitter {
  /** What has come and was not asked for yet. */
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  /** The beginning of a line whose end has not come: doubled as it grows, so that bytes that come singly cost no more. */
  #held: Buffer = Buffer.alloc(0)
  #heldBytes = 0
  #isTooLong = false

  /** Whether all that has come was handed out, but for the beginning of a line. */
  get isEmpty(): boolean {
    return this.#at === this.#chunk.length
  }

  /** Whether the beginning of a line has come, and its end has not. */
  get isInside(): boolean {
    return this.#heldBytes > 0 || this.#isTooLong
  }

  /** May be called once everything before was handed out. */
  push(chunk: Buffer): void {
    this.#chunk = chunk
    this.#at = 0
  }

  /** The next line; undefined when its end has not come. It shares memory with the chunk, and holds until the next `push`. */
  next(lineBytesMax: number): Line | undefined {
    const end = this.#chunk.indexOf(LF, this.#at)
    if (end < 0) {
      this.#hold(this.#chunk.subarray(this.#at), lineBytesMax)
      this.#at = this.#chunk.length
      return undefined
    }
    const rest = this.#chunk.subarray(this.#at, end)
    this.#at = end + 1
    return this.#finish(rest, lineBytesMax)
  }

  #finish(rest: Buffer, lineBytesMax: number): Line {
    if (this.#heldBytes === 0 && !this.#isTooLong) return bounded(withoutCr(rest), lineBytesMax)
    this.#hold(rest, lineBytesMax)
    const line = this.#isTooLong
      ? 'too long'
      : bounded(withoutCr(this.#held.subarray(0, this.#heldBytes)), lineBytesMax)
    this.#isTooLong = false
    this.#heldBytes = 0
    // A long line's memory is not kept for the short ones that follow.
    this.#held = Buffer.alloc(0)
    return line
  }

  #hold(part: Buffer, lineBytesMax: number): void {
    const neededBytes = this.#heldBytes + part.length
    // The CR of its end is no part of the line.
    if (this.#isTooLong || neededBytes > lineBytesMax + 1) {
      this.#isTooLong = true
      this.#held = Buffer.alloc(0)
      this.#heldBytes = 0
      return
    }
    if (neededBytes > this.#held.length) {
      const grown = Buffer.alloc(Math.max(neededBytes, HELD_BYTES_MIN, this.#held.length * 2))
      this.#held.copy(grown, 0, 0, this.#heldBytes)
      this.#held = grown
    }
    part.copy(this.#held, this.#heldBytes)
    this.#heldBytes = neededBytes
  }
}

function bounded(line: Buffer, lineBytesMax: number): Line {
  return line.length > lineBytesMax ? 'too long' : line
}

function withoutCr(line: Buffer): Buffer {
  return line.at(-1) === CR ? line.subarray(0, -1) : line
}
