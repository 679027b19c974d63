/** All keywords that decide, in the order in which they run: what is quick comes first. */

import type { Keyword } from '../subschema.ts'
import { constant, dependentRequired, enumeration, numbers, objectSizes, required, texts, type } from './assertions.ts'
import { allOf, anyOf, condition, dynamicReference, negation, oneOf, reference } from './combining.ts'
import { contains, items, listSizes, unevaluatedItems } from './lists.ts'
import { dependentSchemas, properties, propertyNames, unevaluatedProperties } from './objects.ts'

export const KEYWORDS: readonly Keyword[] = [
  type,
  constant,
  enumeration,
  numbers,
  texts,
  objectSizes,
  listSizes,
  required,
  dependentRequired,
  propertyNames,
  properties,
  items,
  contains,
  reference,
  dynamicReference,
  allOf,
  anyOf,
  oneOf,
  negation,
  condition,
  dependentSchemas,
]

/** Run where all others hold. */
export const LAST_KEYWORDS: readonly Keyword[] = [unevaluatedProperties, unevaluatedItems]

/** Where schemas are inside a schema: one, a list of them, or one for each name. */
export const PARTS: { readonly [keyword: string]: 'one' | 'list' | 'map' } = {
  additionalProperties: 'one',
  propertyNames: 'one',
  unevaluatedProperties: 'one',
  items: 'one',
  contains: 'one',
  unevaluatedItems: 'one',
  not: 'one',
  if: 'one',
  then: 'one',
  else: 'one',
  contentSchema: 'one',
  prefixItems: 'list',
  allOf: 'list',
  anyOf: 'list',
  oneOf: 'list',
  properties: 'map',
  patternProperties: 'map',
  dependentSchemas: 'map',
  $defs: 'map',
  definitions: 'map',
}
