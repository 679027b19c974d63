/** Random bytes from a pool: as many as asked for, none twice. */
import { expect, it } from 'vitest'

import { pooledRandom } from '../../src/node/random.ts'

/** Counts up, so that a byte given out twice shows. */
function counting() {
  let next = 0
  return (bytes: number) => Uint8Array.from({ length: bytes }, () => next++ % 251)
}

it('gives as many bytes as asked for, whatever the pool still holds', () => {
  const random = pooledRandom()
  for (const bytes of [0, 1, 16, 48, 8_191, 8_192, 8_193, 65_536]) expect(random(bytes).length).toBe(bytes)
})

it('gives no byte twice', () => {
  const random = pooledRandom(counting())
  const places = Array.from({ length: 1_000 }, () => random(48)[0] ?? 0)
  for (let index = 1; index < places.length; index++) expect(places[index]).not.toBe(places[index - 1])
  const real = pooledRandom()
  expect(new Set(Array.from({ length: 2_000 }, () => Buffer.from(real(16)).toString('hex'))).size).toBe(2_000)
})

it('what was given out is not touched by what is given later', () => {
  const random = pooledRandom(counting())
  const first = random(16)
  const copy = [...first]
  random(16).fill(0)
  expect([...first]).toEqual(copy)
})
