/**
 * Whole frames over a libp2p stream: 4 bytes of length (big-endian), then the bytes. Refuses a frame over FRAME_BYTES_MAX
 * before anything is allocated for it.
 *
 * Backpressure is real in both directions. Sending waits for the `drain` event: `stream.onDrain()` of @libp2p/utils 7.4
 * resolves for ever after its first use (choices.md). Reading pauses the stream while READ_AHEAD_BYTES lie unread; a paused
 * yamux stream grants no window, so the sender's `send` stays pending and nobody's memory grows.
 * A connection that ends without the stream's own end is a break, never a clean end.
 */
import type { Stream } from '@libp2p/interface'
import { assert, RhizomeError } from '../errors.ts'
import { ByteQueue } from './byte-queue.ts'
import { CLOSE_STREAM_MS, LINGER_MS, READ_AHEAD_BYTES, SEND_STALL_MS } from './limits.ts'
import { FRAME_BYTES_MAX, type NetStream, type PeerIdText } from './net.ts'

const LENGTH_BYTES = 4

export interface FrameStreamOptions {
  readonly peer: PeerIdText
  /** How long a send waits for a peer that does not read. @default SEND_STALL_MS */
  readonly stallMs?: number
}

/** Takes the stream over: nobody else may read from it or write to it. */
export function frameStream(stream: Stream, { peer, stallMs = SEND_STALL_MS }: FrameStreamOptions): NetStream {
  const reader = new FrameReader(stream, peer)
  let linger: NodeJS.Timeout | undefined
  stream.addEventListener('close', () => clearTimeout(linger), { once: true })

  return {
    peer,

    async send(frame) {
      if (frame.length > FRAME_BYTES_MAX) throw tooLarge(frame.length)
      const framed = new Uint8Array(LENGTH_BYTES + frame.length)
      new DataView(framed.buffer).setUint32(0, frame.length)
      framed.set(frame, LENGTH_BYTES)
      try {
        stream.send(framed)
      } catch (error) {
        throw closed(peer, 'it was closed before the send', error)
      }
      while (stream.writableNeedsDrain || stream.writeBufferLength > 0) await drained(stream, peer, stallMs)
    },

    frames: () => reader.frames(),

    async close() {
      if (stream.writeStatus !== 'writable') return
      try {
        await stream.close({ signal: AbortSignal.timeout(CLOSE_STREAM_MS) })
      } catch (error) {
        stream.abort(new Error('could not be closed in time', { cause: error }))
        return
      }
      if (stream.status !== 'open') return
      linger = lingering(stream)
    },

    abort(reason) {
      stream.abort(new Error(reason))
    },
  }
}

/** Resolves at the next drain; throws when the stream ends first, or stalls. */
async function drained(stream: Stream, peer: PeerIdText, stallMs: number): Promise<void> {
  if (stream.writeStatus === 'closed') throw closed(peer, 'it was closed while sending')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onDrain = (): void => resolve()
  const onClose = (): void => reject(closed(peer, 'it broke while sending'))
  const stall = setTimeout(() => {
    stream.abort(new Error(`nothing was read for ${stallMs} ms`))
    reject(closed(peer, `the other side read nothing for ${stallMs} ms`))
  }, stallMs)
  stream.addEventListener('drain', onDrain)
  stream.addEventListener('close', onClose)
  try {
    await promise
  } finally {
    clearTimeout(stall)
    stream.removeEventListener('drain', onDrain)
    stream.removeEventListener('close', onClose)
  }
}

/** After our end is closed: the peer may still send, but one that does nothing at all loses the stream. */
function lingering(stream: Stream): NodeJS.Timeout {
  const timer = setTimeout(() => stream.abort(new Error(`the other side did not close in ${LINGER_MS} ms`)), LINGER_MS)
  stream.addEventListener('message', () => timer.refresh())
  return timer.unref()
}

/** Pulls frames out of the message events of a stream, at the pace of whoever iterates. */
class FrameReader {
  readonly #stream: Stream
  readonly #peer: PeerIdText
  readonly #buffer = new ByteQueue()
  /** How much the one who iterates waits for. */
  #wantedBytes = 0
  #ended: boolean
  #failure: Error | undefined
  #taken = false
  #discarding = false
  #resuming = false
  #wake: (() => void) | undefined

