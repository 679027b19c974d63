/**
 * The shared secret that closes an overlay, and how a wrong one is noticed.
 *
 * libp2p's pre-shared key (`box.ts`) encrypts everything from the first byte, so with different keys each side
 * reads noise and waits until a timeout: nobody learns why. But the first bytes that a dialler sends are always the
 * multistream header. So the listening side looks at them, boxed or plain, and hangs up at once if they are anything else;
 * the dialler sees a connection that opened and broke before the handshake. Nothing on the wire differs from stock libp2p.
 */
import { createHash } from 'node:crypto'
import type { ConnectionProtector, MessageStream, MultiaddrConnection } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { assert, RhizomeError } from '../errors.ts'
import { box } from './box.ts'
import type { Outside } from './outside.ts'

const SECRET_DOMAIN = 'rhizome-node/secret/1\0'
const MULTISTREAM_HEADER = Buffer.from('\x13/multistream/1.0.0\n', 'latin1')

/** The pre-shared key, 32 bytes. The same text gives the same overlay on every machine. */
export function overlayKey(secret: string): Uint8Array {
  return createHash('sha256').update(SECRET_DOMAIN).update(secret, 'utf8').digest()
}

export interface ProtectorOptions {
  readonly secret: string | undefined
  /** Connections to relays outside the overlay stay as they are. */
  readonly outside: Outside
  /** Told when an inbound connection did not begin as one of this overlay does. */
  readonly onMismatch: (address: string, message: string) => void
}

/** A protector for both kinds of overlay: boxed when there is a secret, and checked on the listening side in either case. */
export function createProtector({ secret, outside, onMismatch }: ProtectorOptions): ConnectionProtector {
  const key = secret === undefined ? undefined : overlayKey(secret)
  const message =
    secret === undefined
      ? 'the other side uses a secret and this node has none (--secret), or it is no rhizome node'
      : 'the other side has another secret, or none'
  return {
    async protect(connection, options) {
      const inbound = connection.direction === 'inbound'
      assert(isTransport(connection), 'what is protected is the connection of a transport')
      if (outside.takes(connection)) return connection
      try {
        if (key === undefined) {
          if (inbound) await expectHeader(connection, options?.signal)
          return connection
        }
        // A dialler without a secret sends less than the nonce that is read next, and waits: it must be noticed here.
        if (inbound && (await beginsPlain(connection, options?.signal))) throw mismatch('it came unboxed')
        const opened = await box(connection, key, options)
        if (inbound) await expectHeader(opened, options?.signal)
        return opened
      } catch (error) {
        if (inbound && !isGone(error) && !(options?.signal?.aborted ?? false))
          onMismatch(connection.remoteAddr.toString(), message)
        throw mismatch(message, error)
      }
    },
  }
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

/** Hung up before its first bytes were whole, as a probe of the port does: whoever has another secret has sent more by then. */
function isGone(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnexpectedEOFError'
}

/** libp2p hands a whole connection over, though the interface promises only the stream part of it. */
function isTransport(connection: MessageStream): connection is MultiaddrConnection {
  return 'remoteAddr' in connection
}

function mismatch(message: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_NET_SECRET_MISMATCH', message, { cause })
}
