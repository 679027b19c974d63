/**
 * Lines as a stream that its reader paces: a source is asked for more only when what it gave has been taken, so a slow
 * reader costs one chunk of memory, and the place in the log waits. Lines that come together leave together.
 */

import { setImmediate as turn } from 'node:timers/promises'

import { CHUNK_CHARS_MAX, HEARTBEAT_MS } from './options.ts'

export interface StreamOptions {
  /** What is sent at once, so that the reader learns that it is connected, and when nothing else was for a while. */
  readonly heartbeat?: string
  /** How long "a while" is. Default `HEARTBEAT_MS`. */
  readonly heartbeatMs?: number
}

/** Joins `lines` into chunks of about `CHUNK_CHARS_MAX`; what there is leaves when nothing more comes at once. */
export async function* gathered(lines: AsyncIterable<string>, options: StreamOptions = {}): AsyncGenerator<string> {
  const { heartbeat, heartbeatMs = HEARTBEAT_MS } = options
  const source = lines[Symbol.asyncIterator]()
  let next = new Pull(source)
  try {
    if (heartbeat !== undefined) yield heartbeat
    for (;;) {
      while (heartbeat !== undefined && !(await next.settlesWithin(heartbeatMs))) yield heartbeat
      const first = await next.result
      if (first.done === true) return
      let chunk = first.value
      next = new Pull(source)
      const soon = turn('later' as const)
      while (chunk.length < CHUNK_CHARS_MAX) {
        // A failure is met again, and thrown, after what came before it has left.
        const more = await Promise.race([next.result, soon]).catch(() => 'failed' as const)
        if (more === 'later' || more === 'failed' || more.done === true) break
        chunk += more.value
        next = new Pull(source)
      }
      yield chunk
    }
  } finally {
    // A source that still waits ends by its own signal; by then its answer is nobody's any more.
    void source.return?.().catch(() => undefined)
  }
}

/** One line asked for. Waiting for it again and again leaves nothing behind, as racing it against timers would. */
class Pull {
  readonly result: Promise<IteratorResult<string>>
  #settled = false
  #wake = () => {}

  constructor(source: AsyncIterator<string>) {
    this.result = source.next()
    const settle = () => {
      this.#settled = true
      this.#wake()
    }
    this.result.then(settle, settle)
  }

  async settlesWithin(ms: number): Promise<boolean> {
    if (this.#settled) return true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    return this.#settled
  }
}
