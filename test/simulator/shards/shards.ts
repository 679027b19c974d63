/** What a history keeps beside its world where the namespace lies in shards: what was promised there, and what was read in the end. */

import type { DeltaId } from '../../../src/delta/delta.ts'
import { type ErrorCode, RhizomeError } from '../../../src/errors.ts'
import { digestOf } from '../../../src/log/frontier.ts'
import { type NamespaceId, openNamespaceId, shardNameOf } from '../../../src/log/namespace.ts'
import type { AnsweredBy } from '../../../src/node/everywhere/answered.ts'
import type { Everywhere } from '../../../src/node/everywhere/everywhere.ts'
import type { ShardStatus } from '../../../src/node/everywhere/shard.ts'
import type { Namespace } from '../../../src/node/namespace.ts'
import type { RhizomeNode } from '../../../src/node/node.ts'
import type { Written } from '../../../src/node/writer.ts'
import { NAMESPACE_NAME } from '../../support/blocks.ts'
import type { Member, World } from '../world.ts'
import { type Attempt, Attempts } from './attempts.ts'
import { COLLECTIONS, RANGES } from './data.ts'
import { Keepers } from './keepers.ts'
import { faultsIn, type Reading, readAll, readCollection, UNREACHED } from './readings.ts'

/** Longer than three rounds of holders that are silent. */
const READING_MS_MAX = 180_000
const READING_STEP_MS = 100

export class Shards {
  readonly keepers: Keepers
  readonly attempts = new Attempts()
  /** What each node reads in the end, by collection. */
  readonly readings = new Map<Member, ReadonlyMap<string, Reading>>()
  readonly #world: World
  /** Writes, and what is being placed, held or dropped. */
  #underWay = 0

  constructor(world: World) {
    this.#world = world
    this.keepers = new Keepers(world.members, world.witness)
  }

  everywhereOf({ machine }: Member): Everywhere {
    if (machine.node === undefined) throw new Error(`${machine.name} is down`)
    return machine.node.everywhere(NAMESPACE_NAME)
  }

  /** A write of a record that this member alone writes. */
  put(member: Member, collection: string, id: string): void {
    const attempt = this.attempts.begin(member, collection, id)
    this.write(member, (everywhere) => everywhere.put(collection, id, { n: attempt.value }), { attempt })
  }

  /** Has a member write wherever it lies: what it acknowledges is to survive. `mayFail`: it needs a holder that can be asked. */
  write(
    member: Member,
    work: (everywhere: Everywhere) => Promise<Written & AnsweredBy>,
    { attempt, mayFail = false }: { readonly attempt?: Attempt; readonly mayFail?: boolean } = {},
  ): void {
    const { node, disk } = member.machine
    const isExcused = disk.fault !== 'none'
    this.#underWay += 1
    work(this.everywhereOf(member))
      .then(
        (written) => this.#acknowledged(member, written, attempt),
        (error: unknown) => {
          if (attempt !== undefined) this.attempts.end(attempt)
          if (member.machine.node !== node || isExcused || disk.fault !== 'none') return
          if (mayFail && error instanceof RhizomeError && UNREACHED.has(error.code)) return
          this.#world.witness.violated('writes', `${member.machine.name} could not write: ${String(error)}`)
        },
      )
      .finally(() => (this.#underWay -= 1))
  }

  #acknowledged(member: Member, written: Written & AnsweredBy, attempt: Attempt | undefined): void {
    const { deltas, achieved, answeredBy } = written
    const [first] = deltas
    const place = first === undefined ? undefined : this.#placeOf(member, first)
    if (attempt !== undefined) this.attempts.end(attempt, deltas, place)
    if (place === undefined) return
    if (place === this.#world.namespace) return this.#world.witness.acknowledged(member, written)
    this.#world.witness.checkWhole(member, written)
    const keepers =
      achieved === false ? [member] : this.#world.members.filter(({ machine }) => answeredBy.includes(machine.peerId))
    for (const id of deltas) this.keepers.vouch(id, place, member, keepers)
  }

  /** The namespace that has it on this machine; undefined when the machine has died since. */
  #placeOf({ machine: { store } }: Member, id: DeltaId): NamespaceId | undefined {
    return [this.#world.namespace, ...SHARDS.values()].find((place) => store?.delta(place, id) !== undefined)
  }

  /** Has a member place, hold or drop; `mayBe`: codes that it may fail with. */
  change({ machine }: Member, work: (node: RhizomeNode) => Promise<unknown>, mayBe: readonly ErrorCode[]): void {
    const { node, disk } = machine
    if (node === undefined) return
    const isExcused = disk.fault !== 'none'
    this.#underWay += 1
    work(node)
      .catch((error: unknown) => {
        if (machine.node !== node || isExcused || disk.fault !== 'none') return
        if (error instanceof RhizomeError && mayBe.includes(error.code)) return
        this.#world.witness.violated('holding', `${machine.name} failed: ${String(error)}`)
      })
      .finally(() => (this.#underWay -= 1))
  }

  /** Has a member read a collection now, and looks at what it is told by whom. */
  read(member: Member, collection: string): void {
    const { node, name } = member.machine
    const before = this.#heldBy()
    readCollection(this.everywhereOf(member), collection).then(
      (found) => {
        for (const fault of faultsIn(collection, found)) this.#world.witness.violated('reading', `${name}: ${fault}`)
        if (member.machine.node !== node) return
        const shards = this.#shardsOf(member, collection)
        const after = this.#heldBy()
        for (const other of this.#world.members) {
          if (other === member || !found.answeredBy.includes(other.machine.peerId)) continue
          const held = [...(before.get(other) ?? []), ...(after.get(other) ?? [])]
          if (statusesOf(other).length === 0 || held.some((shard) => shards.has(shard))) continue
          const told = `${name} was answered for ${collection} by ${other.machine.name}, which does not hold it`
          this.#world.witness.violated('reading', told)
        }
      },
      (error: unknown) => {
        if (member.machine.node === node) throw error
      },
    )
  }

  /** Where the records of a collection may lie, as the member knows. */
  #shardsOf(member: Member, collection: string): ReadonlySet<string> {
    const ranges = this.#world.namespaceOf(member).placements.rangesOf(collection)
    return new Set(ranges.flatMap((range) => (range === undefined ? [] : [shardNameOf(NAMESPACE_NAME, range)])))
  }

  /** The shards that each member answers for. */
  #heldBy(): ReadonlyMap<Member, readonly string[]> {
    return new Map(
      this.#world.members.map((member) => [
        member,
        statusesOf(member).flatMap(({ name, state }) => (isHolding(state) ? [name] : [])),
      ]),
    )
  }

