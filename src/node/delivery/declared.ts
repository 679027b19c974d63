/** The declared members of a namespace: the list whose majority uniform delivery counts. */

import type { PeerId } from '../../delta/delta.ts'
import { parsePeerId } from '../../delta/identifiers.ts'
import { RhizomeError } from '../../errors.ts'
import type { Receipts } from '../../sync/delivery/receipts.ts'
import type { Holder } from '../../sync/delivery/holdings.ts'
import { WANT_HOLDERS_MAX } from '../../sync/delivery/limits.ts'
import type { LogKey } from '../../log/block.ts'

/** Where a block stands: with it, all earlier ones of its log are meant. */
export interface BlockPlace {
  readonly log: LogKey
  readonly seq: number
}

/** Throws RZ_DELIVERY_INVALID. */
export function parseMembers(members: readonly string[]): readonly PeerId[] {
  // From JavaScript, and from configuration, anything may come.
  if (
    !(Array.isArray as (value: unknown) => boolean)(members) ||
    members.length === 0 ||
    members.length > WANT_HOLDERS_MAX
  ) {
    throw invalidDelivery(`"members" lists 1 to ${WANT_HOLDERS_MAX} peer ids`)
  }
  try {
    const ids = members.map((member) => parsePeerId(member))
    if (new Set(ids).size === ids.length) return ids
  } catch (cause) {
    throw invalidDelivery(`"members": ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  throw invalidDelivery('"members" names somebody twice, and nobody counts twice')
}

export function membersMissing(): RhizomeError {
  return new RhizomeError(
    'RZ_DELIVERY_MEMBERS',
    'uniform delivery counts a majority, and of whom must be declared: openNode({ members: [peer ids] }), or "members" here',
  )
}

export function invalidDelivery(why: string): RhizomeError {
  return new RhizomeError('RZ_DELIVERY_INVALID', why)
}

/**
 * More than half of a declared list. Any two majorities have a member in common, so what one holds durably outlives every
 * minority that crashes, for good or for a while.
 */
export class Majority {
  readonly members: readonly PeerId[]
  readonly neededCount: number
  readonly #receipts: Receipts

  constructor(receipts: Receipts, members: readonly PeerId[]) {
    this.members = members
    this.neededCount = Math.floor(members.length / 2) + 1
    this.#receipts = receipts
  }

  /** The members that hold a block which is held here, by their receipts; this node by its own commit. */
  holdersOf({ log, seq }: BlockPlace): readonly Holder[] {
    return [this.#receipts.self, ...this.#receipts.holdersOf(log, seq)].filter(({ peer }) =>
      this.members.includes(peer),
    )
  }

  /** What is held in memory alone does not count: its holder forgets it. */
  isReached(place: BlockPlace): boolean {
    return this.holdersOf(place).filter(isDurable).length >= this.neededCount
  }
}

export function isDurable({ durability }: Holder): boolean {
  return durability !== 'memory'
}
