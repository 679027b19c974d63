/** Who else holds a shard, by the presences in its parent, and asking them. src/node/README.md, Shards. */

import type { PeerId, Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { Asked, Asking, AskOptions, Heard } from '../../sync/questions/asking.ts'
import type { Member } from '../../sync/members/member.ts'
import type { Replication } from '../../sync/replication.ts'
import type { Environment } from '../environment.ts'
import { DROP_AGAIN_MS, ROUND_MS, ROUNDS_MAX, START_MS } from './limits.ts'
import { type Shard, unheld } from './shard.ts'
import { waitFor } from './waiting.ts'
import type { Word } from './words.ts'

export interface HoldersParts {
  readonly environment: Environment
  /** Undefined for a node without a network. */
  readonly replication: () => Replication | undefined
  readonly asking: Asking | undefined
  readonly closing: AbortSignal
}

export class Holders {
  readonly #parts: HoldersParts
  readonly #startedMs: number

  constructor(parts: HoldersParts) {
    this.#parts = parts
    this.#startedMs = parts.environment.steadyMs()
  }

  /** Whether presences have had time to come since the node has started. */
  get isSettled(): boolean {
    return this.#parts.environment.steadyMs() - this.#startedMs >= START_MS
  }

  /** Other nodes that are there and hold it. */
  members(shard: Shard): readonly Member[] {
    const members = this.#parts.replication()?.members(shard.parent.id) ?? []
    return members.filter(
      ({ state, namespaces }) => (state === 'alive' || state === 'suspect') && namespaces.includes(shard.name),
    )
  }

  /** Those that answered last, are connected and alive first. */
  of(shard: Shard): readonly PeerId[] {
    const rank = (member: { readonly peer: PeerId; readonly connected: boolean; readonly state: string }) =>
      (member.connected ? 0 : 4) + (member.state === 'alive' ? 0 : 2) + (member.peer === shard.preferred ? 0 : 1)
    return this.members(shard)
      .toSorted(
        (a, b) => rank(a) - rank(b) || (a.roundTripMs ?? 0) - (b.roundTripMs ?? 0) || (a.peer < b.peer ? -1 : 1),
      )
      .map(({ peer }) => peer)
  }

  /**
   * Asks the holders, one after the other and a few times, until one has answered. Throws RZ_SHARD_UNHELD, RZ_SHARD_UNANSWERED,
   * RZ_NODE_BUSY, and what the holder refuses the question with.
   */
  async ask(shard: Shard, word: Word, content: Value, by?: PeerId): Promise<Heard> {
    for (let round = 1; ; round++) {
      const asked = await this.#round(shard, { word, content }, by === undefined ? await this.#present(shard) : [by])
      if (asked.kind === 'answered') return asked.heard
      if (round >= ROUNDS_MAX) throw unanswered(shard, asked)
      await this.#wait(ROUND_MS * round)
    }
  }

  /**
   * As `ask`, for an answer that may wait until something happens: each holder is asked once, `first` before the others and
   * `last` behind them.
   */
  async askLater(
    shard: Shard,
    word: Word,
    content: Value,
    { first, last }: { readonly first: PeerId | undefined; readonly last: PeerId | undefined },
  ): Promise<Heard> {
    const rank = (peer: PeerId): number => (peer === first ? 0 : 1) + (peer === last ? 2 : 0)
    const holders = (await this.#present(shard)).toSorted((a, b) => rank(a) - rank(b))
    const asked = await this.#round(shard, { word, content }, holders, { isLater: true })
    if (asked.kind === 'answered') return asked.heard
    throw unanswered(shard, asked)
  }

  async #round(
    shard: Shard,
    { word, content }: { readonly word: Word; readonly content: Value },
    holders: readonly PeerId[],
    options: AskOptions = {},
  ): Promise<Exclude<Asked, { kind: 'refused' }>> {
    const { asking } = this.#parts
    if (asking === undefined) throw unheld(shard, 'this node has no network, and does not hold')
    if (holders.length === 0) throw unheld(shard)
    const asked = await asking.ask({ namespace: shard.id, word, content }, holders, options)
    if (asked.kind === 'refused') throw asked.error
    if (asked.kind === 'answered') shard.preferred = asked.heard.by as PeerId
    return asked
  }

  /** A node that has just started hears of the others first. */
  async #present(shard: Shard): Promise<readonly PeerId[]> {
    for (;;) {
      const holders = this.of(shard)
      if (holders.length > 0 || this.isSettled) return holders
      await this.#wait(DROP_AGAIN_MS)
    }
  }

  #wait(delayMs: number): Promise<void> {
    const { environment, closing } = this.#parts
    return waitFor(delayMs, environment, closing)
  }
}

function unanswered({ name }: Shard, { tried }: Extract<Asked, { kind: 'unanswered' }>): RhizomeError {
  const why = tried.map(({ peer, why: reason }) => `${peer}: ${reason}`).join('; ')
  return new RhizomeError('RZ_SHARD_UNANSWERED', `no holder of "${name}" has answered: ${why}`)
}
