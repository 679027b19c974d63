/** Where the records of a namespace lie: in the parent, or in shards, which are held here or elsewhere. */

import { isDeltaId } from '../../delta/identifiers.ts'
import { parseEntityId } from '../../delta/record.ts'
import type { ShardRange } from '../../delta/shard-range.ts'
import { RhizomeError } from '../../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** A part of the namespace: the parent, or a shard that is held here or not. */
export type Part = { readonly here: Namespace } | { readonly elsewhere: Shard }

export class Places {
  /** Rules, schemas and placement, and the records that no placement covers. */
  readonly namespace: Namespace
  readonly #shards: Shards

  constructor(namespace: Namespace, shards: Shards) {
    this.namespace = namespace
    this.#shards = shards
  }

  /** Whether some of its records lie in shards. A shard itself is one place. */
  get isPlaced(): boolean {
    return this.namespace.parent === undefined && !this.namespace.placements.isEmpty
  }

  get isSettled(): boolean {
    return this.#shards.isSettled(this.namespace)
  }

  /** A node that has just started learns first how the namespace is placed. */
  untilSettled(): Promise<void> {
    return this.#shards.untilSettled(this.namespace)
  }

  async settled<Told>(ask: () => Told | Promise<Told>): Promise<Told> {
    await this.untilSettled()
    return ask()
  }

  /** Where a record lies. */
  of(collection: string, id: string): Part {
    return this.part(this.isPlaced ? this.namespace.placements.rangeOf(collection, id) : undefined)
  }

  /** Where an entity lies. Undefined for a delta, whose id does not tell. */
  ofEntity(entity: string): Part | undefined {
    if (!this.isPlaced) return { here: this.namespace }
    return isDeltaId(entity) ? undefined : this.part(this.rangeOfEntity(entity))
  }

  /** Of a record its range; all else lies in the parent. */
  rangeOfEntity(entity: string): ShardRange | undefined {
    const { collection, id } = parseEntityId(entity) ?? {}
    if (collection === undefined || id === undefined) return undefined
    return this.namespace.placements.rangeOf(collection, id)
  }

  /** Where records of a collection may lie; those alone whose ids begin with `prefix`. */
  ofCollection(collection: string, prefix = ''): readonly Part[] {
    return this.rangesOf(collection, prefix).map((range) => this.part(range))
  }

  rangesOf(collection: string, prefix = ''): readonly (ShardRange | undefined)[] {
    const { placements } = this.namespace
    if (!this.isPlaced) return [undefined]
    return prefix === '' ? placements.rangesOf(collection) : [placements.rangeOf(collection, prefix)]
  }

  /** The parent first. */
  all(): readonly Part[] {
    const ranges = this.isPlaced ? this.namespace.placements.ranges : []
    return [undefined, ...ranges].map((range) => this.part(range))
  }

  /** The one part that may have records of the collection, or of any; it must be held here. Throws RZ_SHARD_ACROSS. */
  here(collection: string | undefined, what: string): Namespace {
    const parts = collection === undefined ? this.all() : this.ofCollection(collection)
    const [only] = parts
    if (parts.length === 1 && only !== undefined && 'here' in only) return only.here
    const names = parts.map((part) => ('here' in part ? part.here.name : part.elsewhere.name))
    throw new RhizomeError(
      'RZ_SHARD_ACROSS',
      `${what} are those of one namespace, and these lie in ${names.join(', ')}: ask each by its name, on a node that holds it`,
    )
  }

  /** Undefined: the parent. */
  part(range: ShardRange | undefined): Part {
    if (range === undefined) return { here: this.namespace }
    const shard = this.#shards.of(this.namespace, range)
    return this.#shards.isHere(shard) ? { here: shard.namespace } : { elsewhere: shard }
  }

  nameOf(range: ShardRange | undefined): string {
    return range === undefined ? this.namespace.name : this.#shards.of(this.namespace, range).name
  }
}
