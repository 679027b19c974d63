/** Keywords that apply other schemas to the same value. Core, 8.2.3, 10.2.1 and 10.2.2. */

import { applyHere, Evaluated, type Keyword, type Place, type Subschema } from '../subschema.ts'
import { invalidSchema, listOf, textOf } from './written.ts'

export const reference: Keyword = (fields, compiling) => {
  const written = textOf(fields, '$ref', compiling)
  if (written === undefined) return undefined
  const target = compiling.target(written)
  return (value, place, run) => applyHere(target, value, place, run)
}

export const dynamicReference: Keyword = (fields, compiling) => {
  const written = textOf(fields, '$dynamicRef', compiling)
  if (written === undefined) return undefined
  const targetIn = compiling.dynamicTarget(written)
  return (value, place, run) => applyHere(targetIn(place.scope, run), value, place, run)
}

type Parts = (fields: Parameters<Keyword>[0], compiling: Parameters<Keyword>[1]) => readonly Subschema[] | undefined

const partsOf =
  (keyword: string): Parts =>
  (fields, compiling) => {
    const listed = listOf(fields, keyword, compiling)
    if (listed?.length === 0) throw invalidSchema(compiling.at, `"${keyword}" has one schema at least`)
    return listed?.map((_, index) => compiling.part(keyword, index))
  }

export const allOf: Keyword = (fields, compiling) => {
  const parts = partsOf('allOf')(fields, compiling)
  return (
    parts &&
    ((value, place, run) => {
      let holds = true
      for (const part of parts) {
        holds = applyHere(part, value, place, run) && holds
        if (!holds && run.isDecided) return false
      }
      return holds
    })
  )
}

export const anyOf: Keyword = (fields, compiling) => {
  const parts = partsOf('anyOf')(fields, compiling)
  return (
    parts &&
    ((value, place, run) => {
      let count = 0
      for (const part of parts) {
        if (run.quietly(() => applyHere(part, value, place, run))) count++
        // All that it satisfies count as evaluating it, where somebody asks.
        if (count > 0 && place.evaluated === undefined) return true
      }
      return count > 0 || run.fail(place.path, 'anyOf', `satisfies none of the ${parts.length} schemas that it may`)
    })
  )
}

export const oneOf: Keyword = (fields, compiling) => {
  const parts = partsOf('oneOf')(fields, compiling)
  return (
    parts &&
    ((value, place, run) => {
      let count = 0
      for (const part of parts) if (run.quietly(() => applyHere(part, value, place, run))) count++
      if (count === 1) return true
      const message = `satisfies ${count === 0 ? 'none' : count} of ${parts.length} schemas, and is to satisfy one`
      return run.fail(place.path, 'oneOf', message)
    })
  )
}

export const negation: Keyword = (fields, compiling) => {
  if (fields['not'] === undefined) return undefined
  const part = compiling.part('not')
  return (value, place, run) => {
    // What it deals with counts for nothing, but schemas inside it may ask for their own.
    const inside: Place = place.evaluated === undefined ? place : { ...place, evaluated: new Evaluated() }
    const isSatisfied = run.quietly(() => applyHere(part, value, inside, run))
    return !isSatisfied || run.fail(place.path, 'not', 'satisfies a schema that it is not to')
  }
}

export const condition: Keyword = (fields, compiling) => {
  if (fields['if'] === undefined) return undefined
  const test = compiling.part('if')
  const then = fields['then'] === undefined ? undefined : compiling.part('then')
  const otherwise = fields['else'] === undefined ? undefined : compiling.part('else')
  return (value, place, run) => {
    const branch = run.quietly(() => applyHere(test, value, place, run)) ? then : otherwise
    return branch === undefined || applyHere(branch, value, place, run)
  }
}
