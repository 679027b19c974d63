/**
 * What holders have said that they hold. A receipt counts once the hash that it names is the one held here: then its holder
 * has this very chain, and with it every block before. One for blocks that are not here yet waits; one of another branch is
 * dropped. A holder that claims more than exists thereby harms its own word alone. Bounded; does no I/O of its own.
 */

import type { PeerId } from '../../delta/delta.ts'
import type { BlockHash, LogKey } from '../../log/block.ts'
import { HOLDINGS_LOGS_MAX, UNPROVEN_MAX } from './limits.ts'
import type { HeldDurability, Receipt } from './message.ts'

/** A node that holds something, by its own signed word. */
export interface Holder {
  readonly peer: PeerId
  readonly durability: HeldDurability
}

interface Claim {
  readonly seq: number
  readonly hash: BlockHash
  readonly durability: HeldDurability
}

interface Word {
  proven?: Claim
  /** For blocks that were not here when it came, lowest first but for the last, which is the newest. */
  readonly unproven: Claim[]
}

export class Holdings {
  readonly #hashAt: (log: LogKey, seq: number) => BlockHash | undefined
  /** The longest untouched first. */
  readonly #logs = new Map<LogKey, Map<PeerId, Word>>()

  /** `hashAt`: of the admitted block, undefined where there is none yet. */
  constructor(hashAt: (log: LogKey, seq: number) => BlockHash | undefined) {
    this.#hashAt = hashAt
  }

  /** Takes a verified receipt. */
  take({ peer, durability, held }: Receipt): void {
    for (const { log, seq, hash } of held) {
      const words = this.#touch(log)
      const word = words.get(peer) ?? { unproven: [] }
      words.set(peer, word)
      if (seq <= (word.proven?.seq ?? -1)) continue
      if (word.unproven.length === UNPROVEN_MAX) word.unproven.pop()
      word.unproven.push({ seq, hash, durability })
    }
  }

  /** Who holds all of the log up to and with `seq`. */
  holdersOf(log: LogKey, seq: number): readonly Holder[] {
    const holders: Holder[] = []
    for (const [peer, word] of this.#logs.get(log) ?? []) {
      if (!(word.proven !== undefined && word.proven.seq >= seq)) this.#prove(log, word)
      if (word.proven !== undefined && word.proven.seq >= seq) {
        holders.push({ peer, durability: word.proven.durability })
      }
    }
    return holders
  }

  #prove(log: LogKey, word: Word): void {
    for (const claim of word.unproven.splice(0)) {
      const hash = this.#hashAt(log, claim.seq)
      if (hash === undefined) word.unproven.push(claim)
      else if (hash === claim.hash && claim.seq > (word.proven?.seq ?? -1)) word.proven = claim
    }
  }

  #touch(log: LogKey): Map<PeerId, Word> {
    const words = this.#logs.get(log) ?? new Map<PeerId, Word>()
    this.#logs.delete(log)
    this.#logs.set(log, words)
    const [oldest] = this.#logs.keys()
    if (this.#logs.size > HOLDINGS_LOGS_MAX && oldest !== undefined) this.#logs.delete(oldest)
    return words
  }
}
