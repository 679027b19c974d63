/**
 * Shards that are held elsewhere and followed here: of each one question at a time to a holder, which that answers when something
 * has changed, shared by all who watch it here. It goes on with the same holder while that answers; another, or the same after it
 * has lost its store, does not know from where, and then whoever follows begins with all records. It lasts while somebody
 * follows, and waits while nobody holds the shard.
 */

import type { PeerId } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { LATER_MS_MAX, LATER_PER_PEER_MAX } from '../../sync/questions/limits.ts'
import type { Environment } from '../environment.ts'
import { cursorValue, parseChanges } from './change-words.ts'
import type { Changes } from './changes.ts'
import type { Holders } from './holders.ts'
import { FOLLOW_AGAIN_MS, FOLLOW_PACE_MS, TOLD_MAX, TURNS_MS } from './limits.ts'
import type { Shard } from './shard.ts'
import { waitFor } from './waiting.ts'
import type { StoreCursor } from './watch-cursor.ts'

export interface FollowingParts {
  readonly environment: Environment
  readonly holders: Holders
  readonly closing: AbortSignal
}

/** By whom a shard is followed, and how far. */
export interface FollowedAt {
  readonly holder: PeerId
  readonly cursor: StoreCursor
}

/** Hears of everything that happens behind `FollowedShard.at`, which has moved on already when it hears of it. */
export interface Follower {
  /** It is followed from now on, by this holder or by another than before: what happened until then is not told. */
  readonly onBegun: () => void
  readonly onChanges: (changes: Changes) => void
  /** Nobody answers: `FollowedShard.failure` says why. It is asked again. */
  readonly onFailed: () => void
}

export class Following {
  readonly #parts: FollowingParts
  readonly #followed = new Map<Shard, FollowedShard>()

  constructor(parts: FollowingParts) {
    this.#parts = parts
  }

  /** Answers what it is followed by, and what ends that. */
  follow(shard: Shard, follower: Follower): { readonly followed: FollowedShard; readonly leave: () => void } {
    const followed = this.#followed.get(shard) ?? this.#begin(shard)
    return { followed, leave: followed.join(follower) }
  }

  #begin(shard: Shard): FollowedShard {
    const waitMs = (): number => (this.#followed.size > LATER_PER_PEER_MAX ? TURNS_MS : LATER_MS_MAX)
    const followed = new FollowedShard(shard, { ...this.#parts, waitMs, onEnd: () => this.#followed.delete(shard) })
    this.#followed.set(shard, followed)
    return followed
  }
}

interface FollowedParts extends FollowingParts {
  readonly waitMs: () => number
  readonly onEnd: () => void
}

export class FollowedShard {
  readonly #shard: Shard
  readonly #parts: FollowedParts
  readonly #followers = new Set<Follower>()
  #at: FollowedAt | undefined
  #failure: RhizomeError | undefined
  /** Its answers could not be read. */
  #shunned: PeerId | undefined
  #isAsking = false

  constructor(shard: Shard, parts: FollowedParts) {
    this.#shard = shard
    this.#parts = parts
  }

  /** Undefined until a holder has answered. */
  get at(): FollowedAt | undefined {
    return this.#at
  }

  /** Why nobody has answered last; undefined where somebody has. */
  get failure(): RhizomeError | undefined {
    return this.#failure
  }

  join(follower: Follower): () => void {
    this.#followers.add(follower)
    if (!this.#isAsking) void this.#ask()
    return () => void this.#followers.delete(follower)
  }

  /** Asks on and on while somebody follows. */
  async #ask(): Promise<void> {
    this.#isAsking = true
    try {
      while (this.#followers.size > 0) {
        try {
          await this.#askOnce()
        } catch (error) {
          if (!(error instanceof RhizomeError)) throw error
          this.#failure = error
          for (const follower of this.#followers) follower.onFailed()
          await this.#wait(FOLLOW_AGAIN_MS)
        }
      }
    } catch (error) {
      if (!this.#parts.closing.aborted) throw error
    } finally {
      this.#parts.onEnd()
    }
  }

  async #askOnce(): Promise<void> {
    const { holders, environment, waitMs } = this.#parts
    const { holder, cursor: after } = this.#at ?? {}
    const content = { after: cursorValue(after), waitMs: waitMs() }
    const startMs = environment.steadyMs()
    const heard = await holders.askLater(this.#shard, 'changes', content, { first: holder, last: this.#shunned })
    this.#shunned = heard.by as PeerId
    const changes = parseChanges(heard.items, heard.end)
    if (changes.isKnown && !getsOn(changes, after)) {
      throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', `${heard.by} tells changes that lead nowhere`)
    }
    this.#shunned = undefined
    this.#failure = undefined
    this.#at = { holder: heard.by as PeerId, cursor: changes.cursor }
    for (const follower of this.#followers) {
      if (changes.isKnown) follower.onChanges(changes)
      else follower.onBegun()
    }
    // Whoever has nothing to tell waits before it says so, and else is not asked as fast as it answers.
    const isEmpty = changes.records.length === 0 && changes.rules.length === 0
    if (isEmpty && environment.steadyMs() - startMs < FOLLOW_PACE_MS) await this.#wait(FOLLOW_PACE_MS)
  }

  #wait(delayMs: number): Promise<void> {
    const { environment, closing } = this.#parts
    return waitFor(delayMs, environment, closing)
  }
}

/** Whether they begin where they were asked from, have moved on where there is more, and are no more than a holder tells at once. */
function getsOn({ records, rules, cursor, isAll }: Changes, after: StoreCursor | undefined): boolean {
  if (after?.life !== cursor.life || cursor.position < after.position) return false
  return (isAll || cursor.position > after.position) && records.length + rules.length <= 4 * TOLD_MAX
}
