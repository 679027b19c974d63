import { preSharedKey } from '@libp2p/pnet'
import { multiaddrConnectionPair } from '@libp2p/utils'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MessageStream } from '@libp2p/interface'
import { box, KeyStream } from '../../src/net/box.ts'
import { until } from './until.ts'

const KEY = new Uint8Array(32).map((_, index) => index * 7)

function received(connection: MessageStream): { readonly bytes: () => Buffer } {
  const parts: Uint8Array[] = []
  connection.addEventListener('message', ({ data }) => parts.push(data.slice()))
  return { bytes: () => Buffer.concat(parts) }
}

describe('the box of an overlay', () => {
  test('understands @libp2p/pnet and is understood by it', async () => {
    const [outbound, inbound] = multiaddrConnectionPair()
    const psk = Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(KEY).toString('hex')}`)
    const [ours, theirs] = await Promise.all([box(outbound, KEY), preSharedKey({ psk })().protect(inbound)])
    const [here, there] = [received(ours), received(theirs)]
    for (const size of [1, 63, 64, 65, 1_000, 20_000]) {
      ours.send(new Uint8Array(size).fill(size))
      theirs.send(new Uint8Array(size).fill(size + 1))
    }
    await until('all arrives', () => here.bytes().length === 21_193 && there.bytes().length === 21_193)
    expect(there.bytes().at(-1)).toBe(20_000 % 256)
    expect(here.bytes().at(-1)).toBe(20_001 % 256)
    expect([...there.bytes().subarray(0, 3)]).toEqual([1, 63, 63])
  })

  test('the key stream is the same however it is cut', () => {
    const nonce = new Uint8Array(24).fill(9)
    const whole = new KeyStream(KEY, nonce).xor(new Uint8Array(5_000))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 16 }), (sizes) => {
        const stream = new KeyStream(KEY, nonce)
        const parts = Buffer.concat(sizes.map((size) => stream.xor(new Uint8Array(size))))
        expect(parts.equals(whole.subarray(0, parts.length))).toBe(true)
      }),
    )
  })

  test('megabytes in one piece, on two connections in turn, pass', async () => {
    const pairs = await Promise.all(
      [1, 2].map(async () => {
        const [outbound, inbound] = multiaddrConnectionPair({ capacity: 1_000 })
        const [a, b] = await Promise.all([box(outbound, KEY), box(inbound, KEY)])
        return { a, received: received(b) }
      }),
    )
    for (let round = 0; round < 20; round += 1) for (const { a } of pairs) a.send(new Uint8Array(1_000_000))
    for (const each of pairs) await until('all arrives', () => each.received.bytes().length === 20_000_000)
  })
})
