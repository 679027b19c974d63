/**
 * The lossy view: of each property the one value that its resolver makes of the standing claims; latest where it has
 * none. A resolver that fails gives its property an error instead of a value, and harms no other. design.md 5, Lossy.
 *
 * A property has a value when a claim about it stands, or when its resolver reads a property that has one.
 *
 * Many costly rules must not add up to a view that takes minutes, nor may one property's rule starve another's: each has
 * gas of its own, which grows with its candidates, and what it needs beyond that comes from what all share. Those that read
 * no other property come first, by their names, then each of the others after those that it reads. So what is used up
 * depends on the view alone, never on what was kept or computed before.
 */

import { parseEntityId } from '../delta/record.ts'
import { compareUtf8 } from '../delta/order.ts'
import type { Value } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import { attempt, type Fault } from './fault.ts'
import { latestClaim, latestView, type LossyView } from './latest.ts'
import { type LosslessView, mapOf } from './lossless.ts'
import type { Resolver } from './resolvers/resolver.ts'
import type { CollectionResolvers, ResolverSet } from './resolvers/resolver-set.ts'
import { SEMANTICS_VERSION } from './rules/semantics.ts'

/**
 * Gas of a view, part of the rules' semantics. A property has so much of its own when a claim about it stands (whoever makes
 * many pays for them in deltas) or when its resolver comes with the context and not from the log; and so much for each of
 * its candidates, which a rule should be able to look at.
 */
const OWN_GAS = 1_000
const CANDIDATE_GAS = 32
/** What all properties share beyond their own: some 90 ms at the very most. */
const SHARED_GAS = 300_000
/** The most that one property is given, but for its candidates. */
const PROPERTY_GAS = 100_000

/** Of most views: one for all, since a map without a prototype takes as much as a small view. */
const NO_ERRORS: ResolvedView['errors'] = Object.freeze(mapOf<Fault>([]))

/** Told the gas that a rule has used, however it ended. */
export type GasMeter = (gas: number) => void

export interface ResolvedView extends LossyView {
  /** Per property that has no value because its resolver failed. Ordered and without a prototype, as `properties`. */
  readonly errors: { readonly [property: string]: Fault }
}

export function lossyView(view: LosslessView, resolvers: ResolverSet, meter: GasMeter = () => undefined): ResolvedView {
  const own = resolvers.collections.get(parseEntityId(view.id)?.collection ?? '')
  if (own === undefined) return { ...latestView(view), errors: NO_ERRORS }
  return new Resolution(view, own, meter).view()
}

class Resolution {
  readonly #view: LosslessView
  readonly #resolvers: CollectionResolvers
  readonly #values = new Map<string, Value>()
  readonly #errors = new Map<string, Fault>()
  readonly #meter: GasMeter
  #sharedGas = SHARED_GAS

  constructor(view: LosslessView, resolvers: CollectionResolvers, meter: GasMeter) {
    this.#view = view
    this.#resolvers = resolvers
    this.#meter = meter
  }

