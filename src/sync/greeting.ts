/**
 * Sync sessions that peers begin: reads the hello on each stream, within bounds, and hands the stream to the replica that it is for.
 * Who cannot be served is told why.
 */

import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Net, NetStream, PeerIdText } from '../net/net.ts'
import { firstFrame, framesOf, type Schedule } from './exchange.ts'
import { GREETINGS_PER_PEER_MAX, SESSIONS_INBOUND_MAX } from './limits.ts'
import type { Replica } from './replica.ts'
import { decodeFrame, encodeFrame, type Hello, type Refusal } from './wire.ts'

export interface GreetingParts {
  readonly net: Net
  readonly replicas: ReadonlyMap<NamespaceId, Replica>
  readonly steadyMs: () => number
  readonly schedule: Schedule
  /** Refuses whoever comes later. */
  readonly closing: AbortSignal
}

export class Greeting {
  readonly #parts: GreetingParts
  /** By peer, the streams on which it has not said hello yet. */
  readonly #pending = new Map<PeerIdText, number>()

  constructor(parts: GreetingParts) {
    this.#parts = parts
  }

  async receive(stream: NetStream): Promise<void> {
    const { replicas, steadyMs, closing } = this.#parts
    const openedMs = steadyMs()
    if (closing.aborted) return refuse(stream, 'closing')
    const pending = this.#pending.get(stream.peer) ?? 0
    if (pending >= GREETINGS_PER_PEER_MAX || this.#sessions() >= SESSIONS_INBOUND_MAX) return refuse(stream, 'busy')
    const frames = framesOf(stream)
    const hello = await this.#greet(stream, frames)
    if (typeof hello === 'string') return refuse(stream, hello)
    const replica = replicas.get(hello.namespace)
    if (replica === undefined) return refuse(stream, 'namespace')
    if (replica.isServing(stream.peer)) return refuse(stream, 'busy')
    await replica.serve(stream, frames, hello, openedMs)
  }

  async #greet(stream: NetStream, frames: ReturnType<typeof framesOf>): Promise<Hello | Refusal> {
    const { schedule, closing } = this.#parts
    this.#pending.set(stream.peer, (this.#pending.get(stream.peer) ?? 0) + 1)
    try {
      return this.#read(stream, await firstFrame(frames, { schedule, signal: closing }))
    } finally {
      const left = (this.#pending.get(stream.peer) ?? 0) - 1
      if (left > 0) this.#pending.set(stream.peer, left)
      else this.#pending.delete(stream.peer)
    }
  }

  #read(stream: NetStream, bytes: Uint8Array): Hello | Refusal {
    try {
      const frame = decodeFrame(bytes)
      if (frame.kind === 'hello') return frame
      throw new RhizomeError('RZ_SYNC_FRAME_INVALID', `a session that begins with ${frame.kind}`)
    } catch (error) {
      if (error instanceof RhizomeError && error.code === 'RZ_SYNC_VERSION') return 'version'
      this.#parts.net.penalise(stream.peer, error instanceof Error ? error.message : 'no hello')
      throw error
    }
  }

  #sessions(): number {
    let count = 0
    for (const pending of this.#pending.values()) count += pending
    for (const replica of this.#parts.replicas.values()) count += replica.inboundCount
    return count
  }
}

async function refuse(stream: NetStream, reason: Refusal): Promise<void> {
  await stream.send(encodeFrame({ kind: 'refuse', reason }))
  await stream.close()
}
