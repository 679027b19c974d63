/**
 * Asking all members of a namespace to answer, and answering: a probe and its answers go by gossip, so that members that are
 * not connected answer as well. A node answers one probe of an asker per `PROBE_ANSWER_MS`, and of so many askers at most: that bounds what probes can stir up.
 */

import type { PeerId } from '../../delta/delta.ts'
import type { Schedule } from '../exchange.ts'
import {
  PROBE_ANSWER_MS,
  PROBE_ASKERS_MAX,
  PROBE_MS,
  PROBE_SPREAD_MS_MAX,
  PROBE_SPREAD_PER_MEMBER_MS,
} from './limits.ts'
import type { Answer, Probe } from './message.ts'

export interface ProbingOptions {
  readonly self: PeerId
  readonly steadyMs: () => number
  readonly random: () => number
  readonly schedule: Schedule
  readonly membersCount: () => number
  readonly ask: (number: number) => void
  readonly answer: (asker: PeerId, number: number, heldMs: number) => void
}

export interface ProbeOptions {
  /** Whose answers are waited for; when all are in, it ends. */
  readonly members: readonly PeerId[]
  readonly timeoutMs: number
}

interface Asked {
  readonly number: number
  readonly sentMs: number
  readonly missing: Set<PeerId>
  readonly roundTripsMs: Map<PeerId, number>
  readonly end: () => void
  readonly ended: Promise<void>
}

export class Probing {
  readonly #options: ProbingOptions
  #asked: Asked | undefined
  #number: number
  #askedMs = -Infinity
  /** When the newest probe of an asker was answered: those of the last PROBE_ANSWER_MS. */
  readonly #answeredMs = new Map<PeerId, number>()
  readonly #timers = new Set<() => void>()

  constructor(options: ProbingOptions) {
    this.#options = options
    // Answers to an earlier life of this node are not taken for answers to this one.
    this.#number = Math.floor(options.random() * 0x1_0000_0000) * 0x1_0000
  }

  /** Round trips, milliseconds, of those who answered in time. Calls that overlap share one probe. */
  async probe({ members, timeoutMs }: ProbeOptions): Promise<ReadonlyMap<PeerId, number>> {
    if (members.length === 0) return new Map()
    const asked = this.#asked ?? (await this.#begin(members, timeoutMs))
    await asked.ended
    return asked.roundTripsMs
  }

  async #begin(members: readonly PeerId[], timeoutMs: number): Promise<Asked> {
    const { steadyMs, ask } = this.#options
    const waitMs = this.#askedMs + PROBE_MS - steadyMs()
    if (waitMs > 0) await this.#after(waitMs)
    if (this.#asked !== undefined) return this.#asked
    const { promise, resolve } = Promise.withResolvers<void>()
    const asked: Asked = {
      number: ++this.#number,
      sentMs: steadyMs(),
      missing: new Set(members),
      roundTripsMs: new Map(),
      end: () => {
        if (this.#asked === asked) this.#asked = undefined
        resolve()
      },
      ended: promise,
    }
    this.#asked = asked
    this.#askedMs = asked.sentMs
    ask(asked.number)
    void this.#after(timeoutMs).then(asked.end)
    return asked
  }

  /** Answers whether the probe is passed on: as seldom as it is answered. */
  hearProbe({ peer, number }: Probe): boolean {
    const { steadyMs, random, membersCount, answer, self } = this.#options
    const nowMs = steadyMs()
    for (const [asker, answeredMs] of this.#answeredMs) {
      if (nowMs - answeredMs >= PROBE_ANSWER_MS) this.#answeredMs.delete(asker)
    }
    if (peer === self || this.#answeredMs.has(peer) || this.#answeredMs.size >= PROBE_ASKERS_MAX) return false
    this.#answeredMs.set(peer, nowMs)
    const spreadMs = Math.min(PROBE_SPREAD_MS_MAX, membersCount() * PROBE_SPREAD_PER_MEMBER_MS)
    void this.#after(random() * spreadMs).then(() => answer(peer, number, Math.round(steadyMs() - nowMs)))
    return true
  }

  hearAnswer({ peer, asker, number, heldMs }: Answer): void {
    const asked = this.#asked
    if (asker !== this.#options.self || asked === undefined || asked.number !== number) return
    if (!asked.missing.delete(peer)) return
    asked.roundTripsMs.set(peer, Math.max(0, this.#options.steadyMs() - asked.sentMs - heldMs))
    if (asked.missing.size === 0) asked.end()
  }

  close(): void {
    for (const end of this.#timers) end()
    this.#asked?.end()
  }

  #after(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.schedule(delayMs, () => end())
    const end = (): void => {
      this.#timers.delete(end)
      cancel()
      resolve()
    }
    this.#timers.add(end)
    return promise
  }
}