  view(): ResolvedView {
    const { byProperty, order } = this.#resolvers
    const alone: [string, Resolver][] = []
    for (const [property, claims] of Object.entries(this.#view.properties)) {
      const resolver = byProperty.get(property)
      if (resolver === undefined) {
        const claim = latestClaim(claims)
        if (claim !== undefined) this.#values.set(property, claim.value)
      } else if (readsOf(resolver).length === 0) alone.push([property, resolver])
    }
    for (const [property, resolver] of alone.sort(([a], [b]) => compareUtf8(a, b))) {
      const candidates = this.#candidates(property)
      if (candidates.length > 0) this.#settle(property, resolver, candidates)
    }
    for (const property of order) this.#resolveReader(property)
    return {
      id: this.#view.id,
      properties: mapOf(inOrder(this.#values)),
      errors: this.#errors.size === 0 ? NO_ERRORS : mapOf(inOrder(this.#errors)),
    }
  }

  /** A property whose resolver reads others, which come before it in the order unless they are in a cycle with it. */
  #resolveReader(property: string): void {
    const resolver = this.#resolvers.byProperty.get(property)
    if (resolver === undefined) return
    const candidates = this.#candidates(property)
    const cycle = this.#resolvers.cycles.get(property)
    if (cycle !== undefined) {
      if (cycle.some((name) => this.#candidates(name).length > 0)) this.#errors.set(property, cycleFault(cycle))
      return
    }
    const isRead = readsOf(resolver).some((name) => this.#values.has(name) || this.#errors.has(name))
    if (candidates.length > 0 || isRead) this.#settle(property, resolver, candidates)
  }

  #candidates(property: string): readonly Candidate[] {
    return candidatesOf(this.#view.properties[property] ?? [])
  }

  #settle(property: string, resolver: Resolver, candidates: readonly Candidate[]): void {
    const attempted = attempt(() => this.#run(property, resolver, candidates))
    if ('value' in attempted) this.#values.set(property, attempted.value)
    else this.#errors.set(property, attempted.fault)
  }

  #run(property: string, { definition, rule, source }: Resolver, candidates: readonly Candidate[]): Value {
    if (rule === undefined) throw laterSemantics(definition.semantics)
    const data = { id: this.#view.id, property, candidates }
    const candidatesGas = candidates.length * CANDIDATE_GAS
    const ownGas = candidatesGas + (candidates.length > 0 || source === undefined ? OWN_GAS : 0)
    const wanted = PROPERTY_GAS + candidatesGas
    const gasMax = Math.min(wanted, ownGas + this.#sharedGas)
    const spent = (gas: number): void => {
      this.#sharedGas -= Math.max(0, gas - ownGas)
      this.#meter(gas)
    }
    try {
      return rule.run(data, { gasMax, property: (name) => this.#read(name), spent }).value
    } catch (error) {
      const isStarved = error instanceof RhizomeError && error.code === 'RZ_RULE_GAS' && gasMax < wanted
      throw isStarved ? viewGas(gasMax, error) : error
    }
  }

  #read(name: string): Value | undefined {
    const fault = this.#errors.get(name)
    if (fault === undefined) return this.#values.get(name)
    throw new RhizomeError('RZ_RULE_PROPERTY', `the rule reads "${name}", which has the error ${fault.code}: mend that`)
  }
}

function viewGas(left: number, cause: unknown): RhizomeError {
  const message = `the rules of this record need more than ${SHARED_GAS} gas beyond their own, and this one had ${left} left`
  return new RhizomeError('RZ_VIEW_GAS', `${message}: make those before it, or this one, simpler`, { cause })
}

function readsOf(resolver: Resolver): readonly string[] {
  return resolver.rule?.reads ?? []
}

/** Names in a message; the rest of a long cycle is counted. */
const NAMED_MAX = 8

function cycleFault(cycle: readonly string[]): Fault {
  const names = cycle.slice(0, NAMED_MAX).map((name) => `"${name}"`)
  const more = cycle.length > NAMED_MAX ? ` and ${cycle.length - NAMED_MAX} more` : ''
  const whose =
    cycle.length === 1
      ? `the rule of ${names[0]} reads itself`
      : `the rules of ${names.join(', ')}${more} read one another`
  return { code: 'RZ_RULE_CYCLE', message: `${whose}: let one of them not` }
}

function laterSemantics(version: number): RhizomeError {
  return new RhizomeError(
    'RZ_RULE_SEMANTICS',
    `the rule is written in version ${version} of the rule language, and this release knows ${SEMANTICS_VERSION}: upgrade`,
  )
}

function inOrder<Item>(map: ReadonlyMap<string, Item>): readonly (readonly [string, Item])[] {
  return [...map].sort(([a], [b]) => compareUtf8(a, b))
}
