/** When the roll of a neighbour is asked for, and the streams for that (roll.ts): soon after meeting, and now and then. */

import type { NamespaceId } from '../../log/namespace.ts'
import type { Net, NetStream, PeerIdText } from '../../net/net.ts'
import { RhizomeError } from '../../errors.ts'
import { type Frames, framesOf, type Schedule } from '../exchange.ts'
import { MEMBERS_MAX, ROLL_IDLE_MS, ROLL_MEET_MS, ROLL_MS, ROLL_PROTOCOL, ROLLS_INBOUND_MAX } from './limits.ts'
import { decodeRollAnswer, decodeRollCall, encodeRollAnswer, encodeRollCall } from './roll.ts'
import type { Room } from './room.ts'

export interface RollsOptions {
  readonly net: Net
  /** From 0 to 1. */
  readonly random: () => number
  readonly schedule: Schedule
  readonly roomOf: (namespace: NamespaceId) => Room | undefined
}

export class Rolls {
  readonly #options: RollsOptions
  readonly #stop = new AbortController()
  readonly #timers = new Set<() => void>()
  #inboundCount = 0
  #askedMs: number | undefined

  constructor(options: RollsOptions) {
    this.#options = options
  }

  meet(namespace: NamespaceId, peer: PeerIdText): void {
    this.#after(ROLL_MEET_MS * this.#options.random(), () => void this.#ask(namespace, peer))
  }

  /** Asks one neighbour of each namespace, if it is time. */
  turn(nowMs: number, rooms: ReadonlyMap<NamespaceId, Room>): void {
    this.#askedMs ??= nowMs
    if (nowMs - this.#askedMs < ROLL_MS) return
    this.#askedMs = nowMs
    for (const [namespace, room] of rooms) {
      const neighbours = room.neighbours()
      const chosen = neighbours[Math.floor(this.#options.random() * neighbours.length)]
      if (chosen !== undefined) void this.#ask(namespace, chosen)
    }
  }

  async serve(stream: NetStream): Promise<void> {
    if (this.#inboundCount >= ROLLS_INBOUND_MAX || this.#stop.signal.aborted) return stream.abort('busy')
    this.#inboundCount++
    const cancel = this.#deadline(stream)
    try {
      const first = await framesOf(stream).next()
      if (first.done === true) return
      const { namespace, known } = decodeRollCall(first.value)
      const lacked = this.#options.roomOf(namespace)?.lackedBy(stream.peer, known) ?? []
      for (const frame of encodeRollAnswer(lacked)) await stream.send(frame)
      await stream.close()
    } catch (error) {
      this.#failed(stream, error)
    } finally {
      cancel()
      this.#inboundCount--
    }
  }

  close(): void {
    this.#stop.abort()
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
  }

  /** Never rejects: what one neighbour does not tell another does, or gossip. */
  async #ask(namespace: NamespaceId, peer: PeerIdText): Promise<void> {
    const room = this.#options.roomOf(namespace)
    if (room === undefined || this.#stop.signal.aborted || !room.isConnected(peer)) return
    let stream: NetStream
    try {
      stream = await this.#options.net.open(peer, ROLL_PROTOCOL, { signal: this.#stop.signal })
    } catch {
      return
    }
    const cancel = this.#deadline(stream)
    try {
      await stream.send(encodeRollCall(namespace, room.roll()))
      await this.#read(framesOf(stream), room)
      await stream.close()
    } catch (error) {
      this.#failed(stream, error)
    } finally {
      cancel()
    }
  }

  async #read(frames: Frames, room: Room): Promise<void> {
    let count = 0
    for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
      const messages = decodeRollAnswer(next.value)
      count += Math.max(1, messages.length)
      if (count > MEMBERS_MAX + 1) throw new RhizomeError('RZ_SYNC_MEMBER_INVALID', 'a roll that does not end')
      room.take(messages)
    }
  }

  #failed(stream: NetStream, error: unknown): void {
    const why = error instanceof Error ? error.message : 'the roll failed'
    stream.abort(why)
    const isOffence =
      error instanceof RhizomeError && ['RZ_SYNC_MEMBER_INVALID', 'RZ_SIGNATURE_INVALID'].includes(error.code)
    if (isOffence) this.#options.net.penalise(stream.peer, why)
  }

  #deadline(stream: NetStream): () => void {
    return this.#after(ROLL_IDLE_MS, () => stream.abort('the roll takes too long'))
  }

  #after(delayMs: number, run: () => void): () => void {
    const stop = (): void => {
      this.#timers.delete(stop)
      cancel()
    }
    const cancel = this.#options.schedule(delayMs, () => {
      this.#timers.delete(stop)
      run()
    })
    this.#timers.add(stop)
    return stop
  }
}
