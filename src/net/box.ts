/**
 * The pre-shared-key box of libp2p (specs/pnet/Private-Networks-PSK-V1-Spec.md): each side sends a nonce of 24 bytes, then
 * everything XORed with XSalsa20 under the shared key. The same bytes on the wire as `@libp2p/pnet`, with which
 * `test/net/box.test.ts` compares it.
 *
 * Why not that package: its cipher (xsalsa20 1.2) keeps one WebAssembly memory for all connections. Once it grows, two
 * connections make each other grow it again at every call until the process dies, which takes one read or write of more
 * than 576 KiB, or a few thousand connections in a process' life, for it never frees one. A node with a secret crashed so
 * within seconds.
 */
import { AbstractMultiaddrConnection, byteStream, type SendResult } from '@libp2p/utils'
import type { AbortOptions, MultiaddrConnection } from '@libp2p/interface'
import { xsalsa20 } from '@noble/ciphers/salsa.js'

const NONCE_BYTES = 24
const BLOCK_BYTES = 64

/** Exchanges nonces and boxes the connection. A nonce never repeats under one key. */
export async function box(
  connection: MultiaddrConnection,
  key: Uint8Array,
  options?: AbortOptions,
): Promise<MultiaddrConnection> {
  const bytes = byteStream(connection)
  const ownNonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const [theirNonce] = await Promise.all([
    bytes.read({ ...options, bytes: NONCE_BYTES }),
    bytes.write(ownNonce, options),
  ])
  return new BoxedConnection(bytes.unwrap(), new KeyStream(key, ownNonce), new KeyStream(key, theirNonce.subarray()))
}

/** XSalsa20 from where it stopped last. After 256 GiB it throws, the connection breaks and is made anew. */
export class KeyStream {
  readonly #key: Uint8Array
  readonly #nonce: Uint8Array
  #position = 0

  constructor(key: Uint8Array, nonce: Uint8Array) {
    this.#key = key
    this.#nonce = nonce.slice()
  }

  /** The next bytes, encrypted or decrypted: it is the same. */
  xor(bytes: Uint8Array): Uint8Array {
    // The cipher begins at a block; what was used of this one already is calculated again and thrown away.
    const used = this.#position % BLOCK_BYTES
    const padded = new Uint8Array(used + bytes.length)
    padded.set(bytes, used)
    xsalsa20(this.#key, this.#nonce, padded, padded, Math.floor(this.#position / BLOCK_BYTES))
    this.#position += bytes.length
    return padded.subarray(used)
  }
}

class BoxedConnection extends AbstractMultiaddrConnection {
  readonly #inner: MultiaddrConnection
  readonly #outbound: KeyStream

  constructor(inner: MultiaddrConnection, outbound: KeyStream, inbound: KeyStream) {
    super({ remoteAddr: inner.remoteAddr, direction: inner.direction, log: inner.log.newScope('box') })
    this.#inner = inner
    this.#outbound = outbound
    inner.addEventListener('message', ({ data }) => {
      try {
        this.onData(inbound.xor(data.subarray()))
      } catch (error) {
        this.abort(error instanceof Error ? error : new Error(String(error)))
      }
    })
    inner.addEventListener('drain', () => this.onMuxerDrain())
    inner.addEventListener('close', ({ error, local }) => {
      if (error === undefined) this.onTransportClosed()
      else if (local === true) this.abort(error)
      else this.onRemoteReset()
    })
  }

  override sendData(data: Parameters<AbstractMultiaddrConnection['sendData']>[0]): SendResult {
    return { sentBytes: data.byteLength, canSendMore: this.#inner.send(this.#outbound.xor(data.subarray())) }
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    await this.#inner.close(options)
  }

  override sendReset(error: Error): void {
    this.#inner.abort(error)
  }

  override sendPause(): void {
    this.#inner.pause()
  }

  override sendResume(): void {
    this.#inner.resume()
  }
}
