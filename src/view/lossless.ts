/**
 * The lossless view: entity → property → every claim about it, with the negations against each, provenance kept.
 * Pure: the same set of deltas gives the same view, in whatever order and however often they are handed in.
 * Refuses nothing: deltas that say nothing about the entity, and negations of something else, are passed over.
 * design.md 2 (words), 3 (records) and 5 (standing).
 */

import type { Delta, DeltaId, ReferencePointer, Value } from '../delta/delta.ts'
import { isReference, negatedIds } from '../delta/delta.ts'
import { compareDeltas, compareUtf8 } from '../delta/order.ts'
import { valueAt } from '../delta/record.ts'

/** That one delta negates another. */
export interface NegatedBy {
  /** The negating delta, one of the view's `negations`. */
  readonly id: DeltaId
  /** Whether this context heeds it. */
  readonly counted: boolean
}

/** What one delta says about one property of the entity. */
export interface Claim {
  readonly delta: Delta
  readonly value: Value
  /** In the total order; empty for most. */
  readonly negatedBy: readonly NegatedBy[]
  /** False when a counted negation that stands itself targets the delta. */
  readonly standing: boolean
}

/** A delta that negates a claim of the view, or another of its negations. */
export interface Negation {
  readonly delta: Delta
  readonly negatedBy: readonly NegatedBy[]
  readonly standing: boolean
}

export interface LosslessView {
  readonly id: string
  /** The local contexts under which deltas point at the entity, in order of their UTF-8 bytes. */
  readonly referencedAs: readonly string[]
  /**
   * Claims in the total order, per property, by the names' UTF-8 bytes (JavaScript itself lists integers first).
   * The map has no prototype, so that a property may have any name.
   */
  readonly properties: { readonly [property: string]: readonly Claim[] }
  /** Each once, in the total order: claims name them by id, so a delta that negates thousands is listed here alone. */
  readonly negations: readonly Negation[]
}

export interface LosslessOptions {
  /** Whether `negation` is heeded where it targets `target`. Default: everyone's is. */
  readonly counts?: (negation: Delta, target: Delta) => boolean
}

/**
 * The view of `entity`. `deltas` are those that point at it; `negations` those that negate one of them, or such a
 * negation, and so on (the store's `entity()` answers with both). Linear in their pointers, but for sorting.
 */
export function losslessView(
  entity: string,
  deltas: readonly Delta[],
  negations: readonly Delta[],
  options: LosslessOptions = {},
): LosslessView {
  const known = new Map<string, Delta>()
  for (const delta of deltas) known.set(delta.id, delta)
  for (const delta of negations) known.set(delta.id, delta)
  const about = [...known.values()].filter((delta) => pointsAt(delta, entity)).sort(compareDeltas)
  const evidence = new Evidence(about, known, options.counts)
  return losslessOf(entity, about, evidence.negations, (delta) => evidence.against(delta))
}

/** The view that deltas about `entity` and negations make, each in the total order, where it is known what is against which. */
export function losslessOf(
  entity: string,
  about: readonly Delta[],
  negations: readonly Delta[],
  against: (delta: Delta) => Against,
): LosslessView {
  const referencedAs = new Set<string>()
  const byProperty = new Map<string, Claim[]>()
  for (const delta of about) {
    const said = new Set<string>()
    for (const pointer of delta.pointers) {
      if (!isReference(pointer) || pointer.target !== entity) continue
      referencedAs.add(pointer.localContext)
      // A delta makes one claim about a property, however many of its pointers name it.
      if (said.has(pointer.targetContext)) continue
      said.add(pointer.targetContext)
      const claim = claimOf(delta, pointer, against(delta))
      const claims = byProperty.get(pointer.targetContext)
      if (claims === undefined) byProperty.set(pointer.targetContext, [claim])
      else claims.push(claim)
    }
  }
  return {
    id: entity,
    referencedAs: [...referencedAs].sort(compareUtf8),
    properties: mapOf([...byProperty].sort(([a], [b]) => compareUtf8(a, b))),
    negations: negations.map((delta) => ({ delta, ...against(delta) })),
  }
}

/** Whether a delta stands among `negations`: those that negate it, or one of them, and so on. Everyone's count. */
export function stands(delta: Delta, negations: readonly Delta[]): boolean {
  if (negations.length === 0) return true
  const known = new Map(negations.map((negation) => [negation.id as string, negation]))
  return new Evidence([delta], known, undefined).against(delta).standing
}

