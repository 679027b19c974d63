/**
 * The wire of the network in memory: ordered lanes between two nodes, and bounded streams over them. Time is whatever
 * `schedule` makes of it; nothing here reads a clock or sets a timer. Owned by `memory.ts`.
 */
import { assert, type RhizomeError } from '../errors.ts'
import { FRAME_BYTES_MAX, type NetStream, type PeerIdText } from './net.ts'
import { closed, tooLarge } from './net-errors.ts'

/** Bytes in flight and unread in one direction of a stream before its sender waits. */
const MEMORY_STREAM_BYTES = 262_144

/** One direction of a connection: what is put in comes out in the same order, later. It stalls while it is cut. */
export class Lane {
  readonly #delay: (arrive: () => void) => void
  readonly #isCut: () => boolean
  readonly #queue: (() => void)[] = []
  #stalledCount = 0
  #down = false

  constructor(delay: (arrive: () => void) => void, isCut: () => boolean) {
    this.#delay = delay
    this.#isCut = isCut
  }

  put(arrive: () => void): void {
    if (this.#down) return
    this.#queue.push(arrive)
    this.#delay(() => this.#pump())
  }

  /** The cut may be over: what stalled travels on. */
  healed(): void {
    const stalledCount = this.#stalledCount
    this.#stalledCount = 0
    for (let each = 0; each < stalledCount; each += 1) this.#delay(() => this.#pump())
  }

  /** What is still under way is lost. */
  takeDown(): void {
    this.#down = true
    this.#queue.length = 0
  }

  /** Each arrival lets the oldest out, so that random delays never reorder. */
  #pump(): void {
    if (this.#down) return
    if (this.#isCut()) this.#stalledCount += 1
    else this.#queue.shift()?.()
  }
}

/** One direction of a stream: its writer's and its reader's view of the same bytes. */
class Pipe {
  readonly #unread: Uint8Array[] = []
  #heldBytes = 0
  #ended = false
  #readerFailure: RhizomeError | undefined
  #writerFailure: RhizomeError | undefined
  readonly #waiting: (() => void)[] = []

  /** Counted from the moment of sending, whether or not it has arrived. */
  hold(bytes: number): void {
    if (this.#writerFailure !== undefined) throw this.#writerFailure
    this.#heldBytes += bytes
  }

  async room(): Promise<void> {
    while (this.#heldBytes > MEMORY_STREAM_BYTES && this.#writerFailure === undefined) await this.#changed()
    if (this.#writerFailure !== undefined) throw this.#writerFailure
  }

  arrive(frame: Uint8Array): void {
    this.#unread.push(frame)
    this.#notify()
  }

  end(): void {
    this.#ended = true
    this.#notify()
  }

  /** The next frame; undefined at the clean end. What arrived before a break is still read. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#unread.shift()
      if (frame !== undefined) {
        this.#heldBytes -= frame.length
        this.#notify()
        return frame
      }
      if (this.#readerFailure !== undefined) throw this.#readerFailure
      if (this.#ended) return undefined
      await this.#changed()
    }
  }

  /** Nothing will come any more, though some may lie unread. */
  get over(): boolean {
    return this.#ended || this.#readerFailure !== undefined
  }

  breakReader(failure: RhizomeError): void {
    if (!this.#ended) this.#readerFailure ??= failure
    this.#notify()
  }

  breakWriter(failure: RhizomeError): void {
    this.#writerFailure ??= failure
    this.#notify()
  }

  #changed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    return promise
  }

  #notify(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** One node's end of a stream. */
export class MemoryStream implements NetStream {
  readonly peer: PeerIdText
  readonly #out: Pipe
  readonly #in: Pipe
  readonly #lane: Lane
  #remote: MemoryStream | undefined
  #closed = false
  #iterated = false

  constructor(peer: PeerIdText, pipes: { readonly out: Pipe; readonly in: Pipe }, lane: Lane) {
    this.peer = peer
    this.#out = pipes.out
    this.#in = pipes.in
    this.#lane = lane
  }

  async send(frame: Uint8Array): Promise<void> {
    if (frame.length > FRAME_BYTES_MAX) throw tooLarge(frame.length)
    if (this.#closed) throw closed(this.peer, 'it was closed before the send')
    const copy = frame.slice()
    this.#out.hold(copy.length)
    this.#lane.put(() => this.#out.arrive(copy))
    await this.#out.room()
  }

  frames(): AsyncGenerator<Uint8Array, void, void> {
    assert(!this.#iterated, 'the frames of a stream are iterated once')
    this.#iterated = true
    return this.#frames()
  }

  async *#frames(): AsyncGenerator<Uint8Array, void, void> {
    for (let frame = await this.#in.next(); frame !== undefined; frame = await this.#in.next()) yield frame
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#lane.put(() => this.#out.end())
  }

  abort(reason: string): void {
    this.fail(reason)
    const remote = this.#remote
    this.#lane.put(() => remote?.fail('the other side reset it'))
  }

  /** Neither side of this end will carry anything more. */
  get finished(): boolean {
    return this.#closed && this.#in.over
  }

  /** This end is told that the stream is broken. */
  fail(reason: string): void {
    this.#closed = true
    const failure = closed(this.peer, reason)
    this.#in.breakReader(failure)
    this.#out.breakWriter(failure)
  }

  /** Both ends of a new stream; the first belongs to the node that opens it. */
  static pair(opener: Side, answerer: Side): readonly [MemoryStream, MemoryStream] {
    const there = new Pipe()
    const back = new Pipe()
    const first = new MemoryStream(answerer.peer, { out: there, in: back }, opener.lane)
    const second = new MemoryStream(opener.peer, { out: back, in: there }, answerer.lane)
    first.#remote = second
    second.#remote = first
    return [first, second]
  }
}

/** A node's side of a connection: who it is and the lane that it sends on. */
export interface Side {
  readonly peer: PeerIdText
  readonly lane: Lane
}
