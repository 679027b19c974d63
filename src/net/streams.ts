/**
 * Whole frames over a libp2p stream: 4 bytes of length (big-endian), then the bytes. Refuses a frame over FRAME_BYTES_MAX
 * before anything is allocated for it.
 *
 * Backpressure is real in both directions. Sending waits for the `drain` event: `stream.onDrain()` of @libp2p/utils 7.4
 * resolves for ever after its first use (choices.md). Reading pauses the stream while READ_AHEAD_BYTES lie unread; a paused
 * yamux stream grants no window, so the sender's `send` stays pending and nobody's memory grows.
 *
 * A clean end is said in so many bytes: END_MARK in place of a length. Yamux's own end cannot be trusted with that: a node
 * that shuts down ends all its streams in good form, half-done ones included. Whatever ends without the mark is a break.
 */
import type { Stream } from '@libp2p/interface'
import { assert } from '../errors.ts'
import { ByteQueue } from './byte-queue.ts'
import { CLOSE_STREAM_MS, LINGER_MS, READ_AHEAD_BYTES, SEND_STALL_MS } from './limits.ts'
import { closed, tooLarge } from './net-errors.ts'
import { FRAME_BYTES_MAX, type NetStream, type PeerIdText } from './net.ts'

const LENGTH_BYTES = 4
/** No length of a frame: it is over every limit. */
const END_MARK = 0xffff_ffff

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
      framed.set(lengthPrefix(frame.length))
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
        stream.send(lengthPrefix(END_MARK))
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

function lengthPrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(LENGTH_BYTES)
  new DataView(prefix.buffer).setUint32(0, length)
  return prefix
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
  /** Why nothing more will come; the bytes that are here are still read. */
  #failure: Error | undefined
  #taken = false
  #discarding = false
  #resuming = false
  #wake: (() => void) | undefined

  constructor(stream: Stream, peer: PeerIdText) {
    this.#stream = stream
    this.#peer = peer
    // Until somebody iterates nothing may pile up: without this libp2p buffers 4 MiB and then resets the stream.
    this.#pause()
    stream.addEventListener('message', (event) => this.#onBytes(event.data.subarray()))
    stream.addEventListener('remoteCloseWrite', () => this.#fail(new Error('the other side ended it half-way')))
    stream.addEventListener('close', (event) => this.#fail(event.error ?? new Error('the connection ended')))
    // It may have ended while it was being opened.
    if (stream.remoteWriteStatus === 'closed') this.#fail(new Error('the other side ended it half-way'))
    if (stream.status !== 'open') this.#fail(new Error(`it is ${stream.status}`))
  }

  frames(): AsyncGenerator<Uint8Array, void, void> {
    assert(!this.#taken, 'the frames of a stream are iterated once')
    this.#taken = true
    return this.#frames()
  }

  async *#frames(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        await this.#buffered(LENGTH_BYTES)
        const length = new DataView(this.#buffer.peek(LENGTH_BYTES).buffer).getUint32(0)
        if (length === END_MARK) return
        if (length > FRAME_BYTES_MAX) {
          this.#stream.abort(new Error(`a frame of ${length} bytes`))
          throw tooLarge(length)
        }
        await this.#buffered(LENGTH_BYTES + length)
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

  /** Resolves when so many bytes are here; throws when they will never be. */
  async #buffered(bytes: number): Promise<void> {
    this.#wantedBytes = bytes
    while (this.#buffer.length < bytes) {
      this.#resume()
      if (this.#buffer.length >= bytes) break
      // What libp2p still holds comes with a later event: with the microtask that follows a new listener, for one.
      if (this.#failure !== undefined && this.#stream.readBufferLength === 0) {
        throw closed(this.#peer, this.#failure.message, this.#failure)
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wantedBytes = 0
    if (this.#full()) this.#pause()
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

  #fail(failure: Error): void {
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
