/** Typed collections: what they write, answer and refuse, and the types that they infer from a schema. */
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type EntityReference, ref } from '../../src/delta/record.ts'
import type { FromSchema } from '../../src/view/schemas/infer.ts'
import { refusal, withApp } from '../support/app.ts'

const COUNTRY = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    area: { type: 'number' },
    borders: { type: 'array', items: { type: 'string' } },
  },
  required: ['name'],
  additionalProperties: false,
} as const

describe('a collection', () => {
  it('puts, gets, lists, watches, queries and deletes its records', async () => {
    await withApp(async (app) => {
      const countries = app.collection('country', { schema: COUNTRY })
      const stop = new AbortController()
      const watching = countries.watch({ signal: stop.signal })[Symbol.asyncIterator]()
      const first = watching.next()
      await countries.put('pt', { name: 'Portugal', area: 92_090 })
      expect((await first).value).toMatchObject({ id: 'pt', view: { properties: { name: 'Portugal' } } })
      stop.abort()
      await countries.put('es', { name: 'Spain', area: 505_370 })
      await countries.put('es', { borders: ['pt'] })
      expect(countries.get('es')).toEqual({
        id: 'es',
        properties: { name: 'Spain', area: 505_370, borders: ['pt'] },
      })
      expect(countries.get('fr')).toBeUndefined()
      expect(countries.ids()).toEqual(['es', 'pt'])
      const names: string[] = []
      for (const { properties } of countries) names.push(properties.name)
      for await (const { id, properties } of countries.all()) names.push(`${id} ${properties.name}`)
      for await (const { id } of countries) names.push(id)
      expect(names).toEqual(['Spain', 'Portugal', 'es Spain', 'pt Portugal', 'es', 'pt'])
      const { rows } = app.query(
        countries
          .query()
          .where({ '>': [{ var: 'area' }, 100_000] })
          .select('name'),
      )
      expect(rows).toEqual([{ name: 'Spain' }])
      expect(app.query(countries.query('c').limit(1)).rows).toMatchObject([{ c: { id: 'es' } }])
      expect(await refusal(countries.put('es', { area: 'large' } as never))).toBe('RZ_SCHEMA_VIOLATION')
      await countries.delete('es')
      expect(countries.ids()).toEqual(['pt'])
      expect(await countries.violations()).toEqual({ violations: [] })
    })
  })

  it('writes its schema once: the same schema twice, here or on another start, writes nothing', async () => {
    await withApp(async (app) => {
      await app.collection('country', { schema: COUNTRY }).ready()
      const { deltas } = app.counts()
      await app.collection('country', { schema: { ...COUNTRY } }).ready()
      const countries = app.collection('country', { schema: COUNTRY })
      await countries.ready()
      expect(app.counts().deltas).toBe(deltas)
      expect(app.get('schema', 'country')?.properties).toEqual({
        definition: {
          collection: 'country',
          version: 1,
          schema: COUNTRY,
          references: {},
          indexes: [],
          semantics: 1,
        },
      })
    })
  })

  it('does not overrule who changes the schema later', async () => {
    await withApp(async (app) => {
      const countries = app.collection('country', { schema: COUNTRY })
      await countries.put('pt', { name: 'Portugal' })
      await app.schema('country', { collection: 'country', schema: { properties: { name: { type: 'integer' } } } })
      expect(await refusal(countries.put('es', { name: 'Spain' }))).toBe('RZ_SCHEMA_VIOLATION')
    })
  })

  it('has a later version beside the first', async () => {
    await withApp(async (app) => {
      const old = app.collection('country', { schema: COUNTRY })
      const schema = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] } as const
      const later = app.collection('country', { schema, version: 2 })
      await old.put('pt', { name: 'Portugal' })
      await later.put('es', { title: 'Spain' })
      expect(app.ids('schema')).toEqual(['country', 'country@2'])
      expect(await refusal(later.put('fr', { title: 1 } as never))).toBe('RZ_SCHEMA_VIOLATION')
    })
  })

  it('without a schema holds records against the one that others have put in force', async () => {
    await withApp(async (app) => {
      await app.schema('country', { collection: 'country', schema: COUNTRY })
      const countries = app.collection<{ name: string }>('country')
      expect(await refusal(countries.put('pt', {}).then(() => countries.put('pt', { name: 1 as never })))).toBe(
        'RZ_SCHEMA_VIOLATION',
      )
    })
  })

  it.each([
    ['a name with a slash', 'a/b', true, 'RZ_RECORD_INVALID'],
    ['no name', '', true, 'RZ_RECORD_INVALID'],
    ['the name of definitions', 'schema', true, 'RZ_DEFINITION_INVALID'],
    ['a schema that is none', 'a', { type: 'text' }, 'RZ_SCHEMA_INVALID'],
  ])('with %s is refused at once', async (_, name, schema, code) => {
    await withApp(async (app) => {
      expect(() => app.collection<object>(name, { schema })).toThrow(expect.objectContaining({ code }))
    })
  })

  it('on a keeper reads, and refuses to write', async () => {
    await withApp(
      async (app) => {
        const countries = app.collection('country', { schema: COUNTRY })
        expect(countries.ids()).toEqual([])
        expect(await refusal(countries.ready())).toBe('RZ_NODE_KEEPER')
        expect(await refusal(countries.put('pt', { name: 'Portugal' }))).toBe('RZ_NODE_KEEPER')
      },
      { keep: true },
    )
  })
})

