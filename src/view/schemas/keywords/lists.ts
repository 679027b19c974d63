/** Keywords about the items of a list. Core, 10.3.1; Validation, 6.4. */

import { isList } from '../../../delta/value.ts'
import { contentKey } from '../content.ts'
import { applyInside, type Keyword } from '../subschema.ts'
import { countOf, invalidSchema, listOf } from './written.ts'

/** `prefixItems`, and `items` for those behind them. */
export const items: Keyword = (fields, compiling) => {
  const listed = listOf(fields, 'prefixItems', compiling)
  if (listed?.length === 0) throw invalidSchema(compiling.at, '"prefixItems" has one schema at least')
  const prefix = listed?.map((_, index) => compiling.part('prefixItems', index)) ?? []
  const rest = fields['items'] === undefined ? undefined : compiling.part('items')
  if (prefix.length === 0 && rest === undefined) return undefined
  return (value, place, run) => {
    if (!isList(value)) return true
    const count = rest === undefined ? Math.min(prefix.length, value.length) : value.length
    let holds = true
    for (const [index, item] of value.slice(0, count).entries()) {
      run.spend(1)
      const schema = prefix[index] ?? rest
      if (schema !== undefined) holds = applyInside(schema, item, index, place, run) && holds
      if (!holds && run.isDecided) return false
    }
    if (place.evaluated !== undefined) place.evaluated.itemsCount = Math.max(place.evaluated.itemsCount, count)
    return holds
  }
}

export const contains: Keyword = (fields, compiling) => {
  const min = countOf(fields, 'minContains', compiling) ?? 1
  const max = countOf(fields, 'maxContains', compiling) ?? Infinity
  if (fields['contains'] === undefined) return undefined
  const schema = compiling.part('contains')
  return (value, place, run) => {
    if (!isList(value)) return true
    let count = 0
    for (const [index, item] of value.entries()) {
      if (!run.quietly(() => applyInside(schema, item, index, place, run))) continue
      count++
      place.evaluated?.items.add(index)
    }
    const words = min === 1 ? 'no item' : `less than ${min} items`
    if (count < min)
      return run.fail(place.path, min === 1 ? 'contains' : 'minContains', `has ${words} as the schema wants`)
    return count <= max || run.fail(place.path, 'maxContains', `has more than ${max} items as the schema counts`)
  }
}

export const listSizes: Keyword = (fields, compiling) => {
  const min = countOf(fields, 'minItems', compiling) ?? 0
  const max = countOf(fields, 'maxItems', compiling) ?? Infinity
  const unique = fields['uniqueItems'] ?? false
  if (typeof unique !== 'boolean') throw invalidSchema(compiling.at, '"uniqueItems" is true or false')
  if (min === 0 && max === Infinity && !unique) return undefined
  return (value, { path }, run) => {
    if (!isList(value)) return true
    if (value.length < min) return run.fail(path, 'minItems', `has less than ${min} items`)
    if (value.length > max) return run.fail(path, 'maxItems', `has more than ${max} items`)
    if (!unique) return true
    const keys = new Set<string>()
    for (const [index, item] of value.entries()) {
      keys.add(contentKey(item, run))
      if (keys.size <= index) return run.fail({ outer: path, key: index }, 'uniqueItems', 'is in the list before')
    }
    return true
  }
}

/** Runs last, as `unevaluatedProperties` does. */
export const unevaluatedItems: Keyword = (fields, compiling) => {
  if (fields['unevaluatedItems'] === undefined) return undefined
  const schema = compiling.part('unevaluatedItems')
  return (value, place, run) => {
    if (!isList(value)) return true
    let holds = true
    for (const [index, item] of value.entries()) {
      run.spend(1)
      if (index < (place.evaluated?.itemsCount ?? 0) || place.evaluated?.items.has(index)) continue
      holds = applyInside(schema, item, index, place, run) && holds
      if (!holds && run.isDecided) return false
    }
    if (place.evaluated !== undefined) place.evaluated.itemsCount = value.length
    return holds
  }
}
