/** Keywords about a value by itself: its type, which values it may be, numbers, texts and sizes. Validation, 6; Core, 6.1. */

import type { Value } from '../../../delta/delta.ts'
import { contentKey, objectOf, type Type, typeOf } from '../content.ts'
import { FORMATS } from '../formats.ts'
import { isMultiple } from '../multiple.ts'
import type { Path, Run } from '../run.ts'
import type { Keyword } from '../subschema.ts'
import { countOf, invalidSchema, listOf, namesOf, numberOf, shown, textOf } from './written.ts'

const TYPES: { readonly [name in Type | 'integer']: string } = {
  null: 'null',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
  string: 'a text',
  bytes: 'bytes',
  array: 'a list',
  object: 'an object',
}

/** `"bytes"` is a type of ours, beside those of JSON: records hold bytes as well. */
export const type: Keyword = (fields, compiling) => {
  const written = fields['type']
  if (written === undefined) return undefined
  const names = namesOf(typeof written === 'string' ? [written] : written, 'type', compiling)
  const unknown = names.find((name) => !Object.hasOwn(TYPES, name))
  if (unknown !== undefined || names.length === 0) {
    throw invalidSchema(compiling.at, `"type" is one of ${Object.keys(TYPES).join(', ')}, or a list of these`)
  }
  const types = new Set(names)
  const wanted = names.map((name) => TYPES[name as Type]).join(' or ')
  return (value, { path }, run) => {
    const is = typeOf(value)
    if (types.has(is) || (is === 'number' && types.has('integer') && Number.isInteger(value))) return true
    return run.fail(path, 'type', `is to be ${wanted}, and is ${TYPES[is]}`)
  }
}

export const enumeration: Keyword = (fields, compiling) => {
  const listed = listOf(fields, 'enum', compiling)
  if (listed === undefined) return undefined
  const keys = new Set(listed.map((value) => contentKey(value)))
  const wanted = listed.slice(0, 8).map(literal).join(', ') + (listed.length > 8 ? ', …' : '')
  return (value, { path }, run) => keys.has(contentKey(value, run)) || run.fail(path, 'enum', `is none of ${wanted}`)
}

export const constant: Keyword = (fields) => {
  const wanted = fields['const']
  if (wanted === undefined) return undefined
  const key = contentKey(wanted)
  return (value, { path }, run) =>
    contentKey(value, run) === key || run.fail(path, 'const', `is to be ${literal(wanted)}`)
}

function literal(value: Value): string {
  const written = contentKey(value)
  return written.length > 60 ? `${written.slice(0, 60).toWellFormed()}…` : written
}

type NumberTest = (value: number) => string | undefined

export const numbers: Keyword = (fields, compiling) => {
  const tests: (readonly [keyword: string, test: NumberTest])[] = []
  const bound = (keyword: string, breaks: (value: number, limit: number) => boolean, words: string) => {
    const limit = numberOf(fields, keyword, compiling)
    if (limit === undefined) return
    tests.push([keyword, (value) => (breaks(value, limit) ? `is ${value}, and is to be ${words} ${limit}` : undefined)])
  }
  bound('minimum', (value, limit) => value < limit, 'at least')
  bound('maximum', (value, limit) => value > limit, 'at most')
  bound('exclusiveMinimum', (value, limit) => value <= limit, 'more than')
  bound('exclusiveMaximum', (value, limit) => value >= limit, 'less than')
  bound('multipleOf', (value, limit) => !isMultiple(value, limit), 'a multiple of')
  if (fields['multipleOf'] !== undefined && (fields['multipleOf'] as number) <= 0) {
    throw invalidSchema(compiling.at, '"multipleOf" is more than 0')
  }
  if (tests.length === 0) return undefined
  return (value, { path }, run) => typeof value !== 'number' || all(tests, value, path, run)
}

