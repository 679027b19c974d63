/**
 * Seeded randomness: the same numbers for the same seed, everywhere. For histories that can be repeated, and for nothing that
 * must not be guessed.
 */

export interface Random {
  /** From 0 up to but not including 1. */
  next(): number
  /** An integer from 0 up to but not including `count`. */
  below(count: number): number
  pick<Item>(items: readonly Item[]): Item
  bytes(count: number): Uint8Array
}

/** Mulberry32 (Tommy Ettinger): 32 bits of state, good enough to shake a schedule. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    below,
    pick: (items) => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
  }
}
