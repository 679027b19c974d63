/** Keywords that apply schemas to the properties of an object, and to their names. Core, 10.3.2 and 10.2.2.4. */

import { objectOf } from '../content.ts'
import { applyHere, applyInside, type Keyword, type Subschema } from '../subschema.ts'
import { mapOf, shown } from './written.ts'

/** `properties`, `patternProperties`, and `additionalProperties` for what neither names. */
export const properties: Keyword = (fields, compiling) => {
  const named = new Map<string, Subschema>(
    mapOf(fields, 'properties', compiling).map(([name]) => [name, compiling.part('properties', name)]),
  )
  const patterned = mapOf(fields, 'patternProperties', compiling).map(
    ([source]) => [compiling.pattern(source), compiling.part('patternProperties', source)] as const,
  )
  const isOpen = fields['additionalProperties'] === undefined
  if (named.size === 0 && patterned.length === 0 && isOpen) return undefined
  const others = isOpen ? undefined : compiling.part('additionalProperties')
  const isClosed = fields['additionalProperties'] === false

  return (value, place, run) => {
    const object = objectOf(value)
    if (object === undefined) return true
    let holds = true
    for (const [name, inside] of Object.entries(object)) {
      run.spend(1)
      const own = named.get(name)
      const matching = patterned.filter(([isIn]) => isIn(name, run)).map(([, schema]) => schema)
      const schemas = own === undefined ? matching : [own, ...matching]
      if (schemas.length > 0) {
        place.evaluated?.properties.add(name)
        for (const schema of schemas) holds = applyInside(schema, inside, name, place, run) && holds
      } else if (isClosed) {
        holds = run.fail(
          { outer: place.path, key: name },
          'additionalProperties',
          `is no property of the schema, which allows no others: ${shown(name)}`,
          'RZ_SCHEMA_PROPERTY',
        )
      } else if (others !== undefined) {
        place.evaluated?.properties.add(name)
        holds = applyInside(others, inside, name, place, run) && holds
      }
      if (!holds && run.isDecided) return false
    }
    return holds
  }
}

export const propertyNames: Keyword = (fields, compiling) => {
  if (fields['propertyNames'] === undefined) return undefined
  const schema = compiling.part('propertyNames')
  return (value, place, run) => {
    const object = objectOf(value)
    if (object === undefined) return true
    const refused = Object.keys(object).find((name) => !run.quietly(() => applyInside(schema, name, name, place, run)))
    if (refused === undefined) return true
    return run.fail({ outer: place.path, key: refused }, 'propertyNames', 'has a name that the schema does not allow')
  }
}

export const dependentSchemas: Keyword = (fields, compiling) => {
  const dependent = mapOf(fields, 'dependentSchemas', compiling).map(
    ([name]) => [name, compiling.part('dependentSchemas', name)] as const,
  )
  if (dependent.length === 0) return undefined
  return (value, place, run) => {
    const object = objectOf(value)
    if (object === undefined) return true
    let holds = true
    for (const [name, schema] of dependent) {
      run.spend(1)
      if (Object.hasOwn(object, name)) holds = applyHere(schema, value, place, run) && holds
    }
    return holds
  }
}

/** Runs last: it applies to what no keyword beside it, or within it, has dealt with. */
export const unevaluatedProperties: Keyword = (fields, compiling) => {
  if (fields['unevaluatedProperties'] === undefined) return undefined
  const schema = compiling.part('unevaluatedProperties')
  const isClosed = fields['unevaluatedProperties'] === false
  return (value, place, run) => {
    const object = objectOf(value)
    if (object === undefined) return true
    let holds = true
    for (const [name, inside] of Object.entries(object)) {
      run.spend(1)
      if (place.evaluated?.properties.has(name)) continue
      place.evaluated?.properties.add(name)
      if (isClosed) {
        const message = `is no property of the schema, which allows no others: ${shown(name)}`
        const path = { outer: place.path, key: name }
        holds = run.fail(path, 'unevaluatedProperties', message, 'RZ_SCHEMA_PROPERTY')
      } else holds = applyInside(schema, inside, name, place, run) && holds
      if (!holds && run.isDecided) return false
    }
    return holds
  }
}