/** Its value is made when it is read: all those of a delta that speaks about many properties are as large as their square. */
function claimOf(delta: Delta, pointer: ReferencePointer, { negatedBy, standing }: Against): Claim {
  return {
    delta,
    get value() {
      return valueAt(delta, pointer)
    },
    negatedBy,
    standing,
  }
}

function pointsAt(delta: Delta, entity: string): boolean {
  for (const pointer of delta.pointers) if (pointer.target === entity && isReference(pointer)) return true
  return false
}

/** A plain object that has its own keys only: `__proto__` is a name like any other. */
export function mapOf<Item>(entries: Iterable<readonly [string, Item]>): { readonly [key: string]: Item } {
  const map = Object.create(null) as { [key: string]: Item }
  for (const [key, item] of entries) map[key] = item
  return map
}

/** What negates a delta, and whether it stands. */
type Against = Pick<Negation, 'negatedBy' | 'standing'>

const UNCONTESTED: Against = { negatedBy: [], standing: true }

/** What negates what among the deltas that bear upon some claims, and what stands of it. */
class Evidence {
  /** In the total order. */
  readonly negations: readonly Delta[]
  readonly #negatedBy: ReadonlyMap<string, readonly NegatedBy[]>
  readonly #standing: ReadonlySet<string>

  constructor(claims: readonly Delta[], known: ReadonlyMap<string, Delta>, counts: LosslessOptions['counts']) {
    const negators = negatorsOf(known)
    const negatedBy = new Map<string, readonly NegatedBy[]>()
    const bearing = new Set(claims)
    const found: Delta[] = []
    // A set may grow while it is walked: this ends when no negation of a negation is left.
    for (const target of negators.size === 0 ? [] : bearing) {
      const against = negators.get(target.id)
      if (against === undefined) continue
      negatedBy.set(
        target.id,
        against.map((negation) => ({ id: negation.id, counted: counts?.(negation, target) ?? true })),
      )
      for (const negation of against) {
        found.push(negation)
        bearing.add(negation)
      }
    }
    this.negations = [...new Set(found)].sort(compareDeltas)
    this.#negatedBy = negatedBy
    this.#standing = negatedBy.size === 0 ? new Set() : standingOf(bearing, negatedBy)
  }

  against(delta: Delta): Against {
    if (this.#negatedBy.size === 0) return UNCONTESTED
    return { negatedBy: this.#negatedBy.get(delta.id) ?? [], standing: this.#standing.has(delta.id) }
  }
}

/** Per target, those that negate it, in the total order. */
function negatorsOf(known: ReadonlyMap<string, Delta>): ReadonlyMap<string, readonly Delta[]> {
  const negators = new Map<string, Delta[]>()
  for (const delta of known.values()) {
    const targets = negatedIds(delta.pointers)
    for (const target of targets.length < 2 ? targets : new Set(targets)) {
      const against = negators.get(target)
      if (against === undefined) negators.set(target, [delta])
      else against.push(delta)
    }
  }
  for (const against of negators.values()) against.sort(compareDeltas)
  return negators
}

/**
 * The ids that stand: decided from what nothing negates downwards, without recursion, so a long chain of negations is
 * no danger. Ids hold hashes, so there are no cycles; were one handed in, its members would not stand.
 */
function standingOf(
  bearing: ReadonlySet<Delta>,
  negatedBy: ReadonlyMap<string, readonly NegatedBy[]>,
): ReadonlySet<string> {
  const undecided = new Map<string, number>()
  const targetsOf = new Map<string, string[]>()
  for (const { id } of bearing) {
    const counted = (negatedBy.get(id) ?? []).filter((negation) => negation.counted)
    undecided.set(id, counted.length)
    for (const negation of counted) {
      const targets = targetsOf.get(negation.id)
      if (targets === undefined) targetsOf.set(negation.id, [id])
      else targets.push(id)
    }
  }
  const standing = new Set<string>()
  const negated = new Set<string>()
  const ready = [...undecided].filter(([, count]) => count === 0).map(([id]) => id)
  // The list grows while it is walked.
  for (const id of ready) {
    if (!negated.has(id)) standing.add(id)
    for (const target of targetsOf.get(id) ?? []) {
      if (standing.has(id)) negated.add(target)
      const left = (undecided.get(target) ?? 0) - 1
      undecided.set(target, left)
      if (left === 0) ready.push(target)
    }
  }
  return standing
}
