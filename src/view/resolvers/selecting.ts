/**
 * Resolvers that select: the value they make is one that was claimed, or null. Indexes of what was claimed find no other.
 * Known by their rules, which are those of `shipped.ts`; any other rule is taken to compute. design.md 5.
 */

import type { Value } from '../../delta/delta.ts'
import { isList, sameValue } from '../../delta/value.ts'
import type { Resolver } from './resolver.ts'
import { fromTrustedFirst, SHIPPED_RESOLVERS } from './shipped.ts'

const SELECTING: readonly Value[] = (['latest', 'first', 'max', 'min', 'majority'] as const).map(
  (name) => SHIPPED_RESOLVERS[name],
)

const known = new WeakMap<Resolver, boolean>()

/** Undefined is the resolver of a property without one: latest. */
export function selects(resolver: Resolver | undefined): boolean {
  if (resolver === undefined) return true
  const isKnown = known.get(resolver)
  if (isKnown !== undefined) return isKnown
  const { rule } = resolver.definition
  const isSelecting = SELECTING.some((shipped) => sameValue(shipped, rule)) || trusts(rule)
  known.set(resolver, isSelecting)
  return isSelecting
}

function trusts(rule: Value): boolean {
  const creators = creatorsIn(rule)
  return creators !== undefined && sameValue(fromTrustedFirst(creators), rule)
}

/** The texts that could be the creators of `fromTrustedFirst`: of every second part of its `if` the one compared with. */
function creatorsIn(rule: Value): readonly string[] | undefined {
  const parts = at(rule, 'if')
  if (!isList(parts)) return undefined
  const compared = parts.slice(0, -1).filter((_, index) => index % 2 === 0)
  const creators = compared.map((part) => at(part, 'filter', '1', '===', '1'))
  return creators.every((creator) => typeof creator === 'string') ? creators : undefined
}

function at(value: Value, ...path: readonly string[]): Value {
  let found: Value | undefined = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null || found instanceof Uint8Array) return null
    found = Object.hasOwn(found, key) ? (found as { readonly [key: string]: Value })[key] : null
  }
  return found ?? null
}
