/**
 * What is asked of one shard in one turn of the event loop, as by a client that pipelines, goes to a holder as one question.
 * Each has an answer of its own, or a fault.
 */

import type { PeerId, Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { Heard } from '../../sync/questions/asking.ts'
import type { Environment } from '../environment.ts'
import { GATHERED_BYTES_MAX, GATHERED_MAX } from './limits.ts'
import type { Shard } from './shard.ts'
import { faultIn, listIn, type Word } from './words.ts'

export interface GatheringParts {
  readonly environment: Environment
  readonly ask: (shard: Shard, word: Word, content: Value, by?: PeerId) => Promise<Heard>
}

/** One of those that were asked together. */
export interface GatheredAnswer {
  readonly value: Value
  readonly by: PeerId
}

interface Wanted {
  readonly item: Value
  readonly resolve: (answer: GatheredAnswer) => void
  readonly reject: (error: unknown) => void
}

/** Items that make one question. */
interface Group {
  readonly shard: Shard
  readonly word: Word
  /** Beside the items, the same for all. */
  readonly common: Value
  /** The holder that is to answer; any where none is named. */
  readonly by: PeerId | undefined
  readonly wanted: Wanted[]
  bytes: number
}

export class Gathering {
  readonly #parts: GatheringParts
  readonly #groups = new Map<string, Group>()

  constructor(parts: GatheringParts) {
    this.#parts = parts
  }

  /** `bytes`: about how large the item is. */
  ask(shard: Shard, word: Word, common: Value, item: Value, bytes: number, by?: PeerId): Promise<GatheredAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<GatheredAnswer>()
    const key = `${shard.name} ${word} ${by ?? ''} ${JSON.stringify(common)}`
    const known = this.#groups.get(key)
    if (known !== undefined && known.bytes + bytes > GATHERED_BYTES_MAX) this.#end(key, known)
    const group = this.#groups.get(key) ?? this.#begin(key, { shard, word, common, by, wanted: [], bytes: 0 })
    group.wanted.push({ item, resolve, reject })
    group.bytes += bytes
    if (group.wanted.length >= GATHERED_MAX) this.#end(key, group)
    return promise
  }

  #begin(key: string, group: Group): Group {
    this.#groups.set(key, group)
    this.#parts.environment.defer(() => this.#end(key, group))
    return group
  }

  #end(key: string, group: Group): void {
    if (this.#groups.get(key) !== group) return
    this.#groups.delete(key)
    void this.#ask(group)
  }

  /** Never rejects: who waits is told. */
  async #ask({ shard, word, common, by: asked, wanted }: Group): Promise<void> {
    try {
      const { items, by } = await this.#parts.ask(shard, word, { items: wanted.map(({ item }) => item), common }, asked)
      if (items.length !== wanted.length) throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'not an answer for each')
      for (const [index, { resolve, reject }] of wanted.entries()) {
        const [value, fault] = listIn(items[index])
        if (fault === undefined) resolve({ value: value ?? null, by: by as PeerId })
        else reject(faultIn(fault))
      }
    } catch (error) {
      for (const { reject } of wanted) reject(error)
    }
  }
}
