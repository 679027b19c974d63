/**
 * Heartbeats between this node and the peers that it is connected to, for all namespaces together: each side sends on a
 * stream of its own, so that what arrives tells of the sender's timers and of the network, and of nothing else. A peer that
 * does not read gets no more of them. Owns the streams; what a silence means is membership.ts's.
 */

import type { Net, NetStream, PeerIdText } from '../../net/net.ts'
import type { Schedule } from '../exchange.ts'
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from './heartbeat-frame.ts'
import { HEARTBEAT_PROTOCOL, OPEN_MS_MAX, REOPEN_MS, STREAMS_PER_PEER_MAX } from './limits.ts'
import { Arrivals, type PhiParameters } from './phi.ts'
import { RoundTrips } from './round-trips.ts'

export interface HeartbeatsOptions extends PhiParameters {
  readonly net: Net
  readonly intervalMs: number
  /** Only ever grows. */
  readonly steadyMs: () => number
  /** Tells the date. */
  readonly wallMs: () => number
  readonly schedule: Schedule
  readonly onBeat: (peer: PeerIdText, nowMs: number) => void
}

interface Neighbour {
  readonly roundTrips: RoundTrips
  stream?: NetStream
  isBusy: boolean
  /** Not opened again before. */
  notBeforeMs: number
  sentCount: number
  heard?: { readonly number: number; readonly atMs: number }
}

export class Heartbeats {
  readonly #options: HeartbeatsOptions
  readonly #neighbours = new Map<PeerIdText, Neighbour>()
  /** Kept past the end of a connection: the silence goes on. */
  readonly #arrivals = new Map<PeerIdText, Arrivals>()
  readonly #inbound = new Map<PeerIdText, number>()
  readonly #stop = new AbortController()

  constructor(options: HeartbeatsOptions) {
    this.#options = options
    options.net.handle(HEARTBEAT_PROTOCOL, (stream) => this.#serve(stream))
  }

  arrivalsOf(peer: PeerIdText): Arrivals | undefined {
    return this.#arrivals.get(peer)
  }

  timesOf(peer: PeerIdText): RoundTrips | undefined {
    return this.#neighbours.get(peer)?.roundTrips
  }

  /** Clocks of the connected peers less ours, as far as they are known. */
  clockOffsets(): readonly number[] {
    return [...this.#neighbours.values()].flatMap(({ roundTrips }) => roundTrips.clockOffsetMs ?? [])
  }

  add(peer: PeerIdText): void {
    if (this.#neighbours.has(peer)) return
    this.#neighbours.set(peer, { roundTrips: new RoundTrips(), isBusy: false, notBeforeMs: 0, sentCount: 0 })
  }

  remove(peer: PeerIdText): void {
    this.#neighbours.get(peer)?.stream?.abort('it is no neighbour any more')
    this.#neighbours.delete(peer)
  }

  /** Nobody asks about its silence any more. */
  forget(peer: PeerIdText): void {
    this.#arrivals.delete(peer)
  }

  send(): void {
    const nowMs = this.#options.steadyMs()
    for (const [peer, neighbour] of this.#neighbours) {
      if (!neighbour.isBusy && nowMs >= neighbour.notBeforeMs) void this.#sendTo(peer, neighbour)
    }
  }

  close(): void {
    this.#stop.abort()
    for (const peer of this.#neighbours.keys()) this.remove(peer)
  }

  /** Never rejects: whom nothing reaches is found silent. */
  async #sendTo(peer: PeerIdText, neighbour: Neighbour): Promise<void> {
    neighbour.isBusy = true
    try {
      neighbour.stream ??= await this.#open(peer)
      if (this.#neighbours.get(peer) !== neighbour) return neighbour.stream.abort('it is no neighbour any more')
      const { intervalMs, steadyMs, wallMs } = this.#options
      const nowMs = steadyMs()
      const { heard } = neighbour
      const number = neighbour.sentCount++
      neighbour.roundTrips.sent(number, nowMs)
      const echo = heard && { number: heard.number, heldMs: Math.round(nowMs - heard.atMs) }
      await neighbour.stream.send(
        encodeHeartbeat({ number, intervalMs, clockMs: wallMs(), ...(echo === undefined ? {} : { echo }) }),
      )
    } catch {
      neighbour.stream?.abort('a heartbeat could not be sent')
      delete neighbour.stream
      neighbour.notBeforeMs = this.#options.steadyMs() + REOPEN_MS
    } finally {
      neighbour.isBusy = false
    }
  }

  async #open(peer: PeerIdText): Promise<NetStream> {
    const late = new AbortController()
    const cancel = this.#options.schedule(OPEN_MS_MAX, () => late.abort(new Error('it takes too long')))
    try {
      return await this.#options.net.open(peer, HEARTBEAT_PROTOCOL, {
        signal: AbortSignal.any([this.#stop.signal, late.signal]),
      })
    } finally {
      cancel()
    }
  }

  async #serve(stream: NetStream): Promise<void> {
    const { peer } = stream
    const count = this.#inbound.get(peer) ?? 0
    if (count >= STREAMS_PER_PEER_MAX || this.#stop.signal.aborted) return stream.abort('too many heartbeats')
    this.#inbound.set(peer, count + 1)
    this.#arrivals.get(peer)?.resume()
    try {
      for await (const frame of stream.frames()) this.#hear(peer, this.#decode(stream, frame))
    } catch {
      // The stream broke: the peer opens another, or is found silent.
    } finally {
      const left = (this.#inbound.get(peer) ?? 0) - 1
      if (left > 0) this.#inbound.set(peer, left)
      else this.#inbound.delete(peer)
    }
  }

  #decode(stream: NetStream, frame: Uint8Array): Heartbeat {
    try {
      return decodeHeartbeat(frame)
    } catch (error) {
      this.#options.net.penalise(stream.peer, error instanceof Error ? error.message : 'no heartbeat')
      stream.abort('not a heartbeat')
      throw error
    }
  }

  #hear(peer: PeerIdText, beat: Heartbeat): void {
    const neighbour = this.#neighbours.get(peer)
    // Before gossip has told that it takes part, or after it has left.
    if (neighbour === undefined) return
    const nowMs = this.#options.steadyMs()
    let arrivals = this.#arrivals.get(peer)
    if (arrivals === undefined) this.#arrivals.set(peer, (arrivals = new Arrivals(this.#options)))
    arrivals.arrived(nowMs, beat.intervalMs)
    neighbour.heard = { number: beat.number, atMs: nowMs }
    neighbour.roundTrips.heard(beat, nowMs, this.#options.wallMs())
    this.#options.onBeat(peer, nowMs)
  }
}
