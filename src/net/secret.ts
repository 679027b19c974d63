/**
 * The shared secret that closes an overlay, and how a wrong one is noticed.
 *
 * libp2p's pre-shared key (`@libp2p/pnet`) encrypts everything from the first byte, so with different keys each side
 * reads noise and waits until a timeout: nobody learns why. But the first bytes that a dialler sends are always the
 * multistream header. So the listening side looks at them, boxed or plain, and hangs up at once if they are anything else;
 * the dialler sees a connection that opened and broke before the handshake. Nothing on the wire differs from stock libp2p.
 */
import { createHash } from 'node:crypto'
import type { ConnectionProtector, MessageStream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { RhizomeError } from '../errors.ts'

const SECRET_DOMAIN = 'rhizome-node/secret/1\0'
const MULTISTREAM_HEADER = Buffer.from('\x13/multistream/1.0.0\n', 'latin1')

/** The key file of go-ipfs' form that pnet reads. The same text gives the same overlay on every machine. */
export function swarmKey(secret: string): Uint8Array {
  const key = createHash('sha256').update(SECRET_DOMAIN).update(secret, 'utf8').digest('hex')
  return Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${key}`, 'latin1')
}

export interface ProtectorOptions {
  readonly secret: string | undefined
  /** Told when an inbound connection did not begin as one of this overlay does. */
  readonly onMismatch: (address: string, message: string) => void
}

/** A protector for both kinds of overlay: boxed when there is a secret, and checked on the listening side in either case. */
export async function createProtector({
  secret,
  onMismatch,
}: ProtectorOptions): Promise<() => ConnectionProtector> {
  const box = secret === undefined ? undefined : await boxOf(secret)
  const message =
    secret === undefined
      ? 'the other side uses a secret and this node has none (--secret), or it is no rhizome node'
      : 'the other side has another secret, or none'
  return () => {
    const boxed = box?.()
    return {
      async protect(connection, options) {
        const inbound = connection.direction === 'inbound'
        try {
          if (boxed === undefined) {
            if (inbound) await expectHeader(connection, options?.signal)
            return connection
          }
          // A dialler without a secret sends less than the nonce that is read next, and waits: it must be noticed here.
          if (inbound && (await beginsPlain(connection, options?.signal))) throw mismatch('it came unboxed')
          const opened = await boxed.protect(connection, options)
          if (inbound) await expectHeader(opened, options?.signal)
          return opened
        } catch (error) {
          if (inbound && !(options?.signal?.aborted ?? false)) onMismatch(addressOf(connection), message)
          throw mismatch(message, error)
        }
      },
    }
  }
}

/** Loaded only where there is a secret: most nodes have none. */
async function boxOf(secret: string): Promise<() => ConnectionProtector> {
  const { preSharedKey } = await import('@libp2p/pnet')
  return preSharedKey({ psk: swarmKey(secret) })
}

async function expectHeader(connection: MessageStream, signal: AbortSignal | undefined): Promise<void> {
  if (await beginsPlain(connection, signal)) return
  throw mismatch('the first bytes are not those of a multistream')
}

/** Reads the dialler's first bytes and puts them back. */
async function beginsPlain(connection: MessageStream, signal: AbortSignal | undefined): Promise<boolean> {
  const bytes = byteStream(connection)
  const head = await bytes.read({ bytes: MULTISTREAM_HEADER.length, ...(signal === undefined ? {} : { signal }) })
  const begin = head.subarray()
  bytes.unwrap()
  connection.unshift(begin)
  return MULTISTREAM_HEADER.equals(begin)
}

/** What libp2p hands over is a transport's connection, though the interface promises only the stream part of it. */
function addressOf(connection: MessageStream): string {
  return 'remoteAddr' in connection ? String(connection.remoteAddr) : 'an unknown address'
}

function mismatch(message: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_NET_SECRET_MISMATCH', message, { cause })
}
