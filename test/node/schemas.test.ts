/** Schemas that are records: writes are held against them, on every node that has them; what breaks them elsewhere is listed. */
import { describe, expect, it } from 'vitest'
import type { Pointer } from '../../src/delta/delta.ts'
import { ref } from '../../src/delta/record.ts'
import { copyDeltas, refusal, withApp } from '../support/app.ts'

const USER = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1 }, age: { type: 'integer', minimum: 0 } },
  required: ['name'],
} as const
const STRICT = { ...USER, additionalProperties: false } as const

const claim = (id: string, property: string, value: string | number): readonly Pointer[] => [
  { localContext: 'user', target: `user/${id}`, targetContext: property },
  { localContext: property, target: value },
]

describe('a write of a record', () => {
  it('that breaks the schema in force is refused with path and reason, and nothing is written', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: STRICT })
      const { deltas } = app.counts()
      await expect(app.put('user', 'a', { age: 3 })).rejects.toMatchObject({
        code: 'RZ_SCHEMA_VIOLATION',
        message: 'user/a is not written, as its schema (version 1) has it otherwise: /name is missing',
      })
      await expect(app.put('user', 'a', { name: 'A', age: -1 })).rejects.toMatchObject({
        code: 'RZ_SCHEMA_VIOLATION',
        message: expect.stringContaining('/age is -1, and is to be at least 0'),
      })
      await expect(app.put('user', 'a', { name: 'A', zip: 1 })).rejects.toMatchObject({ code: 'RZ_SCHEMA_PROPERTY' })
      expect(app.counts().deltas).toBe(deltas)
      expect(app.get('user', 'a')).toBeUndefined()
    })
  })

  it('is held against the record as it would be: a property alone is enough once the others are there', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: USER })
      await app.put('user', 'a', { name: 'A' })
      await app.put('user', 'a', { age: 3 })
      expect(await refusal(app.put('user', 'a', { name: 7 }))).toBe('RZ_SCHEMA_VIOLATION')
      expect(app.get('user', 'a')?.properties).toEqual({ name: 'A', age: 3 })
    })
  })

  it('is held against what its resolvers would show', async () => {
    await withApp(async (app) => {
      await app.resolver('tags', {
        collection: 'user',
        property: 'tags',
        rule: { map: [{ var: 'candidates' }, { var: 'value' }] },
      })
      const schema = { properties: { tags: { type: 'array', items: { type: 'string' }, maxItems: 2 } } }
      await app.schema('user', { collection: 'user', schema })
      await app.put('user', 'a', { tags: 'x' })
      await app.put('user', 'a', { tags: 'y' })
      expect(app.get('user', 'a')?.properties).toEqual({ tags: ['x', 'y'] })
      expect(await refusal(app.put('user', 'a', { tags: 'z' }))).toBe('RZ_SCHEMA_VIOLATION')
      expect(await refusal(app.put('user', 'b', { tags: 1 }))).toBe('RZ_SCHEMA_VIOLATION')
    })
  })

  it('keeps properties that the schema does not name, unless it allows no others', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: USER })
      await app.put('user', 'a', { name: 'A', shoe: 43 })
      expect(app.get('user', 'a')?.properties).toEqual({ name: 'A', shoe: 43 })
    })
  })

  it('that changes nothing is not held against a schema that it broke before', async () => {
    await withApp(async (app) => {
      await app.put('user', 'a', { age: 3 })
      await app.schema('user', { collection: 'user', schema: USER })
      await app.put('user', 'a', { age: 3 }, { onlyChanged: true })
      expect(await refusal(app.put('user', 'a', { age: 4 }))).toBe('RZ_SCHEMA_VIOLATION')
      await app.put('user', 'a', { age: 4, name: 'A' })
    })
  })

  it('that a hostile schema would take forever to check is refused', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: { allOf: [{ $ref: '#' }] } })
      expect(await refusal(app.put('user', 'a', { name: 'A' }))).toBe('RZ_SCHEMA_GAS')
      expect((await app.violations()).violations).toEqual([])
      await app.append(claim('a', 'name', 'A'))
      expect((await app.violations()).violations).toMatchObject([{ id: 'a', faults: [{ code: 'RZ_SCHEMA_GAS' }] }])
    })
  })

  it.each(['a\u0000', '__proto__', 'toString'])('of a record called %j is like any other', async (id) => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: STRICT })
      await app.put('user', id, { name: 'x' })
      expect(await refusal(app.put('user', id, { toString: 1 }))).toBe('RZ_SCHEMA_PROPERTY')
    })
  })
})

describe('a transaction', () => {
  it('is held against the schemas as a whole: each record as it would be after all of it', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: STRICT })
      await app.transaction((transaction) => {
        transaction.put('user', 'a', { age: 3 })
        transaction.put('user', 'a', { name: 'A' })
      })
      const { deltas } = app.counts()
      const broken = app.transaction((transaction) => {
        transaction.put('user', 'b', { name: 'B' })
        transaction.put('user', 'c', { age: 3 })
      })
      await expect(broken).rejects.toMatchObject({
        code: 'RZ_SCHEMA_VIOLATION',
        message: expect.stringContaining('user/c is not written'),
      })
      expect(app.counts().deltas).toBe(deltas)
    })
  })

  it('may negate what it puts', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: STRICT })
      await app.transaction((transaction) => {
        const [zip] = transaction.put('user', 'a', { zip: 1 })
        if (zip !== undefined) transaction.negate(zip)
        transaction.put('user', 'a', { name: 'A' })
      })
      expect(app.get('user', 'a')?.properties).toEqual({ name: 'A' })
    })
  })
})