  /** Members that take part in the shard, with the namespace there. */
  holdersOf(shard: string): readonly { readonly member: Member; readonly namespace: Namespace }[] {
    return this.#world.members.flatMap((member) => {
      const namespace = member.machine.node?.namespaces().find(({ name }) => name === shard)
      return namespace === undefined ? [] : [{ member, namespace }]
    })
  }

  /** By member, records that lie in the parent, and belong to a shard that somebody holds. */
  misplaced(member: Member): readonly string[] {
    const namespace = this.#world.namespaceOf(member)
    return COLLECTIONS.flatMap((collection) =>
      namespace.ids(collection).flatMap((id) => {
        const range = namespace.placements.rangeOf(collection, id)
        const isHeld = range !== undefined && this.holdersOf(shardNameOf(NAMESPACE_NAME, range)).length > 0
        return isHeld ? [`${collection}/${id}`] : []
      }),
    )
  }

  /** Every node knows who holds what, holders hold the same, and nothing is under way to them. */
  isSettled(): boolean {
    if (this.#underWay > 0) return false
    if (this.#world.members.some((member) => this.misplaced(member).length > 0)) return false
    return [...SHARDS.keys()].every((shard) => {
      const holders = this.holdersOf(shard)
      const digests = new Set(holders.map(({ member }) => this.digest(member, shard)))
      const wanted = holders.length === 1 ? 'alone' : 'in-sync'
      if (digests.size > 1 || holders.some(({ namespace }) => namespace.status().kind !== wanted)) return false
      return this.#world.members.every((member) => {
        const status = statusesOf(member).find(({ name }) => name === shard)
        if (status === undefined) return holders.length === 0
        if (status.state === 'dropping') return holders.length === 1
        if (status.state === 'held') return true
        return holders.length === 0 || (status.state === 'elsewhere' && status.waitingBlocks === 0)
      })
    })
  }

  digest({ machine: { store } }: Member, shard: string): string {
    return Buffer.from(digestOf(store?.frontier(openNamespaceId(shard)) ?? [])).toString('hex')
  }

  /** Has every node read everything, while time passes. */
  async readAll(): Promise<void> {
    const open = new Set(this.#world.members)
    for (const member of this.#world.members) {
      void readAll(this.everywhereOf(member)).then((readings) => {
        this.readings.set(member, readings)
        open.delete(member)
      })
    }
    for (let spentMs = 0; open.size > 0 && spentMs < READING_MS_MAX; spentMs += READING_STEP_MS)
      await this.#world.time.advance(READING_STEP_MS)
  }
}

/** Those that may be there, by name. */
export const SHARDS: ReadonlyMap<string, NamespaceId> = new Map(
  RANGES.map((range) => [`${NAMESPACE_NAME}:${range}`, openNamespaceId(`${NAMESPACE_NAME}:${range}`)]),
)

/** A node with a disk that fails cannot always tell. */
export function statusesOf({ machine: { node, disk } }: Member): readonly ShardStatus[] {
  return disk.fault === 'none' ? (node?.shards(NAMESPACE_NAME) ?? []) : []
}

function isHolding(state: string): boolean {
  return state === 'held' || state === 'dropping'
}
