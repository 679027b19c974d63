/**
 * Who vouches for what was acknowledged in a shard: the holder that gave its receipt, or the writer while nobody has. A power cut
 * may take it from a disk that promises no more; a node that drops a shard hands its word on to those that hold it. What
 * has a keeper left must be with every holder in the end.
 */

import type { DeltaId } from '../../../src/delta/delta.ts'
import { type LogKey, logKeyOf } from '../../../src/log/block.ts'
import { type Frontier, lengthOf } from '../../../src/log/frontier.ts'
import { type NamespaceId, openNamespaceId, shardNamed } from '../../../src/log/namespace.ts'
import type { RhizomeNode } from '../../../src/node/node.ts'
import type { Witness } from '../witness.ts'
import type { Member } from '../world.ts'

export interface Kept {
  readonly id: DeltaId
  readonly shard: NamespaceId
  readonly writer: Member
  readonly keepers: ReadonlySet<Member>
}

interface Entry extends Kept {
  readonly log: LogKey
  readonly seq: number
  keepers: Set<Member>
}

/** What a machine held when it was looked at last, by shard. */
interface Seen {
  readonly node: RhizomeNode
  readonly held: ReadonlyMap<NamespaceId, Frontier>
}

const NOTHING: ReadonlyMap<NamespaceId, Frontier> = new Map()

export class Keepers {
  readonly #members: readonly Member[]
  readonly #witness: Witness
  readonly #entries = new Map<DeltaId, Entry>()
  readonly #seen = new Map<Member, Seen>()

  constructor(members: readonly Member[], witness: Witness) {
    this.#members = members
    this.#witness = witness
  }

  /** What must be with every holder of its shard in the end. */
  kept(): readonly Kept[] {
    return [...this.#entries.values()].filter(({ keepers }) => keepers.size > 0)
  }

  isKept(id: DeltaId): boolean {
    return (this.#entries.get(id)?.keepers.size ?? 0) > 0
  }

  vouch(id: DeltaId, shard: NamespaceId, writer: Member, keepers: readonly Member[]): void {
    const delta = writer.machine.store?.delta(shard, id)?.delta
    if (delta === undefined) return
    const { creator, log, seq } = delta
    this.#entries.set(id, { id, shard, writer, keepers: new Set(keepers), log: logKeyOf(creator, log), seq })
  }

  /** Looks, before anything else happens, at what the disk has kept; `isExcused`: a power cut may have taken the newest. */
  restarted(member: Member, isExcused: boolean): void {
    const { store, name } = member.machine
    for (const { id, shard, keepers } of this.#entries.values()) {
      if (!keepers.has(member) || store?.delta(shard, id) !== undefined) continue
      keepers.delete(member)
      if (!isExcused) this.#witness.violated('survival', `${name} lost ${id} of a shard, which it had vouched for`)
    }
  }

  /** Notes who holds what now, and who has dropped what. */
  look(): void {
    const before = new Map(this.#seen)
    for (const member of this.#members) {
      const { node } = member.machine
      if (node !== undefined) this.#seen.set(member, { node, held: this.#heldBy(member, node) })
    }
    for (const [member, { node, held }] of before) {
      const now = this.#seen.get(member)
      if (now?.node !== node) continue
      for (const shard of held.keys()) if (!now.held.has(shard)) this.#handOn(member, shard)
    }
  }

  #heldBy({ machine: { store } }: Member, node: RhizomeNode): ReadonlyMap<NamespaceId, Frontier> {
    const shards = node.namespaces().filter(({ name }) => shardNamed(name) !== undefined)
    return new Map(shards.map(({ name }) => [openNamespaceId(name), store?.frontier(openNamespaceId(name)) ?? []]))
  }

  /** It drops what another has, and never what it alone has: but a power cut may have taken that from the other since. */
  #handOn(from: Member, shard: NamespaceId): void {
    for (const entry of this.#entries.values()) {
      if (entry.shard !== shard || !entry.keepers.has(from)) continue
      entry.keepers = new Set(this.#members.filter((other) => other !== from && this.#has(other, entry)))
      if (entry.keepers.size === 0 && this.#witness.losers().length === 0)
        this.#witness.violated('last copy', `${from.machine.name} dropped the only copy of ${entry.id}`)
    }
  }

  /** Whether it holds the shard, and this in it; of a machine that is down, as it was seen last. */
  #has(member: Member, { shard, log, seq }: Entry): boolean {
    const frontier = (this.#seen.get(member)?.held ?? NOTHING).get(shard)
    return lengthOf(frontier?.find((each) => each.log === log)) > seq
  }
}
