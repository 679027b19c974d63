/** The questions and answers of mDNS discovery, and whatever else arrives at that port. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDnsMessage, question } from '../../src/net/diagnosis/dns-message.ts'

const TAG = '_rhizome._udp.local'
const PEER = '12D3KooWBjKp3eK773zyfK1sYAGixppx7pJyAivCB5dh4Lzo5rDj'
const ADDRESS = `/ip4/192.168.1.5/tcp/4000/p2p/${PEER}`

const name = (text: string): number[] => [
  ...text.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]),
  0,
]
const record = (owner: readonly number[], type: number, rdata: readonly number[]): number[] => {
  return [...owner, 0, type, 0, 1, 0, 0, 0, 120, rdata.length >> 8, rdata.length & 0xff, ...rdata]
}
const text = (value: string): number[] => [value.length, ...Buffer.from(value, 'latin1')]

/** As libp2p answers: a PTR under the tag, and a TXT for each address; the second owner is told by pointing at the first. */
function answer(addresses: readonly string[]): Uint8Array {
  const header = [0, 0, 0x84, 0, 0, 0, 0, 1 + addresses.length, 0, 0, 0, 0]
  const pointer = [0xc0, header.length]
  const owner = [...text('node'), ...pointer]
  const records = addresses.map((address) => record(owner, 16, text(`dnsaddr=${address}`)))
  return Uint8Array.from([...header, ...record(name(TAG), 12, owner), ...records.flat()])
}

describe('a DNS message', () => {
  test('that asks is read back with its id and name', () => {
    expect(parseDnsMessage(question(4_711, TAG))).toEqual({ kind: 'question', id: 4_711, name: TAG })
  })

  test('that answers gives the addresses, and nothing but addresses', () => {
    expect(parseDnsMessage(answer([ADDRESS, ADDRESS]))).toEqual({
      kind: 'answer',
      name: TAG,
      addresses: [ADDRESS, ADDRESS],
    })
    expect(parseDnsMessage(answer([]))).toEqual({ kind: 'answer', name: TAG, addresses: [] })
    const other = Uint8Array.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, ...record(name('x.local'), 16, text('a=b'))])
    expect(parseDnsMessage(other)).toBeUndefined()
  })

  test.each([
    ['whose name points at itself', [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 12, 0, 1]],
    ['whose name points forwards', [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 14, 1, 65, 0, 0, 12, 0, 1]],
    ['whose record ends behind it', [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 16, 0, 1, 0, 0, 0, 0, 255, 255]],
    ['that claims many records', [0, 0, 0x84, 0, 0, 0, 255, 255, 255, 255, 255, 255]],
    ['that is empty', []],
  ])('%s is none', (_, bytes) => expect(parseDnsMessage(Uint8Array.from(bytes))).toBeUndefined())

  test('that is cut anywhere, or altered, never throws', () => {
    const whole = answer([ADDRESS])
    for (let length = 0; length < whole.length; length++)
      expect(() => parseDnsMessage(whole.subarray(0, length))).not.toThrow()
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        parseDnsMessage(whole.with(at, byte))
      }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void parseDnsMessage(bytes)))
  })
})
