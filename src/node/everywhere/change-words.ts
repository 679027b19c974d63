/** What nodes say to each other of changes, as values. What comes from another is read here, once; throws as words.ts. */

import type { Value } from '../../delta/delta.ts'
import type { RuleChange } from '../rule-change.ts'
import type { Changes } from './changes.ts'
import { isLife, type StoreCursor } from './watch-cursor.ts'
import { integerIn, invalid, listIn, textIn } from './words.ts'

/** A record is told by its entity's id, a rule as a list. */
export function changedItems({ records, rules }: Changes): readonly Value[] {
  return [
    ...records,
    ...rules.map((rule) => [rule.kind, (rule.kind === 'context' ? rule.id : rule.collection) ?? null]),
  ]
}

export function changesEnd({ cursor, isKnown, isAll }: Changes): Value {
  return [cursorValue(cursor), isKnown, isAll]
}

export function parseChanges(items: readonly Value[], end: Value): Changes {
  const [place, isKnown, isAll] = listIn(end)
  const cursor = parseCursor(place)
  if (cursor === undefined) throw invalid('changes up to no place')
  return {
    records: items.filter((item) => typeof item === 'string'),
    rules: items.filter((item) => typeof item !== 'string').map(parseRule),
    cursor,
    isKnown: isKnown === true,
    isAll: isAll === true,
  }
}

function parseRule(value: Value): RuleChange {
  const [kind, of] = listIn(value)
  if (kind === 'context') return { kind, id: textIn(of) }
  if (kind === 'resolver') return of === null ? { kind } : { kind, collection: textIn(of) }
  throw invalid('a rule of an unknown kind')
}

export function cursorValue(cursor: StoreCursor | undefined): Value {
  return cursor === undefined ? null : [cursor.life, cursor.position]
}

export function parseCursor(value: Value | undefined): StoreCursor | undefined {
  if (value === null) return undefined
  const [life, position] = listIn(value)
  if (!isLife(textIn(life))) throw invalid('no life of a store')
  return { life: textIn(life), position: integerIn(position) as StoreCursor['position'] }
}
