/** What writing and reading records takes and answers. */

import { EntityReference, type PropertyInput } from '../delta/record.ts'
import { isReference, type Value } from '../delta/delta.ts'
import { sameValue } from '../delta/value.ts'
import type { Fault } from '../view/fault.ts'
import type { Claim } from '../view/lossless.ts'
import type { References } from './expand.ts'
import type { UntilOptions } from './delivery/until.ts'
import type { View, ViewOptions } from './views.ts'
import type { Written } from './writer.ts'

export interface WriteOptions extends UntilOptions {
  /** Name of the identity that asserts. Default: the node's own. */
  readonly as?: string
}

export interface PutOptions extends WriteOptions {
  /** Leaves out properties that have the value already: what is imported twice adds nothing. Default false. */
  readonly onlyChanged?: boolean
  /** Refuses a record that refers to records that are not here, where its schema declares references. Default false. */
  readonly checkReferences?: boolean
}

export interface PutResult extends Written {
  readonly id: string
}

export interface GetOptions extends ViewOptions {
  /** Shows the records that it refers to, and theirs, so many levels deep: 0 to 8. Default 0. At most 1,000 in all. */
  readonly expand?: number
}

export interface IdsOptions extends ViewOptions {
  /** Starts behind this id. */
  readonly after?: string
  /** 1 to 10,000. Default 1,000. */
  readonly countMax?: number
}

/** A record or entity boiled down: of each property the one value that its resolver makes of the claims that stand. */
export interface Entity {
  /** The record's id in its collection, or the entity's id. */
  readonly id: string
  readonly properties: Readonly<Record<string, Value>>
  /** Per property that has no value because its rule failed; absent when there is none. */
  readonly errors?: Readonly<Record<string, Fault>>
  /** Deltas that are not seen because the context's filter failed on them; absent when there is none. */
  readonly unseen?: View['unseen']
  /** Where `expand` asks for them: the records that it refers to. */
  readonly references?: References
}

export function entityOf(view: View | undefined, references?: References): Entity | undefined {
  if (view === undefined) return undefined
  const { id, properties, errors, unseen } = view
  return {
    id,
    properties,
    ...(Object.keys(errors).length > 0 && { errors }),
    ...(unseen.length > 0 && { unseen }),
    ...(references && { references }),
  }
}

/** Whether a claim is what `put` would write for `input`: the same value, or the same reference. */
export function says({ delta, value }: Claim, input: PropertyInput): boolean {
  const said = delta.pointers.at(-1)
  const isReferenceSaid = said !== undefined && isReference(said)
  if (!(input instanceof EntityReference)) return !isReferenceSaid && sameValue(value, input)
  return isReferenceSaid && said.target === input.target && said.targetContext === input.targetContext
}
