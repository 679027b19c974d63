/**
 * Items in order, in chunks: one is added or removed by moving one chunk's items, among 100,000 in a few microseconds; many
 * at once are sorted in. No two items are equal by `compare`.
 */

/** Moving so many items costs no more than finding their place. */
const CHUNK_COUNT_MAX = 512

export class SortedList<Item> implements Iterable<Item> {
  readonly #compare: (a: Item, b: Item) => number
  /** None is empty. */
  #chunks: Item[][] = []
  #count = 0

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare
  }

  get count(): number {
    return this.#count
  }

  add(items: readonly Item[]): void {
    // One by one costs a chunk each; sorting in costs all of them once.
    if (items.length * CHUNK_COUNT_MAX <= this.#count) for (const item of items) this.#addOne(item)
    else this.#rebuild([...this, ...items.toSorted(this.#compare)].sort(this.#compare))
  }

  /** Takes out the item that equals `item`; undefined when there is none. */
  remove(item: Item): Item | undefined {
    const chunkIndex = this.#chunkOf(item)
    const chunk = this.#chunks[chunkIndex]
    if (chunk === undefined) return undefined
    const index = this.#placeIn(chunk, item)
    const found = chunk[index]
    if (found === undefined || this.#compare(found, item) !== 0) return undefined
    chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(chunkIndex, 1)
    this.#count--
    return found
  }

  find(item: Item): Item | undefined {
    const chunk = this.#chunks[this.#chunkOf(item)]
    const found = chunk?.[this.#placeIn(chunk, item)]
    return found !== undefined && this.#compare(found, item) === 0 ? found : undefined
  }

  first(): Item | undefined {
    return this.#chunks[0]?.[0]
  }

  last(): Item | undefined {
    return this.#chunks.at(-1)?.at(-1)
  }

  /** The first `count`, or as many as there are. */
  take(count: number): readonly Item[] {
    const taken: Item[] = []
    for (const chunk of this.#chunks) {
      if (taken.length + chunk.length >= count) return [...taken, ...chunk.slice(0, count - taken.length)]
      for (const item of chunk) taken.push(item)
    }
    return taken
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const chunk of this.#chunks) yield* chunk
  }

  #addOne(item: Item): void {
    const chunkIndex = Math.min(this.#chunkOf(item), Math.max(0, this.#chunks.length - 1))
    const chunk = this.#chunks[chunkIndex]
    this.#count++
    if (chunk === undefined) {
      this.#chunks.push([item])
      return
    }
    chunk.splice(this.#placeIn(chunk, item), 0, item)
    if (chunk.length > CHUNK_COUNT_MAX) this.#chunks.splice(chunkIndex + 1, 0, chunk.splice(chunk.length >> 1))
  }

  #rebuild(items: readonly Item[]): void {
    this.#count = items.length
    this.#chunks = []
    const half = CHUNK_COUNT_MAX >> 1
    for (let start = 0; start < items.length; start += half) this.#chunks.push(items.slice(start, start + half))
  }

  /** The first chunk that ends at or behind the item. */
  #chunkOf(item: Item): number {
    return firstIndex(this.#chunks.length, (index) => {
      const last = this.#chunks[index]?.at(-1)
      return last !== undefined && this.#compare(last, item) >= 0
    })
  }

  #placeIn(chunk: readonly Item[], item: Item): number {
    return firstIndex(chunk.length, (index) => {
      const there = chunk[index]
      return there !== undefined && this.#compare(there, item) >= 0
    })
  }
}

/** The first of `count` indexes from which on `holds` is true; `count` when there is none. */
function firstIndex(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