describe('what is not refused', () => {
  it('raw deltas: they are kept, shown and listed, with who claimed what', async () => {
    await withApp(async (app, node) => {
      await app.schema('user', { collection: 'user', schema: USER })
      const { deltas } = await app.append(claim('a', 'age', 'old'))
      expect(app.get('user', 'a')?.properties).toEqual({ age: 'old' })
      expect(await app.violations()).toEqual({
        violations: [
          {
            collection: 'user',
            id: 'a',
            version: 1,
            faults: [
              { path: '/name', keyword: 'required', code: 'RZ_SCHEMA_VIOLATION', message: 'is missing', deltas: [] },
              {
                path: '/age',
                keyword: 'type',
                code: 'RZ_SCHEMA_VIOLATION',
                message: 'is to be a whole number, and is a text',
                deltas: [{ id: deltas[0], creator: node.peerId }],
              },
            ],
          },
        ],
      })
    })
  })

  it('deletes, and references from elsewhere, which are no properties of the record', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: STRICT })
      await app.put('user', 'a', { name: 'A' })
      await app.put('post', 'p', { author: ref('user/a', 'posts') })
      expect(Object.keys(app.get('user', 'a')?.properties ?? {})).toEqual(['name', 'posts'])
      expect((await app.violations()).violations).toEqual([])
      await app.put('user', 'a', { age: 4 })
      await app.delete('user', 'a')
      expect((await app.violations()).violations).toEqual([])
    })
  })
})

describe('violations', () => {
  it('follow what changes: claims, negations, schemas and resolvers', async () => {
    await withApp(async (app) => {
      const broken = async () => (await app.violations()).violations.map(({ id }) => id)
      for (const id of ['a', 'b', 'c']) await app.put('user', id, { age: id })
      expect(await broken()).toEqual([])
      await app.schema('user', { collection: 'user', schema: { properties: { age: { type: 'integer' } } } })
      expect(await broken()).toEqual(['a', 'b', 'c'])
      await app.put('user', 'b', { age: 1 })
      expect(await broken()).toEqual(['a', 'c'])
      await app.delete('user', 'a')
      expect(await broken()).toEqual(['c'])
      const { deltas } = await app.append(claim('b', 'age', 'x'))
      expect(await broken()).toEqual(['b', 'c'])
      await app.negate(deltas[0] ?? '')
      expect(await broken()).toEqual(['c'])
      await app.resolver('age', { collection: 'user', property: 'age', rule: 7 })
      expect(await broken()).toEqual([])
      await app.delete('resolver', 'age')
      expect(await broken()).toEqual(['c'])
      await app.schema('user', { collection: 'user', schema: { properties: { age: { type: 'string' } } } })
      expect(await broken()).toEqual(['b'])
      await app.delete('schema', 'user')
      expect(await broken()).toEqual([])
    })
  })

  it('come in pages, by collection and id, and of one collection', async () => {
    await withApp(async (app) => {
      for (const collection of ['x', 'y']) {
        await app.schema(collection, { collection, schema: { required: ['n'] } })
        await app.transaction((transaction) => {
          for (let count = 0; count < 5; count++) {
            const target = `${collection}/${count}`
            transaction.append([
              { localContext: collection, target, targetContext: 'm' },
              { localContext: 'm', target: 1 },
            ])
          }
        })
      }
      const seen: string[] = []
      for (let after: string | undefined; ;) {
        const page = await app.violations({ countMax: 3, ...(after !== undefined && { after }) })
        seen.push(...page.violations.map(({ collection, id }) => `${collection}/${id}`))
        after = page.after
        if (after === undefined) break
      }
      expect(seen).toEqual(['x', 'y'].flatMap((name) => [0, 1, 2, 3, 4].map((id) => `${name}/${id}`)))
      expect((await app.violations({ collection: 'y' })).violations).toHaveLength(5)
      expect((await app.violations({ collection: 'z' })).violations).toEqual([])
      expect((await app.violations({ after: 'x/9' })).violations).toHaveLength(5)
    })
  })

  it('asked for by many at once are the same for all', async () => {
    await withApp(async (app) => {
      await app.schema('user', { collection: 'user', schema: USER })
      for (let count = 0; count < 50; count++) await app.append(claim(`u${count}`, 'age', 1))
      const pages = await Promise.all(Array.from({ length: 8 }, () => app.violations()))
      for (const { violations } of pages) expect(violations).toHaveLength(50)
    })
  })
})

