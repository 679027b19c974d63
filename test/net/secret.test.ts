import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { describe, expect, test } from 'vitest'
import { Outside } from '../../src/net/outside.ts'
import { createProtector, overlayKey } from '../../src/net/secret.ts'
import { within } from './until.ts'

const HEADER = Buffer.from('\x13/multistream/1.0.0\n', 'latin1')

/** Protects one side of a connection as libp2p does, and tells what it noticed. */
function protect(connection: MultiaddrConnection, secret: string | undefined) {
  const noticed: string[] = []
  const outside = new Outside({ hasSecret: secret !== undefined, allow: undefined })
  const protector = createProtector({ secret, outside, onMismatch: (_, message) => noticed.push(message) })
  const protection = protector.protect(connection, { signal: AbortSignal.timeout(10_000) })
  return { noticed, protection }
}

function bothSides(dialler: string | undefined, listener: string | undefined) {
  const [outbound, inbound] = multiaddrConnectionPair()
  const there = protect(outbound, dialler)
  const here = protect(inbound, listener)
  // libp2p's dialler speaks first, once it is protected.
  there.protection.then((connection) => connection.send(HEADER)).catch(() => undefined)
  return { there, here }
}

describe('the secret of an overlay', () => {
  test('gives a key, the same for the same text and another for another', () => {
    expect(overlayKey('correct horse')).toHaveLength(32)
    expect(overlayKey('correct horse')).toEqual(overlayKey('correct horse'))
    expect(overlayKey('correct horse')).not.toEqual(overlayKey('correct horse '))
  })

  test.each([undefined, 'one'])(
    'two nodes with the same secret (%s) go on, and nothing that was looked at is lost',
    async (secret) => {
      const { here } = bothSides(secret, secret)
      const connection = await within('it is accepted', here.protection)
      const first = await within(
        'the first bytes',
        new Promise<Uint8Array>((resolve) => {
          connection.addEventListener('message', ({ data }) => resolve(data.subarray()))
        }),
      )
      expect(Buffer.from(first)).toEqual(HEADER)
      expect(here.noticed).toEqual([])
    },
  )

  test.each([undefined, 'one'])(
    'who connects and hangs up, as a probe does, is told of to nobody (%s)',
    async (secret) => {
      const [outbound, inbound] = multiaddrConnectionPair()
      const { noticed, protection } = protect(inbound, secret)
      await Promise.all([
        outbound.close(),
        expect(within('it ends', protection, 2_000)).rejects.toMatchObject({ code: 'RZ_NET_SECRET_MISMATCH' }),
      ])
      expect(noticed).toEqual([])
    },
  )

  test.each([
    ['one', 'two', 'another secret, or none'],
    [undefined, 'two', 'another secret, or none'],
    ['one', undefined, 'this node has none'],
  ])('a dialler with %s at a listener with %s is told apart at once', async (dialler, listener, message) => {
    const { here } = bothSides(dialler, listener)
    const refused = expect.objectContaining({ code: 'RZ_NET_SECRET_MISMATCH' })
    await expect(within('it is refused', here.protection, 2_000)).rejects.toThrow(refused)
    expect(here.noticed).toEqual([expect.stringContaining(message)])
  })
})
