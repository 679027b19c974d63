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

const ONE = [
  'additionalProperties',
  'propertyNames',
  'unevaluatedProperties',
  'items',
  'contains',
  'unevaluatedItems',
  'not',
  'if',
  'then',
  'else',
  'contentSchema',
]
const LISTS = ['prefixItems', 'allOf', 'anyOf', 'oneOf']
const MAPS = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']

/** Keywords that hold schemas: one, a list, or one for each name. */
export const PARTS: readonly (readonly [keyword: string, kind: 'one' | 'list' | 'map'])[] = [
  ...ONE.map((keyword) => [keyword, 'one'] as const),
  ...LISTS.map((keyword) => [keyword, 'list'] as const),
  ...MAPS.map((keyword) => [keyword, 'map'] as const),
]
