/**
 * How slow this node is itself, by how late its own timer fires. A slow node would find everybody else silent: it
 * stretches its times, and until it has read what came meanwhile it judges nobody. Pure; time is passed in.
 * Dadgar, Phillips, Currey, "Lifeguard: Local Health Awareness for More Accurate Failure Detection" (2018), 3.1.
 */

/** After a late turn, heartbeats that wait in sockets need so many of their intervals to be read. */
const BLIND_HEARTBEATS = 2

/** So many turns on time in a row take one from the score: a machine that is short of processors is late now and then. */
const RECOVERY_TURNS = 5

export interface AwarenessOptions {
  readonly heartbeatMs: number
  readonly slownessMax: number
}

export class Awareness {
  readonly #options: AwarenessOptions
  #score = 0
  #wellCount = 0
  #dueMs: number | undefined
  #blindUntilMs = -Infinity

  constructor(options: AwarenessOptions) {
    this.#options = options
  }

  /** 0 for a node that is well, at most `slownessMax`. */
  get score(): number {
    return this.#score
  }

  /** Times are to be multiplied by this. */
  get factor(): number {
    return 1 + this.#score
  }

  /** The timer fired, and will again in `nextMs`. Answers how late it was: 0 when it was on time. */
  turn(nowMs: number, nextMs: number): number {
    const lateMs = this.#dueMs === undefined ? 0 : nowMs - this.#dueMs
    this.#dueMs = nowMs + nextMs
    const { heartbeatMs, slownessMax } = this.#options
    if (slownessMax === 0 || lateMs < heartbeatMs / 2) {
      if (++this.#wellCount % RECOVERY_TURNS === 0) this.#score = Math.max(0, this.#score - 1)
      return 0
    }
    this.#wellCount = 0
    const missed = Math.ceil(lateMs / heartbeatMs)
    this.#score = Math.min(slownessMax, this.#score + missed)
    this.#blindUntilMs = nowMs + BLIND_HEARTBEATS * heartbeatMs
    return lateMs
  }

  /** Others found this node silent, and it was not. */
  refuted(): void {
    this.#score = Math.min(this.#options.slownessMax, this.#score + 1)
  }

  /** Whether it may have missed what others sent. */
  isBlind(nowMs: number): boolean {
    return nowMs < this.#blindUntilMs
  }
}