describe('references', () => {
  const CITY = { type: 'object', properties: { name: { type: 'string' }, country: { type: 'string' } } } as const

  it('are expanded to a depth: by id, by entity id, by reference, and in lists', async () => {
    await withApp(async (app) => {
      const countries = app.collection('country', { schema: COUNTRY, references: { borders: 'country' } })
      const cities = app.collection('city', { schema: CITY, references: { country: 'country' } })
      await countries.put('es', { name: 'Spain' })
      await countries.put('pt', { name: 'Portugal', borders: ['es', 'country/xx', 'pt'] })
      await cities.put('lisbon', { name: 'Lisbon', country: countries.ref('pt', 'cities') })
      await cities.put('porto', { name: 'Porto', country: 'pt' })
      expect(cities.get('lisbon')?.references).toBeUndefined()
      expect(cities.get('lisbon', { expand: 0 })?.references).toBeUndefined()
      expect(cities.get('porto', { expand: 1 })?.references).toMatchObject({
        country: { collection: 'country', id: 'pt', properties: { name: 'Portugal' } },
      })
      expect(cities.get('lisbon', { expand: 2 })?.references).toEqual({
        country: {
          collection: 'country',
          id: 'pt',
          properties: { name: 'Portugal', borders: ['es', 'country/xx', 'pt'], cities: expect.anything() },
          references: {
            borders: [
              { collection: 'country', id: 'es', properties: { name: 'Spain' } },
              {
                collection: 'country',
                id: 'xx',
                error: { code: 'RZ_REFERENCE_MISSING', message: 'nothing about country/xx is here' },
              },
              {
                collection: 'country',
                id: 'pt',
                error: {
                  code: 'RZ_REFERENCE_CYCLE',
                  message: 'country/pt → country/pt: it stands further up already',
                },
              },
            ],
          },
        },
      })
    })
  })

  it('that lead in a circle are named with the way that they lead', async () => {
    await withApp(async (app) => {
      const people = app.collection<{ next: string }>('person', { schema: {}, references: { next: 'person' } })
      for (const [id, next] of ['ab', 'bc', 'ca']) await people.put(id ?? '', { next: next ?? '' })
      const text = JSON.stringify(people.get('a', { expand: 8 }))
      expect(text).toContain('person/a → person/b → person/c → person/a')
      expect(text.match(/RZ_REFERENCE_CYCLE/g)).toHaveLength(1)
    })
  })

  it('are bounded in all, however they multiply', async () => {
    await withApp(async (app) => {
      const nodes = app.collection<{ to: readonly string[] }>('node', { schema: {}, references: { to: 'node' } })
      const ids = (level: number) => Array.from({ length: 12 }, (_, index) => `${level}-${index}`)
      for (let level = 0; level < 8; level++) {
        for (const id of ids(level)) await nodes.put(id, { to: ids(level + 1) })
      }
      const text = JSON.stringify(nodes.get('0-0', { expand: 8 }))
      expect(text).toContain('RZ_REFERENCE_LIMIT')
      expect(text.match(/"properties"/g)).toHaveLength(1_001 - (text.match(/RZ_REFERENCE_MISSING/g)?.length ?? 0))
    })
  })

  it.each([-1, 1.5, 9, Number.NaN])('to a depth of %d are refused', async (expand) => {
    await withApp(async (app) => {
      await app.put('a', 'b', { c: 1 })
      expect(() => app.get('a', 'b', { expand })).toThrow(expect.objectContaining({ code: 'RZ_REFERENCE_LIMIT' }))
    })
  })

  it('to what is not here are written, unless it is asked to check them', async () => {
    await withApp(async (app) => {
      const cities = app.collection('city', { schema: CITY, references: { country: 'country' } })
      await cities.put('porto', { country: 'pt' })
      const checked = { checkReferences: true }
      for (const country of ['pt', 'country/pt', ref('country/pt', 'cities')]) {
        expect(await refusal(cities.put('lisbon', { country }, checked))).toBe('RZ_REFERENCE_MISSING')
      }
      await app.transaction((transaction) => {
        transaction.put('city', 'lisbon', { country: 'pt' })
        transaction.put('country', 'pt', { name: 'Portugal' })
      }, checked)
      await cities.put('faro', { country: 'pt' }, checked)
    })
  })
})

