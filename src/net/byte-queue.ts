/** Bytes that arrive in chunks and leave in other sizes, each byte copied once. Holds no limit: its owner counts. */

/** Spent chunks are cut off the array once there are so many, so that reading stays linear. */
const SPENT_CHUNKS_MAX = 64

export class ByteQueue {
  #chunks: Uint8Array[] = []
  /** Index of the first chunk with unread bytes, and how many of its bytes were read. */
  #head = 0
  #offset = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  clear(): void {
    this.#chunks = []
    this.#head = this.#offset = this.#length = 0
  }

  /** The first `count` bytes, copied, without removing them. The queue must hold as many. */
  peek(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    let index = this.#head
    let offset = this.#offset
    for (let done = 0; done < count; index += 1, offset = 0) {
      const part = this.#chunks[index]?.subarray(offset, offset + count - done)
      if (part === undefined) throw new RangeError(`the queue holds ${this.#length} bytes, not ${count}`)
      bytes.set(part, done)
      done += part.length
    }
    return bytes
  }

  skip(count: number): void {
    let left = count
    while (left > 0) {
      const rest = (this.#chunks[this.#head]?.length ?? 0) - this.#offset
      if (left < rest) {
        this.#offset += left
        break
      }
      left -= rest
      this.#head += 1
      this.#offset = 0
    }
    this.#length -= count
    if (this.#head > SPENT_CHUNKS_MAX) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }
}
