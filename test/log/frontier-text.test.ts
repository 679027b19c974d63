/** Frontiers as text: one spelling each, and an answer to every other. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import type { Value } from '../../src/delta/delta.ts'
import { keyOfPeerId } from '../../src/delta/identifiers.ts'
import { logKeyOf } from '../../src/log/block.ts'
import { frontierText, isFrontierText, parseFrontierText } from '../../src/log/frontier-text.ts'
import { logId, logOf, signer } from '../support/blocks.ts'

const log = logOf(1)
const other = logKeyOf(signer(2).id, logId(7))
const textOf = (value: Value) => `f0.${Buffer.from(encode(value)).toString('base64url')}`
const key = keyOfPeerId(log.signer.id)
const id = new Uint8Array(16)

describe('a frontier as text', () => {
  test('is read back, and logs without a block are left out', () => {
    const frontier = [
      { log: log.key, seq: 5 },
      { log: other, seq: 0 },
      { log: logKeyOf(signer(3).id, logId(1)), cut: 0 },
    ].sort((a, b) => (a.log < b.log ? -1 : 1))
    expect(parseFrontierText(frontierText(frontier))).toEqual(
      new Map(frontier.flatMap((entry) => (entry.seq === undefined ? [] : [[entry.log, entry.seq]]))),
    )
    expect(parseFrontierText(frontierText([])).size).toBe(0)
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['another kind of text', '2026-11-20'],
    ['a prefix alone', 'f0.'],
    ['a number', textOf(1)],
    ['a head that is no list', textOf([1])],
    ['a head of two parts', textOf([[key, id]])],
    ['a key of another length', textOf([[id, id, 0]])],
    ['a log id of another length', textOf([[key, key, 0]])],
    ['a key that is text', textOf([['x', id, 0]])],
    ['a negative sequence number', textOf([[key, id, -1]])],
    ['a fraction', textOf([[key, id, 0.5]])],
    [
      'a log named twice',
      textOf([
        [key, id, 0],
        [key, id, 1],
      ]),
    ],
    ['padding', `${textOf([])}==`],
    ['what follows', `${textOf([])}A`],
  ])('%s is refused', (_, text) => {
    expect(() => parseFrontierText(text)).toThrow(expect.objectContaining({ code: 'RZ_BYTES_INVALID' }))
  })

  test('any text is answered or refused with a code', () => {
    fc.assert(
      fc.property(fc.base64String(), (tail) => {
        const text = `f0.${tail.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')}`
        expect(isFrontierText(text)).toBe(true)
        try {
          parseFrontierText(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'RZ_BYTES_INVALID' })
        }
      }),
    )
  })
})
