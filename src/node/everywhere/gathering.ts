/**
 * Records of one shard that are asked for in one turn of the event loop, as by a client that pipelines: they go to a holder as
 * one question. Each has an answer of its own, or a fault.
 */

import type { PeerId, Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { Heard } from '../../sync/questions/asking.ts'
import type { Environment } from '../environment.ts'
import type { Entity } from '../records.ts'
import type { Answered } from './answered.ts'
import { GATHERED_MAX } from './limits.ts'
import type { Shard } from './shard.ts'
import { faultIn, listIn, parseEntity, type Word } from './words.ts'

export interface GatheringParts {
  readonly environment: Environment
  readonly ask: (shard: Shard, word: Word, content: Value) => Promise<Heard>
}

interface Wanted {
  readonly collection: string
  readonly id: string
  readonly resolve: (answered: Answered<Entity | undefined>) => void
  readonly reject: (error: unknown) => void
}

/** Those that are read in the same way. */
interface Group {
  readonly shard: Shard
  readonly reading: Value
  readonly wanted: Wanted[]
}

export class Gathering {
  readonly #parts: GatheringParts
  readonly #groups = new Map<string, Group>()

  constructor(parts: GatheringParts) {
    this.#parts = parts
  }

  get(shard: Shard, reading: Value, collection: string, id: string): Promise<Answered<Entity | undefined>> {
    const { promise, resolve, reject } = Promise.withResolvers<Answered<Entity | undefined>>()
    const key = `${shard.name} ${JSON.stringify(reading)}`
    const group = this.#groups.get(key) ?? this.#begin(key, shard, reading)
    group.wanted.push({ collection, id, resolve, reject })
    if (group.wanted.length >= GATHERED_MAX) this.#end(key, group)
    return promise
  }

  #begin(key: string, shard: Shard, reading: Value): Group {
    const group = { shard, reading, wanted: [] }
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
  async #ask({ shard, reading, wanted }: Group): Promise<void> {
    try {
      const records = wanted.map(({ collection, id }) => [collection, id])
      const { items, by } = await this.#parts.ask(shard, 'get', { records, reading })
      if (items.length !== wanted.length) throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'not an answer for each')
      for (const [index, { resolve, reject }] of wanted.entries()) {
        const [entity, fault] = listIn(items[index])
        if (fault === undefined) resolve({ value: parseEntity(entity ?? null), answeredBy: [by as PeerId] })
        else reject(faultIn(fault))
      }
    } catch (error) {
      for (const { reject } of wanted) reject(error)
    }
  }
}
