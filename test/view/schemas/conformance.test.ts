/** JSON Schema 2020-12 by the cases under fixtures/schemas, and by those that ajv decides alike. */

import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { compileJsonSchema } from '../../../src/view/schemas/json-schema.ts'

interface Case {
  readonly title: string
  readonly schema: boolean | { readonly [keyword: string]: Value }
  readonly valid: readonly Value[]
  readonly invalid: readonly Value[]
}

const FILES = ['assertions', 'objects', 'lists', 'combining', 'references', 'unevaluated', 'texts'] as const

const casesOf = (file: string): readonly Case[] => {
  const url = new URL(`../../../fixtures/schemas/${file}.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as readonly Case[]
}

describe.each(FILES)('%s', (file) => {
  test.each(casesOf(file))('$title', ({ schema, valid, invalid }) => {
    const { faultsOf } = compileJsonSchema(schema)
    expect(valid.filter((value) => faultsOf(value).length > 0)).toEqual([])
    expect(invalid.filter((value) => faultsOf(value).length === 0)).toEqual([])
    const codes = new Set(invalid.flatMap(faultsOf).map(({ code }) => code))
    expect(codes.has('RZ_SCHEMA_GAS')).toBe(false)
  })
})

describe('another implementation', () => {
  // What ajv leaves to plugins (formats), or decides otherwise than the specification: names that objects inherit, an empty
  // enum, decimals, `$dynamicRef`, `$id`s, and much of what was evaluated.
  const DIFFERS = /"format"|__proto__|"enum":\[\]|0\.0001/
  const shared = (['assertions', 'objects', 'lists', 'combining', 'texts'] as const)
    .flatMap(casesOf)
    .filter(({ schema }) => !DIFFERS.test(JSON.stringify(schema)))

  test.each(shared)('agrees on: $title', ({ schema, valid, invalid }) => {
    const check = new Ajv2020({ strict: false, logger: false, multipleOfPrecision: 12, unicodeRegExp: true })
    const isValid = check.compile(schema)
    expect(valid.filter((value) => !isValid(value))).toEqual([])
    expect(invalid.filter((value) => isValid(value))).toEqual([])
  })
})

describe('beside JSON Schema', () => {
  test('bytes are a type of their own, and no text', () => {
    const { faultsOf } = compileJsonSchema({ type: ['bytes', 'null'] })
    expect(faultsOf(new Uint8Array([1]))).toEqual([])
    expect(faultsOf('AQ==')).toMatchObject([{ keyword: 'type', message: 'is to be bytes or null, and is a text' }])
    expect(compileJsonSchema({ type: 'string' }).faultsOf(new Uint8Array())).toHaveLength(1)
    expect(compileJsonSchema({ const: new Uint8Array([1]) }).faultsOf(new Uint8Array([1]))).toEqual([])
    expect(compileJsonSchema({ uniqueItems: true }).faultsOf([new Uint8Array([1]), new Uint8Array([1])])).toHaveLength(
      1,
    )
  })
})

describe('reasons', () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 2 },
      'a/b~c': { type: 'array', items: { minimum: 3 } },
    },
    required: ['name'],
    additionalProperties: false,
  }
  const reasons = (value: Value) =>
    compileJsonSchema(schema)
      .faultsOf(value)
      .map(({ path, message }) => `${path} ${message}`)

  test('each names where in the record it is, as a JSON pointer', () => {
    expect(reasons({ name: 'x', 'a/b~c': [3, 1, 2] })).toEqual([
      '/name has less than 2 characters',
      '/a~1b~0c/1 is 1, and is to be at least 3',
      '/a~1b~0c/2 is 2, and is to be at least 3',
    ])
    expect(reasons({})).toEqual(['/name is missing'])
    expect(reasons([])).toEqual([' is to be an object, and is a list'])
  })

  test('a property that is not allowed has a code of its own', () => {
    expect(compileJsonSchema(schema).faultsOf({ name: 'xy', zip: 1 })).toEqual([
      {
        path: '/zip',
        keyword: 'additionalProperties',
        code: 'RZ_SCHEMA_PROPERTY',
        message: 'is no property of the schema, which allows no others: "zip"',
      },
    ])
  })

  test('there are 16 at most, and none of what was only tried', () => {
    expect(compileJsonSchema({ items: { type: 'null' } }).faultsOf(Array.from({ length: 100 }, () => 1))).toHaveLength(
      16,
    )
    const { faultsOf } = compileJsonSchema({ anyOf: [{ type: 'string' }, { required: ['a', 'b'] }] })
    expect(faultsOf({}).map(({ keyword }) => keyword)).toEqual(['anyOf'])
  })
})
