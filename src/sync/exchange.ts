/**
 * Moves the frames of a session over a stream, both ways at once and with deadlines: a frame is made only when the one before
 * has left, so nothing queues; without any frame sent or received for a while, or after too long in all, the stream is given up.
 */

import { RhizomeError } from '../errors.ts'
import type { NetStream } from '../net/net.ts'
import { SESSION_IDLE_MS, SESSION_MS_MAX } from './limits.ts'
import type { Session } from './session.ts'

export type Schedule = (delayMs: number, run: () => void) => () => void

export interface ExchangeOptions {
  readonly schedule: Schedule
  /** Ends the exchange when the node closes or leaves the namespace. */
  readonly signal: AbortSignal
  /** Told once, when the peer's hello is in. */
  readonly onHello?: () => void
}

/** The frames of a stream, which may be iterated once. */
export type Frames = AsyncIterator<Uint8Array>

export function framesOf(stream: NetStream): Frames {
  return stream.frames()[Symbol.asyncIterator]()
}

/**
 * Runs the session to its end and closes the stream. Throws what the session throws, RZ_NET_STREAM_CLOSED when the stream
 * breaks, RZ_SYNC_STALLED; the stream is aborted then.
 */
export async function exchange(
  stream: NetStream,
  frames: Frames,
  session: Session,
  options: ExchangeOptions,
): Promise<void> {
  const watch = new Watch(options)
  try {
    await Promise.race([watch.expired, pump(stream, frames, session, watch, options.onHello)])
    await stream.close()
  } catch (error) {
    stream.abort(error instanceof Error ? error.message : 'the session failed')
    throw error
  } finally {
    watch.close()
    session.close()
  }
}

/** The first frame of an inbound stream, before it is known whose session it is. */
export async function firstFrame(frames: Frames, options: ExchangeOptions): Promise<Uint8Array> {
  const watch = new Watch(options)
  try {
    const first = await Promise.race([watch.expired, frames.next()])
    if (first.done === true) throw ended()
    return first.value
  } finally {
    watch.close()
  }
}

async function pump(
  stream: NetStream,
  frames: Frames,
  session: Session,
  watch: Watch,
  onHello?: () => void,
): Promise<void> {
  let more = Promise.withResolvers<void>()
  const read = async (): Promise<void> => {
    let greeted = false
    while (!session.finished) {
      const next = await frames.next()
      if (watch.over) return
      if (next.done === true) {
        if (session.finished) return
        throw ended()
      }
      watch.progress()
      session.receive(next.value)
      if (!greeted && session.peer !== undefined) {
        greeted = true
        onHello?.()
      }
      more.resolve()
    }
  }
  const write = async (): Promise<void> => {
    while (!watch.over) {
      const frame = session.next()
      if (frame !== undefined) {
        await stream.send(frame)
        watch.progress()
      } else if (session.finished) {
        return
      } else {
        await more.promise
        more = Promise.withResolvers<void>()
      }
    }
  }
  const writing = write()
  const reading = read()
  // The session ends when the writer has nothing left to say; a failing reader ends it at once.
  await Promise.race([writing, reading.then(() => writing)])
  reading.catch(() => undefined)
}

/** The deadlines of one exchange. */
class Watch {
  readonly expired: Promise<never>
  over = false
  readonly #options: ExchangeOptions
  readonly #reject: (error: Error) => void
  readonly #onAbort = (): void => this.#expire(new RhizomeError('RZ_SYNC_CLOSED', 'the namespace is being left'))
  #cancelIdle: () => void
  readonly #cancelEnd: () => void
  #progressed = false

  constructor(options: ExchangeOptions) {
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined)
    this.expired = promise
    this.#reject = reject
    this.#options = options
    this.#cancelIdle = options.schedule(SESSION_IDLE_MS, () => this.#checkIdle())
    this.#cancelEnd = options.schedule(SESSION_MS_MAX, () => this.#expire(stalled('it takes too long in all')))
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
    if (options.signal.aborted) this.#onAbort()
  }

  progress(): void {
    this.#progressed = true
  }

  close(): void {
    this.over = true
    this.#cancelIdle()
    this.#cancelEnd()
    this.#options.signal.removeEventListener('abort', this.#onAbort)
  }

  #checkIdle(): void {
    if (!this.#progressed) return this.#expire(stalled('nothing was sent or received'))
    this.#progressed = false
    this.#cancelIdle = this.#options.schedule(SESSION_IDLE_MS, () => this.#checkIdle())
  }

  #expire(error: Error): void {
    this.over = true
    this.#reject(error)
  }
}

function stalled(why: string): RhizomeError {
  return new RhizomeError('RZ_SYNC_STALLED', `the sync session was given up: ${why}`)
}

function ended(): RhizomeError {
  return new RhizomeError('RZ_NET_STREAM_CLOSED', 'the peer ended the session before it was over')
}
