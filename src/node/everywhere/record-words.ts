/** Records as nodes say them to each other. words.ts. */

import type { Value } from '../../delta/delta.ts'
import { isList } from '../../delta/value.ts'
import type { ReferredRecord, References } from '../expand.ts'
import type { Entity } from '../records.ts'
import {
  deltaValue,
  faultValue,
  fieldsIn,
  listIn,
  mapped,
  orderedValue,
  parseDelta,
  parseFault,
  parseOrderedFields,
  textIn,
} from './words.ts'

export function entityValue(entity: Entity | undefined): Value {
  if (entity === undefined) return null
  const { id, properties, errors, unseen, references } = entity
  return {
    id,
    properties: orderedValue(properties),
    ...(errors && { errors: orderedValue(mapped(errors, faultValue)) }),
    ...(unseen && {
      unseen: unseen.map(({ code, message, delta }) => [code, message, deltaValue(delta)]),
    }),
    ...(references && { references: entriesOf(references, referencesValue) }),
  }
}

export function parseEntity(value: Value): Entity | undefined {
  if (value === null) return undefined
  const { id, properties, errors, unseen, references } = fieldsIn(value)
  return {
    id: textIn(id),
    properties: parseOrderedFields(properties),
    ...(errors !== undefined && { errors: mapped(parseOrderedFields(errors), parseFault) }),
    ...(unseen !== undefined && {
      unseen: listIn(unseen).map((item) => {
        const [code, message, delta] = listIn(item)
        return { ...parseFault([code ?? null, message ?? null]), delta: parseDelta(delta) }
      }),
    }),
    ...(references !== undefined && { references: parseEntries(references, parseReferences) }),
  }
}

function referencesValue(referred: References[string]): Value {
  return isMany(referred) ? referred.map(referredValue) : referredValue(referred)
}

/** Names alone, properties and what these refer to: plain values. */
function referredValue({ collection, id, properties, errors, error, references }: ReferredRecord): Value {
  return {
    collection,
    id,
    ...(properties && { properties: orderedValue(properties) }),
    ...(errors && { errors: orderedValue(mapped(errors, faultValue)) }),
    ...(error && { error: faultValue(error) }),
    ...(references && { references: entriesOf(references, referencesValue) }),
  }
}

function parseReferences(value: Value): References[string] {
  return isList(value) ? value.map(parseReferred) : parseReferred(value)
}

function parseReferred(value: Value): ReferredRecord {
  const { collection, id, properties, errors, error, references } = fieldsIn(value)
  return {
    collection: textIn(collection),
    id: textIn(id),
    ...(properties !== undefined && { properties: parseOrderedFields(properties) }),
    ...(errors !== undefined && { errors: mapped(parseOrderedFields(errors), parseFault) }),
    ...(error !== undefined && { error: parseFault(error) }),
    ...(references !== undefined && { references: parseEntries(references, parseReferences) }),
  }
}

function isMany(referred: References[string]): referred is Extract<References[string], readonly unknown[]> {
  return Array.isArray(referred)
}

/** A map in the order of its keys. */
function entriesOf<Item>(map: { readonly [key: string]: Item }, make: (item: Item) => Value): Value {
  return Object.entries(map).map(([key, item]) => [key, make(item)])
}

function parseEntries<Item>(value: Value | undefined, parse: (value: Value) => Item): { readonly [key: string]: Item } {
  return Object.fromEntries(
    listIn(value).map((entry) => {
      const [key, item] = listIn(entry)
      return [textIn(key), parse(item ?? null)]
    }),
  )
}
