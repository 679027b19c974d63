/** What shards promise, looked at where the namespace lies in shards (shards/shards.ts). */

import type { NamespaceId } from '../../../src/log/namespace.ts'
import { openNamespaceId, shardNameOf } from '../../../src/log/namespace.ts'
import { lengthOf } from '../../../src/log/frontier.ts'
import { splitLogKey } from '../../../src/log/block.ts'
import { NAMESPACE_NAME } from '../../support/blocks.ts'
import type { Invariant } from '../invariant.ts'
import { faultsIn, type Reading } from '../shards/readings.ts'
import { SHARDS, statusesOf } from '../shards/shards.ts'
import type { Member, World } from '../world.ts'
import { viewDifferences } from './agreement.ts'

/** Holders of a shard end with the same blocks, and see the same in them, as they keep it and as they make it anew. */
export const shardAgreement: Invariant = {
  name: 'shard agreement',
  inTheEnd: (world) =>
    [...SHARDS.keys()].flatMap((shard) => {
      const holders = world.shards?.holdersOf(shard) ?? []
      const [first] = holders
      if (first === undefined) return []
      const digest = world.shards?.digest(first.member, shard)
      return holders.flatMap(({ member, namespace }) => {
        const of = `of ${shard}, ${member.machine.name}`
        if (world.shards?.digest(member, shard) !== digest)
          return [`${of} holds other blocks than ${first.member.machine.name}`]
        return [
          ...viewDifferences(`${of} and ${first.member.machine.name}`, namespace, first.namespace),
          ...viewDifferences(`${of} as it keeps them and as it makes them anew`, namespace, namespace, {
            asOf: namespace.frontier(),
          }),
        ]
      })
    }),
}

/** What was acknowledged is with every holder, as long as one who vouched for it has it; where nobody holds it, with that one. */
export const shardSurvival: Invariant = {
  name: 'shard survival',
  inTheEnd: (world) =>
    [...SHARDS].flatMap(([shard, namespace]) => {
      const kept = world.shards?.keepers.kept().filter((each) => each.shard === namespace) ?? []
      const has = ({ machine: { store } }: Member, id: string): boolean => store?.delta(namespace, id) !== undefined
      const holders = world.shards?.holdersOf(shard).map(({ member }) => member) ?? []
      return kept.flatMap(({ id, keepers }) => {
        const lacking = holders.filter((member) => !has(member, id))
        const isLost = holders.length === 0 && ![...keepers].some((member) => has(member, id))
        if (lacking.length === 0 && !isLost) return []
        const who = isLost ? 'nobody has' : `${lacking.map(({ machine }) => machine.name).join(', ')} lacks`
        return [`${who} ${id} of ${shard}, which was acknowledged`]
      })
    }),
}

/** What a node has written to a shard that others hold has come to them, acknowledged or not, and it knows. */
export const carried: Invariant = {
  name: 'carried',
  inTheEnd: (world) =>
    [...SHARDS].flatMap(([shard, namespace]) => {
      const [holder] = world.shards?.holdersOf(shard) ?? []
      if (holder === undefined) return []
      return world.members.flatMap((member) => {
        const { machine } = member
        const status = statusesOf(member).find(({ name }) => name === shard)
        const waiting = status?.waitingBlocks ?? 0
        const lacking = world.witness.losers().length > 0 ? [] : lackedBy(holder.member, machine, namespace)
        return [
          ...(waiting === 0 ? [] : [`${machine.name} has ${waiting} blocks waiting for ${shard}`]),
          ...lacking.map(
            (log) => `${holder.member.machine.name} lacks blocks of ${log}, which ${machine.name} wrote to ${shard}`,
          ),
        ]
      })
    }),
}

function lackedBy(holder: Member, { store, peerId }: Member['machine'], shard: NamespaceId): readonly string[] {
  const own = (store?.frontier(shard) ?? []).filter(({ log }) => splitLogKey(log).creator === peerId)
  return own
    .filter((entry) => lengthOf(holder.machine.store?.logState(shard, entry.log)) < lengthOf(entry))
    .map(({ log }) => log)
}

/** Every node reads the same, nothing twice, transactions whole; and of each record the last value of who writes it alone. */
export const reading: Invariant = {
  name: 'reading',
  inTheEnd: (world) => {
    const { shards, members } = world
    const [first] = members
    if (shards === undefined || first === undefined) return []
    const wanted = shards.readings.get(first)
    return [
      ...members.flatMap((member) => faultsOf(member, shards.readings.get(member), first, wanted)),
      ...(wanted === undefined ? [] : lastValues(world, wanted)),
    ]
  },
}

function faultsOf(
  { machine: { name } }: Member,
  readings: ReadonlyMap<string, Reading> | undefined,
  first: Member,
  wanted: ReadonlyMap<string, Reading> | undefined,
): readonly string[] {
  if (readings === undefined) return [`${name} had no answer in the end`]
  return [...readings].flatMap(([collection, found]) => [
    ...faultsIn(collection, found).map((fault) => `${name}: ${fault}`),
    ...(told(found) === told(wanted?.get(collection))
      ? []
      : [
          `${name} reads ${collection} otherwise than ${first.machine.name}: ${told(found)} and ${told(wanted?.get(collection))}`,
        ]),
  ])
}

function told(found: Reading | undefined): string {
  return JSON.stringify([found?.ids, found?.rows])
}

function lastValues(world: World, readings: ReadonlyMap<string, Reading>): readonly string[] {
  const { shards, members, witness } = world
  const [first] = members
  if (shards === undefined || first === undefined) return []
  const survive = new Set(witness.mustSurvive())
  const { placements } = world.namespaceOf(first)
  const isReached = (collection: string): boolean => typeof readings.get(collection)?.rows !== 'string'
  return shards.attempts.faults(
    (collection, id) => {
      const rows = readings.get(collection)?.rows
      return typeof rows === 'string' ? undefined : rows?.find((row) => row.id === id)?.n
    },
    {
      isKept: ({ deltas, collection }) =>
        isReached(collection) && deltas.every((id) => survive.has(id) || shards.keepers.isKept(id)),
      placeOf: (collection, id) => {
        const range = placements.rangeOf(collection, id)
        return range === undefined ? world.namespace : openNamespaceId(shardNameOf(NAMESPACE_NAME, range))
      },
      parent: world.namespace,
      isElsewhere: (collection, id) => {
        const range = placements.rangeOf(collection, id)
        const here = range && shardNameOf(NAMESPACE_NAME, range)
        return [...SHARDS.keys()].some(
          (shard) =>
            shard !== here &&
            shards.holdersOf(shard).some(({ namespace }) => namespace.get(collection, id) !== undefined),
        )
      },
      hasForgotten: (writer) => witness.losers().includes(writer),
    },
  )
}

/** What was written to the parent before its writer knew better is moved: it is asserted in the shard and taken back. */
export const moved: Invariant = {
  name: 'moved',
  inTheEnd: (world) =>
    world.shards === undefined
      ? []
      : world.members.flatMap(
          (member) =>
            world.shards
              ?.misplaced(member)
              .map((record) => `on ${member.machine.name}, ${record} lies in the parent`) ?? [],
        ),
}
