/**
 * Records that this node wrote to the parent before it knew that they lie in a shard: they are asserted again in the shard, and
 * taken back in the parent. A property that the shard has already is left as it is there: who wrote it knew better. Each node
 * moves what it has written itself; until then the record is not seen where it belongs, and lost to nobody.
 */

import { isReference, type PeerId } from '../../delta/delta.ts'
import { entityIdOf, EntityReference, type PropertyInput } from '../../delta/record.ts'
import { type ShardRange, shardRangeText } from '../../delta/shard-range.ts'
import { RhizomeError } from '../../errors.ts'
import type { Claim } from '../../view/lossless.ts'
import type { Namespace } from '../namespace.ts'
import type { Everywhere } from './everywhere.ts'
import { isAbsent, type MovedResult } from './shard.ts'

interface OwnClaim {
  readonly property: string
  readonly claim: Claim
}

const PAGE_COUNT = 1_000
const OPEN = { context: false } as const

/** Moves what can be moved now. Throws as the store does; what was moved by then stays moved. */
export async function moveOwn(parent: Namespace, everywhere: Everywhere, self: PeerId): Promise<MovedResult> {
  let records = 0
  let isMoreDue = false
  /** Nobody answers for these: their other records would only wait as long. */
  const absent = new Set<ShardRange>()
  for (const { collection, id, range } of misplaced(parent)) {
    const claims = ownClaims(parent, collection, id, self)
    if (claims.length === 0 || absent.has(range)) continue
    try {
      if (await move(parent, everywhere, { collection, id, range, claims })) records++
      else isMoreDue = true
    } catch (error) {
      if (!(error instanceof RhizomeError) || error.code.startsWith('RZ_STORE_')) throw error
      isMoreDue = true
      if (isAbsent(error)) absent.add(range)
    }
  }
  return { records, isMoreDue }
}

interface Misplaced {
  readonly collection: string
  readonly id: string
  readonly range: ShardRange
  readonly claims: readonly OwnClaim[]
}

/** False: another placement came meanwhile, and it may lie elsewhere now. */
async function move(parent: Namespace, everywhere: Everywhere, record: Misplaced): Promise<boolean> {
  const { collection, id, range, claims } = record
  const latest = new Map(claims.map(({ property, claim }) => [property, claim]))
  const properties = Object.fromEntries([...latest].map(([property, claim]) => [property, saidBy(claim)]))
  await everywhere.putLacking(collection, id, properties)
  const rangeNow = parent.placements.rangeOf(collection, id)
  if (rangeNow === undefined || shardRangeText(rangeNow) !== shardRangeText(range)) return false
  await parent.transaction((transaction) => {
    // Older ones too: they would be seen again.
    for (const { claim } of claims) transaction.negate(claim.delta.id)
  })
  return true
}

/** Records that lie in the parent and belong to a shard. */
function* misplaced(
  parent: Namespace,
): Iterable<{ readonly collection: string; readonly id: string; readonly range: ShardRange }> {
  const { placements } = parent
  if (placements.isEmpty) return
  for (const collection of parent.collections(OPEN)) {
    if (placements.rangesOf(collection).every((range) => range === undefined)) continue
    for (let after: string | undefined; ;) {
      const ids = parent.ids(collection, { ...OPEN, countMax: PAGE_COUNT, ...(after !== undefined && { after }) })
      for (const id of ids) {
        const range = placements.rangeOf(collection, id)
        if (range !== undefined) yield { collection, id, range }
      }
      after = ids.at(-1)
      if (after === undefined) break
    }
  }
}

/** This node's standing claims about each property, as `put` writes them, the latest last. */
function ownClaims(parent: Namespace, collection: string, id: string, self: PeerId): readonly OwnClaim[] {
  const { properties = {} } = parent.lossless(entityIdOf(collection, id), OPEN) ?? {}
  return Object.entries(properties).flatMap(([property, claims]) =>
    claims
      .filter(({ delta, standing }) => standing && delta.creator === self && delta.pointers.length === 2)
      .map((claim) => ({ property, claim })),
  )
}

function saidBy({ delta }: Claim): PropertyInput {
  const said = delta.pointers.at(-1)
  if (said === undefined) return null
  return isReference(said) ? new EntityReference(said.target, said.targetContext) : said.target
}