describe('versions', () => {
  it('a record is in order if it satisfies one of those in force; faults are those of the latest', async () => {
    await withApp(async (app) => {
      await app.schema('one', { collection: 'user', schema: STRICT })
      const schema = { properties: { fullName: { type: 'string' } }, required: ['fullName'] }
      await app.schema('two', { collection: 'user', version: 2, schema })
      await app.put('user', 'old', { name: 'A' })
      await app.put('user', 'new', { fullName: 'A' })
      await expect(app.put('user', 'bad', { name: 1 })).rejects.toMatchObject({
        code: 'RZ_SCHEMA_VIOLATION',
        message: expect.stringContaining('(version 2) has it otherwise: /fullName is missing'),
      })
      await app.delete('schema', 'one')
      expect((await app.violations()).violations).toMatchObject([{ id: 'old', version: 2 }])
    })
  })

  it('of one version the definition claimed last is in force, whichever record holds it', async () => {
    await withApp(async (app) => {
      await app.schema('b', { collection: 'user', schema: false })
      await app.schema('a', { collection: 'user', schema: true })
      await app.put('user', 'x', { n: 1 })
      await app.delete('schema', 'a')
      expect(await refusal(app.put('user', 'x', { n: 2 }))).toBe('RZ_SCHEMA_VIOLATION')
    })
  })
})

describe('a definition', () => {
  it.each([
    ['no collection', { schema: true }, 'RZ_DEFINITION_INVALID'],
    ['a collection with a slash', { collection: 'a/b', schema: true }, 'RZ_DEFINITION_INVALID'],
    ['a collection called .', { collection: '.', schema: true }, 'RZ_DEFINITION_INVALID'],
    ['a collection of definitions', { collection: 'schema', schema: true }, 'RZ_DEFINITION_INVALID'],
    ['no schema', { collection: 'a' }, 'RZ_DEFINITION_INVALID'],
    ['half a version', { collection: 'a', schema: true, version: 1.5 }, 'RZ_DEFINITION_INVALID'],
    ['version 0', { collection: 'a', schema: true, version: 0 }, 'RZ_DEFINITION_INVALID'],
    ['a field that there is not', { collection: 'a', schema: true, strict: true }, 'RZ_DEFINITION_INVALID'],
    ['references to no name', { collection: 'a', schema: true, references: { b: 1 } }, 'RZ_DEFINITION_INVALID'],
    ['references to .', { collection: 'a', schema: true, references: { b: '.' } }, 'RZ_DEFINITION_INVALID'],
    ['references as a list', { collection: 'a', schema: true, references: ['b'] }, 'RZ_DEFINITION_INVALID'],
    ['indexes of no names', { collection: 'a', schema: true, indexes: [''] }, 'RZ_DEFINITION_INVALID'],
    ['indexes as a text', { collection: 'a', schema: true, indexes: 'b' }, 'RZ_DEFINITION_INVALID'],
    ['a later version of the language', { collection: 'a', schema: true, semantics: 2 }, 'RZ_RULE_SEMANTICS'],
    ['a schema that is none', { collection: 'a', schema: { type: 'text' } }, 'RZ_SCHEMA_INVALID'],
    ['a schema that leads elsewhere', { collection: 'a', schema: { $ref: 'http://e.org' } }, 'RZ_SCHEMA_REF'],
    ['a pattern that takes too long', { collection: 'a', schema: { pattern: '(?=a)' } }, 'RZ_SCHEMA_PATTERN'],
    [
      'a schema too large',
      { collection: 'a', schema: { enum: Array.from({ length: 20_000 }, () => 1) } },
      'RZ_SCHEMA_TOO_LARGE',
    ],
  ])('with %s is not written, and one that comes is passed over and reported', async (_, definition, code) => {
    await withApp(async (app) => {
      expect(await refusal(app.schema('s', definition as never))).toBe(code)
      expect(app.get('schema', 's')).toBeUndefined()
      await app.append([
        { localContext: 'schema', target: 'schema/s', targetContext: 'definition' },
        { localContext: 'definition', target: { semantics: 1, ...definition } as never },
      ])
      expect(app.problems()).toMatchObject([{ record: 'schema/s', code }])
      await app.put('a', 'x', { anything: 1 })
    })
  })

  it('that replicates is held by a node that has no code of it', async () => {
    await withApp(async (app) => {
      app.collection('user', { schema: STRICT })
      await app.collection('user', { schema: STRICT }).put('a', { name: 'A' })
      await withApp(async (other) => {
        await copyDeltas(app, other)
        expect(other.get('user', 'a')?.properties).toEqual({ name: 'A' })
        expect(await refusal(other.put('user', 'a', { name: 1 }))).toBe('RZ_SCHEMA_VIOLATION')
      })
    })
  })

  it('takes effect at once, and not before: of an earlier moment the earlier schema expands references', async () => {
    await withApp(async (app) => {
      await app.put('city', 'lisbon', { country: 'pt' })
      const before = app.frontier()
      await app.schema('city', { collection: 'city', schema: true, references: { country: 'country' } })
      expect(app.get('city', 'lisbon', { expand: 1 })?.references).toBeDefined()
      expect(app.get('city', 'lisbon', { expand: 1, asOf: before })?.references).toBeUndefined()
    })
  })
})
