/**
 * Random bytes for salts and log ids, drawn from the system a few kilobytes at a time: a draw of its own for each block
 * costs as much as hashing it. No byte is given out twice.
 */

import { randomBytes } from 'node:crypto'

const POOL_BYTES = 8_192

/** Draws from `source` as many bytes as are asked for, at least once per `POOL_BYTES`. */
export function pooledRandom(source: (bytes: number) => Uint8Array = randomBytes): (bytes: number) => Uint8Array {
  let pool = new Uint8Array()
  return (bytes) => {
    if (bytes > POOL_BYTES) return source(bytes)
    if (bytes > pool.length) pool = new Uint8Array(source(POOL_BYTES))
    const given = pool.slice(0, bytes)
    pool = pool.subarray(bytes)
    return given
  }
}
