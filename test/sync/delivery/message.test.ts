import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/delta/cbor.ts'
import type { Value } from '../../../src/delta/delta.ts'
import { hashBytes, keyOfPeerId } from '../../../src/delta/identifiers.ts'
import {
  decodeReceiptMessage,
  encodeReceiptMessage,
  type Receipt,
  type ReceiptMessage,
  type Want,
} from '../../../src/sync/delivery/message.ts'
import { logOf, NAMESPACE, signer, START_MS } from '../../support/blocks.ts'

const ME = signer(1)
const log = logOf(3)
const head = log.dependency
const RECEIPT: Receipt = {
  kind: 'receipt',
  namespace: NAMESPACE,
  peer: ME.id,
  number: START_MS,
  durability: 'process',
  held: [head],
}
const WANT: Want = {
  kind: 'want',
  namespace: NAMESPACE,
  peer: ME.id,
  number: START_MS + 1,
  forMs: 10_000,
  holders: [signer(2).id, signer(3).id],
  all: false,
  logs: [{ log: log.key, seq: 2 }],
}
const MESSAGES: readonly ReceiptMessage[] = [
  RECEIPT,
  { ...RECEIPT, durability: 'memory', held: [] },
  { ...RECEIPT, durability: 'disk' },
  WANT,
  { ...WANT, all: true, holders: [], logs: [] },
]
const invalid = expect.objectContaining({ code: 'RZ_SYNC_RECEIPT_INVALID' }) as Error

it('receipts and wants are written byte for byte as they were', async () => {
  const lines = MESSAGES.map(
    (message) => `${message.kind} ${Buffer.from(encodeReceiptMessage(message, ME)).toString('hex')}\n`,
  )
  await expect(lines.join('')).toMatchFileSnapshot('../../../fixtures/receipts-0/messages.txt')
})

describe('a message', () => {
  it.each(MESSAGES)('is read as it was written, and is its signer’s (%#)', (message) => {
    const { message: read, isSigned } = decodeReceiptMessage(encodeReceiptMessage(message, ME))
    expect(read).toEqual(message)
    expect(isSigned()).toBe(true)
  })

  it('of another signer is not signed', () => {
    expect(decodeReceiptMessage(encodeReceiptMessage(RECEIPT, signer(2))).isSigned()).toBe(false)
  })

  it('altered anywhere is no message, or not signed', () => {
    const bytes = encodeReceiptMessage(RECEIPT, ME)
    for (let index = 0; index < bytes.length; index++) {
      const altered = bytes.slice()
      altered[index] = (altered[index] ?? 0) ^ 1
      let isSigned = false
      try {
        isSigned = decodeReceiptMessage(altered).isSigned()
      } catch {
        continue
      }
      expect(isSigned, `byte ${index}`).toBe(false)
    }
  })

  it('of one kind cannot be passed off as the other', () => {
    const signed = encodeReceiptMessage({ ...RECEIPT, held: [] }, ME)
    expect(signed[2]).toBe(0)
    const other = signed.slice()
    other[2] = 1
    expect(() => decodeReceiptMessage(other)).toThrow(invalid)
  })

  it('that is anything else is refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => decodeReceiptMessage(bytes)).toThrow(invalid)
      }),
    )
  })

  it('of a later version is told apart', () => {
    expect(() => decodeReceiptMessage(encode([1, 'anything']))).toThrow(
      expect.objectContaining({ code: 'RZ_SYNC_VERSION' }) as Error,
    )
  })
})

describe('a signed body is refused', () => {
  const start = [Buffer.from(NAMESPACE, 'hex'), keyOfPeerId(ME.id), 1]
  const [creator, logBytes] = [keyOfPeerId(ME.id), Buffer.from(log.logId, 'hex')]
  const held = [creator, logBytes, 2, hashBytes(head.hash)]
  it.each<[string, 0 | 1, Value]>([
    ['with a short namespace', 0, [new Uint8Array(31), keyOfPeerId(ME.id), 1, 1, []]],
    ['without a list of what is held', 0, [...start, 1, 'all']],
    ['with a field too many', 0, [...start, 1, [], 0]],
    ['with a durability that is none', 0, [...start, 3, []]],
    ['with a negative number', 0, [start[0] ?? 0, start[1] ?? 0, -1, 1, []]],
    ['with half an entry', 0, [...start, 1, [held.slice(0, 3)]]],
    ['with a position that is no number', 0, [...start, 1, [[creator, logBytes, 'newest', held[3] ?? 0]]]],
    ['with more logs than one message holds', 0, [...start, 1, Array.from({ length: 257 }, () => held)]],
    ['that asks for too long', 1, [...start, 60_001, [], false, []]],
    ['that asks more than may be asked', 1, [...start, 1, Array.from({ length: 65 }, () => creator), false, []]],
    ['that asks for neither all nor some', 1, [...start, 1, [], 'all', []]],
    ['that asks for too much', 1, [...start, 1, [], false, Array.from({ length: 257 }, () => held.slice(0, 3))]],
  ])('%s', (_, kind, body) => {
    const bytes = encode([0, kind, encode(body), new Uint8Array(64)])
    expect(() => decodeReceiptMessage(bytes)).toThrow(invalid)
  })
})
