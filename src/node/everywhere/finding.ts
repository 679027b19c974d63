/** Where a delta lies: its id names a block, and nothing in it says of which shard. Whoever may hold it is asked. */

import type { PeerId } from '../../delta/delta.ts'
import type { Answer, Answered } from './answered.ts'
import { givenBy } from './answered.ts'
import type { Part, Places } from './places.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

export interface FindingParts {
  readonly self: PeerId
  readonly places: Places
  readonly shards: Shards
}

/** In no context: where it lies does not depend on who looks. */
const OPEN = { context: false } as const

export class Finding {
  readonly #parts: FindingParts

  constructor(parts: FindingParts) {
    this.#parts = parts
  }

  /**
   * The part that has the delta; undefined where none has. Throws RZ_BYTES_INVALID for what is no delta id, and RZ_SHARD_UNHELD
   * or RZ_SHARD_UNANSWERED where it may lie in a shard that cannot be asked.
   */
  delta(id: string): Answer<Part | undefined> {
    const { self, places } = this.#parts
    const parts = places.all()
    // What this node has written to a shard that is held elsewhere it has, too.
    const own = parts.find((part) => ('here' in part ? part.here : part.elsewhere.namespace).delta(id, OPEN))
    const elsewhere = parts.flatMap((part) => ('elsewhere' in part ? [part.elsewhere] : []))
    if (own !== undefined || elsewhere.length === 0) return givenBy(self, { value: own })
    return this.#ask(id, elsewhere)
  }

  /** All at once; the first that has it is the answer. */
  async #ask(id: string, shards: readonly Shard[]): Promise<Answered<Part | undefined>> {
    const { holders } = this.#parts.shards
    const absent: PeerId[] = []
    const asked = shards.map(async (shard): Promise<Answered<Part>> => {
      const { items, by } = await holders.ask(shard, 'delta', { id, reading: OPEN })
      if (items.length > 0) return { value: { elsewhere: shard }, answeredBy: [by as PeerId] }
      absent.push(by as PeerId)
      throw new Absent()
    })
    try {
      return await Promise.any(asked)
    } catch (error) {
      const errors = (error as AggregateError).errors as readonly Error[]
      const failed = errors.find((each) => !(each instanceof Absent))
      if (failed !== undefined) throw failed
      return { value: undefined, answeredBy: [...new Set(absent)] }
    }
  }
}

/** A holder's word that it does not have it. */
class Absent extends Error {}
