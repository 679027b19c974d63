/**
 * Answers what other nodes ask on `/rhizome/query/1`: one question a stream, so many at once in all and of one peer, each under
 * a deadline, at the pace of its reader, and for a share of this node's time. Whatever a question holds, the answer is items and an end, or a fault with a code;
 * what is no question costs its sender standing. What is answered is the handler's (`node`).
 */

import type { Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { Net, NetStream, PeerIdText } from '../../net/net.ts'
import { framesOf, type Schedule } from '../exchange.ts'
import {
  ANSWER_BYTES_MAX,
  ANSWER_IDLE_MS,
  ANSWER_ITEMS_MAX,
  ANSWER_MS_MAX,
  ANSWERED_MAX,
  ANSWERED_PER_PEER_MAX,
  LATER_MAX,
  LATER_MS_MAX,
  LATER_PER_PEER_MAX,
  PART_BYTES,
  PART_ITEMS_MAX,
  PART_MS,
  QUESTION_MS_MAX,
  QUESTION_PROTOCOL,
  WORK_BURST_MS,
  WORK_LOOK_MS,
  WORK_SHARE,
} from './limits.ts'
import { Slots } from './slots.ts'
import { type AnswerFrame, decodeQuestion, encodeAnswer, encodeItem, type Question } from './wire.ts'

/** What a question is answered with. */
export interface Given {
  /** Read as they are sent. */
  readonly items?: Iterable<Value>
  readonly end: Value
}

/** An answer that waits for something to happen. */
export interface Later {
  /** Resolves when there is something to tell, or when the signal ends. */
  readonly until: (signal: AbortSignal) => Promise<void>
  /** How long it waits, `LATER_MS_MAX` at most. */
  readonly waitMs: number
  readonly answer: () => Given
}

/** Throws a RhizomeError for what cannot be answered: its code and text go to who asks. */
export type Answerer = (question: Question, from: PeerIdText) => Given | Later | Promise<Given>

export interface AnsweringOptions {
  readonly net: Net
  readonly schedule: Schedule
  /** Only ever grows. */
  readonly steadyMs: () => number
  readonly answer: Answerer
}

export class Answering {
  readonly #options: AnsweringOptions
  readonly #now = new Slots(ANSWERED_MAX, ANSWERED_PER_PEER_MAX)
  readonly #later = new Slots(LATER_MAX, LATER_PER_PEER_MAX)
  readonly #streams = new Map<NetStream, Slots>()
  /** By peer, the work of which its share has not made up yet, as of when. */
  readonly #work = new Map<PeerIdText, { readonly ms: number; readonly atMs: number }>()
  readonly #closing = new AbortController()

  /** Registers the protocol's handler. */
  constructor(options: AnsweringOptions) {
    this.#options = options
    options.net.handle(QUESTION_PROTOCOL, (stream) => this.#serve(stream))
  }

  close(): void {
    this.#closing.abort()
    for (const stream of this.#streams.keys()) stream.abort('the node is closing')
  }

  async #serve(stream: NetStream): Promise<void> {
    const { peer } = stream
    if (this.#closing.signal.aborted) return stream.abort('the node is closing')
    if (!this.#now.take(peer)) return stream.abort('busy')
    this.#streams.set(stream, this.#now)
    const cancelEnd = this.#after(stream, ANSWER_MS_MAX, 'the answer takes too long')
    try {
      await this.#exchange(stream)
      await stream.close()
    } catch (error) {
      this.#failed(stream, error)
    } finally {
      cancelEnd()
      this.#streams.get(stream)?.leave(peer)
      this.#streams.delete(stream)
    }
  }

  async #exchange(stream: NetStream): Promise<void> {
    const cancel = this.#after(stream, QUESTION_MS_MAX, 'no question came')
    const first = await framesOf(stream)
      .next()
      .finally(() => cancel())
    if (first.done === true) return
    const question = decodeQuestion(first.value)
    try {
      await this.#untilDue(stream.peer)
      const answer = await this.#worked(stream.peer, () => this.#options.answer(question, stream.peer))
      const { items = [], end } = 'until' in answer ? await this.#waited(stream, answer) : answer
      const parts = partsOf(items, this.#options.steadyMs)[Symbol.iterator]()
      for (;;) {
        await this.#untilDue(stream.peer)
        const part = this.#worked(stream.peer, () => parts.next())
        if (part.done === true) break
        await this.#send(stream, { kind: 'part', items: part.value })
      }
      await this.#send(stream, { kind: 'end', content: end })
    } catch (error) {
      if (!(error instanceof RhizomeError) || error.code === 'RZ_NET_STREAM_CLOSED') throw error
      await this.#send(stream, { kind: 'fault', code: error.code, text: error.message })
    }
  }

  /** Gives the slot of an ordinary question back before it waits. Throws RZ_NODE_BUSY: another may have room. */
  async #waited(stream: NetStream, { until, waitMs, answer }: Later): Promise<Given> {
    const { peer } = stream
    if (!this.#later.take(peer)) throw new RhizomeError('RZ_NODE_BUSY', 'too many questions wait for something already')
    this.#streams.get(stream)?.leave(peer)
    this.#streams.set(stream, this.#later)
    const over = new AbortController()
    const cancel = this.#options.schedule(Math.min(waitMs, LATER_MS_MAX), () => over.abort())
    try {
      await until(AbortSignal.any([over.signal, this.#closing.signal]))
    } finally {
      cancel()
    }
    await this.#untilDue(peer)
    return this.#worked(peer, answer)
  }

  /** Does work for a peer, which counts as long as nothing is waited for. */
  #worked<Done>(peer: PeerIdText, work: () => Done): Done {
    const startMs = this.#options.steadyMs()
    try {
      return work()
    } finally {
      const atMs = this.#options.steadyMs()
      this.#work.set(peer, { ms: this.#owed(peer, atMs) + atMs - startMs, atMs })
    }
  }

  #owed(peer: PeerIdText, nowMs: number): number {
    const { ms = 0, atMs = nowMs } = this.#work.get(peer) ?? {}
    return Math.max(0, ms - (nowMs - atMs) * WORK_SHARE)
  }

  /** Waits while the peer has taken more than its share. */
  async #untilDue(peer: PeerIdText): Promise<void> {
    const { schedule, steadyMs } = this.#options
    while (!this.#closing.signal.aborted && this.#owed(peer, steadyMs()) > WORK_BURST_MS) {
      await new Promise<void>((resolve) => schedule(WORK_LOOK_MS, resolve))
    }
    if (this.#owed(peer, steadyMs()) === 0) this.#work.delete(peer)
  }

  /** Who reads nothing is cut off. */
  async #send(stream: NetStream, frame: AnswerFrame): Promise<void> {
    const cancel = this.#after(stream, ANSWER_IDLE_MS, 'nothing is read')
    try {
      await stream.send(encodeAnswer(frame))
    } finally {
      cancel()
    }
  }

  #failed(stream: NetStream, error: unknown): void {
    const why = error instanceof Error ? error.message : 'the question failed'
    stream.abort(why)
    // A bug of ours: the handler's failure is the net's to tell.
    if (!(error instanceof RhizomeError)) throw error
    if (error.code === 'RZ_SYNC_QUESTION_INVALID') this.#options.net.penalise(stream.peer, why)
  }

  #after(stream: NetStream, delayMs: number, why: string): () => void {
    return this.#options.schedule(delayMs, () => stream.abort(why))
  }
}

/** Items by frames. Throws RZ_BYTES_TOO_LARGE for more than one answer may have. */
function* partsOf(items: Iterable<Value>, steadyMs: () => number): Iterable<readonly Uint8Array[]> {
  let part: Uint8Array[] = []
  let partBytes = 0
  let bytes = 0
  let count = 0
  let sinceMs = steadyMs()
  for (const item of items) {
    const encoded = encodeItem(item)
    bytes += encoded.length
    if (bytes > ANSWER_BYTES_MAX || ++count > ANSWER_ITEMS_MAX) {
      throw new RhizomeError('RZ_BYTES_TOO_LARGE', 'the answer is too large for one: ask for less, or by pages')
    }
    const isFull = partBytes + encoded.length > PART_BYTES || part.length === PART_ITEMS_MAX
    if (part.length > 0 && (isFull || steadyMs() - sinceMs > PART_MS)) {
      yield part
      part = []
      partBytes = 0
      sinceMs = steadyMs()
    }
    part.push(encoded)
    partBytes += encoded.length
  }
  if (part.length > 0) yield part
}