describe('the type inferred from a schema', () => {
  it('is that of what satisfies it', () => {
    expectTypeOf<FromSchema<typeof COUNTRY>>().toEqualTypeOf<{
      readonly name: string
      readonly area?: number
      readonly borders?: readonly string[]
    }>()
    expectTypeOf<FromSchema<{ type: 'integer' }>>().toEqualTypeOf<number>()
    expectTypeOf<FromSchema<{ type: 'null' }>>().toEqualTypeOf<null>()
    expectTypeOf<FromSchema<{ type: 'boolean' }>>().toEqualTypeOf<boolean>()
    expectTypeOf<FromSchema<{ type: 'bytes' }>>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<FromSchema<{ type: readonly ['string', 'null'] }>>().toEqualTypeOf<string | null>()
    expectTypeOf<FromSchema<{ enum: readonly ['a', 'b', 3] }>>().toEqualTypeOf<'a' | 'b' | 3>()
    expectTypeOf<FromSchema<{ const: 'a' }>>().toEqualTypeOf<'a'>()
    expectTypeOf<FromSchema<true>>().toEqualTypeOf<unknown>()
    expectTypeOf<FromSchema<false>>().toEqualTypeOf<never>()
    // oxlint-disable-next-line typescript/no-empty-object-type -- the empty schema is meant
    expectTypeOf<FromSchema<{}>>().toEqualTypeOf<unknown>()
    expectTypeOf<FromSchema<{ type: 'array' }>>().toEqualTypeOf<readonly unknown[]>()
    expectTypeOf<FromSchema<{ type: 'object' }>>().toEqualTypeOf<{ readonly [name: string]: unknown }>()
    expectTypeOf<FromSchema<{ type: 'object'; additionalProperties: { type: 'number' } }>>().toEqualTypeOf<{
      readonly [name: string]: number
    }>()
    expectTypeOf<
      FromSchema<{ type: 'array'; prefixItems: readonly [{ type: 'string' }, { type: 'number' }]; items: false }>
    >().toEqualTypeOf<readonly [string, number]>()
    expectTypeOf<FromSchema<{ anyOf: readonly [{ type: 'string' }, { type: 'number' }] }>>().toEqualTypeOf<
      string | number
    >()
    expectTypeOf<FromSchema<{ oneOf: readonly [{ const: 1 }, { type: 'null' }] }>>().toEqualTypeOf<1 | null>()
    expectTypeOf<
      FromSchema<{
        allOf: readonly [
          { type: 'object'; properties: { a: { type: 'string' } }; required: readonly ['a'] },
          { type: 'object'; properties: { b: { type: 'number' } }; required: readonly ['b'] },
        ]
      }>
    >().toExtend<{ readonly a: string; readonly b: number }>()
  })

  it('follows references within the schema, nested and in a circle', () => {
    const TREE = {
      type: 'object',
      properties: { value: { $ref: '#/$defs/value' }, left: { $ref: '#/$defs/tree' } },
      required: ['value'],
      $defs: {
        value: { type: 'number' },
        tree: { type: 'object', properties: { value: { type: 'string' }, left: { $ref: '#/$defs/tree' } } },
      },
    } as const
    type Tree = FromSchema<typeof TREE>
    expectTypeOf<Tree['value']>().toEqualTypeOf<number>()
    expectTypeOf<NonNullable<NonNullable<Tree['left']>['left']>['value']>().toEqualTypeOf<string | undefined>()
  })

  it('is that of the collection, unless one is named', async () => {
    await withApp(async (app) => {
      const inferred = app.collection('country', {
        schema: { type: 'object', properties: { name: { type: 'string' }, n: { enum: [1, 2] } }, required: ['name'] },
      })
      type Got = NonNullable<ReturnType<typeof inferred.get>>['properties']
      expectTypeOf<Got>().toEqualTypeOf<{ readonly name: string; readonly n?: 1 | 2 }>()
      expectTypeOf<Parameters<typeof inferred.put>[1]>().toEqualTypeOf<{
        readonly name?: string | EntityReference
        readonly n?: 1 | 2 | EntityReference
      }>()
      // @ts-expect-error -- the name is a text
      const wrong: Parameters<typeof inferred.put>[1] = { name: 3 }
      // @ts-expect-error -- there is no such property
      const unknown: Parameters<typeof inferred.put>[1] = { nme: 'x' }
      expect([wrong, unknown]).toHaveLength(2)

      interface User {
        name: string
        age?: number
      }
      const named = app.collection<User>('user', { schema: COUNTRY })
      expectTypeOf<NonNullable<ReturnType<typeof named.get>>['properties']>().toEqualTypeOf<User>()
      const open = app.collection<User>('open')
      expectTypeOf<NonNullable<ReturnType<typeof open.get>>['properties']>().toEqualTypeOf<User>()
      await inferred.ready()
    })
  })
})