  constructor(stream: Stream, peer: PeerIdText) {
    this.#stream = stream
    this.#peer = peer
    this.#ended = stream.status === 'open' && stream.remoteWriteStatus === 'closed'
    // Until somebody iterates nothing may pile up: without this libp2p buffers 4 MiB and then resets the stream.
    this.#pause()
    stream.addEventListener('message', (event) => this.#onBytes(event.data.subarray()))
    stream.addEventListener('remoteCloseWrite', () => this.#finish(undefined))
    stream.addEventListener('close', (event) => {
      // libp2p reports a lost connection as a close without error; only the stream's own end is a clean one.
      if (!this.#ended || event.error !== undefined) this.#finish(event.error ?? new Error('the connection ended'))
    })
  }

  frames(): AsyncGenerator<Uint8Array, void, void> {
    assert(!this.#taken, 'the frames of a stream are iterated once')
    this.#taken = true
    return this.#frames()
  }

  async *#frames(): AsyncGenerator<Uint8Array, void, void> {
    try {
      while (await this.#buffered(LENGTH_BYTES)) {
        const length = new DataView(this.#buffer.peek(LENGTH_BYTES).buffer).getUint32(0)
        if (length > FRAME_BYTES_MAX) {
          this.#stream.abort(new Error(`a frame of ${length} bytes`))
          throw tooLarge(length)
        }
        if (!(await this.#buffered(LENGTH_BYTES + length))) return
        this.#buffer.skip(LENGTH_BYTES)
        const frame = this.#buffer.peek(length)
        this.#buffer.skip(length)
        yield frame
      }
    } finally {
      this.#discard()
    }
  }

  /** Once nobody will read: what comes is dropped, so that the other side is not held up. */
  #discard(): void {
    this.#discarding = true
    this.#buffer.clear()
    this.#resume()
  }

  /** True when so many bytes are here; false at a clean end between frames; throws at any other end. */
  async #buffered(bytes: number): Promise<boolean> {
    this.#wantedBytes = bytes
    while (this.#buffer.length < bytes) {
      this.#resume()
      if (this.#buffer.length >= bytes) break
      if (this.#failure !== undefined) throw closed(this.#peer, this.#failure.message, this.#failure)
      if (this.#ended && this.#stream.readBufferLength === 0) {
        if (this.#buffer.length === 0) return false
        throw closed(this.#peer, 'it ended inside a frame')
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wantedBytes = 0
    if (this.#full()) this.#pause()
    return true
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#discarding) return
    this.#buffer.push(bytes)
    this.#wake?.()
    // Pausing inside resume() would be undone by its second half; the one who resumed looks again.
    if (this.#full() && !this.#resuming) this.#pause()
  }

  #full(): boolean {
    return this.#buffer.length >= Math.max(READ_AHEAD_BYTES, this.#wantedBytes)
  }

  #finish(failure: Error | undefined): void {
    this.#ended = true
    this.#failure ??= failure
    this.#wake?.()
  }

  #pause(): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  #resume(): void {
    if (this.#stream.readStatus !== 'paused' || (this.#full() && !this.#discarding)) return
    this.#resuming = true
    try {
      this.#stream.resume()
    } catch (error) {
      // The bytes held back were handed over before this throws: only the window update of a dead connection failed.
      this.#failure ??= error instanceof Error ? error : new Error(String(error))
    } finally {
      this.#resuming = false
    }
    if (this.#full() && !this.#discarding) this.#pause()
  }
}

function closed(peer: PeerIdText, why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_NET_STREAM_CLOSED', `the stream with ${peer} is closed: ${why}`, { cause })
}

export function tooLarge(bytes: number): RhizomeError {
  const message = `a frame of ${bytes} bytes is over the limit of ${FRAME_BYTES_MAX}`
  return new RhizomeError('RZ_NET_FRAME_TOO_LARGE', message)
}
