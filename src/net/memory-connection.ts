/** A connection of two nodes of the network in memory, with the streams on it. See `memory.ts`. */
import { assert } from '../errors.ts'
import { Lane, MemoryStream } from './memory-link.ts'
import { dialFailed } from './net-errors.ts'
import type { NetStream, PeerIdText } from './net.ts'

/** What a node asks of the network around it. */
export interface World {
  nowMs(): number
  random(): number
  schedule(delayMs: number, fn: () => void): void
  /** Calls back after the delay of one hop. */
  hop(arrive: () => void): void
  isCut(from: PeerIdText, to: PeerIdText): boolean
  /** Chances, 0 to 1, for a gossip message on one hop. */
  readonly lossRate: number
  readonly duplicateRate: number
  removed(node: ConnectionEnd): void
  /** The two may be connectable now, or no more. */
  reconsider(a: PeerIdText, b: PeerIdText): void
}

/** What a connection asks of the nodes at its ends. */
export interface ConnectionEnd {
  readonly self: PeerIdText
  has(connection: MemoryConnection): boolean
  disconnected(peer: PeerIdText, connection: MemoryConnection): void
  /** Gives an inbound stream to its handler; false when the protocol has none. */
  serve(protocol: string, stream: MemoryStream): boolean
}

export class MemoryConnection {
  readonly ends: readonly [ConnectionEnd, ConnectionEnd]
  readonly connectedAtMs: number
  readonly #world: World
  readonly #lanes = new Map<PeerIdText, Lane>()
  readonly #streams = new Set<readonly [MemoryStream, MemoryStream]>()
  /** What fails the streams that are still being opened. */
  readonly #opening = new Set<(reason: string) => void>()

  constructor(a: ConnectionEnd, b: ConnectionEnd, world: World) {
    this.ends = [a, b]
    this.#world = world
    this.connectedAtMs = world.nowMs()
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const isCut = (): boolean => world.isCut(from.self, to.self)
      this.#lanes.set(from.self, new Lane((arrive) => world.hop(arrive), isCut))
    }
  }

  laneOf(from: PeerIdText): Lane {
    const lane = this.#lanes.get(from)
    assert(lane !== undefined, 'a connection has a lane for each of its ends')
    return lane
  }

  /** A round trip, as negotiating a protocol takes; the other side's handler begins half way. */
  openStream(opener: ConnectionEnd, answerer: ConnectionEnd, protocol: string): Promise<NetStream> {
    const { promise, resolve, reject } = Promise.withResolvers<NetStream>()
    const there = this.laneOf(opener.self)
    const back = this.laneOf(answerer.self)
    const pair = MemoryStream.pair({ peer: opener.self, lane: there }, { peer: answerer.self, lane: back })
    const [mine, theirs] = pair
    const fail = (reason: string): void => {
      this.#opening.delete(fail)
      reject(dialFailed(answerer.self, protocol, reason))
    }
    this.#opening.add(fail)
    there.put(() => {
      if (!answerer.serve(protocol, theirs)) return back.put(() => fail('it does not speak it'))
      this.#forgetFinished()
      this.#streams.add(pair)
      back.put(() => {
        this.#opening.delete(fail)
        resolve(mine)
      })
    })
    return promise
  }

  /** Answers how many it broke. */
  breakStreams(reason: string): number {
    this.#forgetFinished()
    const brokenCount = this.#streams.size
    for (const stream of [...this.#streams].flat()) stream.fail(reason)
    this.#streams.clear()
    return brokenCount
  }

  #forgetFinished(): void {
    for (const pair of this.#streams) if (pair.every((stream) => stream.finished)) this.#streams.delete(pair)
  }

  healed(): void {
    for (const lane of this.#lanes.values()) lane.healed()
  }

  /** It is over: both ends learn of it, streams under way break, and the two look for each other again. */
  end(reason: string): void {
    if (this.ends.every((end) => !end.has(this))) return
    for (const lane of this.#lanes.values()) lane.takeDown()
    for (const fail of this.#opening) fail(reason)
    this.breakStreams(reason)
    const [a, b] = this.ends
    a.disconnected(b.self, this)
    b.disconnected(a.self, this)
    this.#world.reconsider(a.self, b.self)
  }
}