/** Runs them all, or until more reasons change nothing. */
function all<Tested>(
  tests: readonly (readonly [keyword: string, test: (value: Tested) => string | undefined])[],
  value: Tested,
  path: Path,
  run: Run,
): boolean {
  let holds = true
  for (const [keyword, test] of tests) {
    run.spend(1)
    const message = test(value)
    if (message === undefined) continue
    holds = run.fail(path, keyword, message)
    if (run.isDecided) break
  }
  return holds
}

/** Lengths are in Unicode characters, not in units of UTF-16. */
export const texts: Keyword = (fields, compiling) => {
  const min = countOf(fields, 'minLength', compiling) ?? 0
  const max = countOf(fields, 'maxLength', compiling) ?? Infinity
  const source = textOf(fields, 'pattern', compiling)
  const format = textOf(fields, 'format', compiling)
  const isMatch = source === undefined ? undefined : compiling.pattern(source)
  const isFormat = format === undefined ? undefined : FORMATS.get(format)
  if (min === 0 && max === Infinity && isMatch === undefined && isFormat === undefined) return undefined
  return (value, { path }, run) => {
    if (typeof value !== 'string') return true
    run.spendText(value.length)
    const tests: (readonly [string, (text: string) => string | undefined])[] = []
    if (min > 0)
      tests.push(['minLength', (text) => (lengthOf(text) < min ? `has less than ${min} characters` : undefined)])
    if (max < Infinity)
      tests.push(['maxLength', (text) => (lengthOf(text) > max ? `has more than ${max} characters` : undefined)])
    if (isMatch !== undefined)
      tests.push(['pattern', (text) => (isMatch(text, run) ? undefined : `does not match ${shown(source ?? '')}`)])
    if (isFormat !== undefined) tests.push(['format', (text) => (isFormat(text) ? undefined : `is no ${format}`)])
    return all(tests, value, path, run)
  }
}

function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

export const objectSizes: Keyword = (fields, compiling) => {
  const min = countOf(fields, 'minProperties', compiling) ?? 0
  const max = countOf(fields, 'maxProperties', compiling) ?? Infinity
  if (min === 0 && max === Infinity) return undefined
  return (value, { path }, run) => {
    const object = objectOf(value)
    if (object === undefined) return true
    const count = Object.keys(object).length
    run.spend(count)
    if (count < min) return run.fail(path, 'minProperties', `has less than ${min} properties`)
    return count <= max || run.fail(path, 'maxProperties', `has more than ${max} properties`)
  }
}

export const required: Keyword = (fields, compiling) => {
  const written = fields['required']
  if (written === undefined) return undefined
  const names = namesOf(written, 'required', compiling)
  return (value, { path }, run) => {
    const object = objectOf(value)
    return object === undefined || hasAll(object, names, path, run, 'required', 'is missing')
  }
}

export const dependentRequired: Keyword = (fields, compiling) => {
  const written = fields['dependentRequired']
  if (written === undefined) return undefined
  const map = objectOf(written)
  if (map === undefined) throw invalidSchema(compiling.at, '"dependentRequired" is an object')
  const entries = Object.entries(map).map(
    ([property, names]) => [property, namesOf(names, 'dependentRequired', compiling)] as const,
  )
  return (value, { path }, run) => {
    const object = objectOf(value)
    if (object === undefined) return true
    let holds = true
    for (const [property, names] of entries) {
      run.spend(1)
      if (!Object.hasOwn(object, property)) continue
      const message = `is missing, and ${shown(property)} is there`
      holds = hasAll(object, names, path, run, 'dependentRequired', message) && holds
    }
    return holds
  }
}

function hasAll(
  object: object,
  names: readonly string[],
  path: Path,
  run: Run,
  keyword: string,
  message: string,
): boolean {
  let holds = true
  for (const name of names) {
    run.spend(1)
    if (!Object.hasOwn(object, name)) holds = run.fail({ outer: path, key: name }, keyword, message)
  }
  return holds
}
