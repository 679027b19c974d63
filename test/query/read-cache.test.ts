/** What the read cache keeps and lets go: by changes, by contexts and rules, and for want of room. */
import { describe, expect, it } from 'vitest'
import type { Delta, Value } from '../../src/delta/delta.ts'
import { recordPointers } from '../../src/delta/record.ts'
import { type Lens, ReadCache } from '../../src/query/read-cache.ts'
import { compileContext, type Context, OPEN_CONTEXT, resolversIn } from '../../src/view/contexts/context.ts'
import { compileResolver } from '../../src/view/resolvers/resolver.ts'
import { NO_RESOLVERS, type ResolverSet, resolverSet } from '../../src/view/resolvers/resolver-set.ts'
import { deltaOf } from '../support/deltas.ts'

const OPEN: Lens = { context: OPEN_CONTEXT, logged: NO_RESOLVERS, resolvers: NO_RESOLVERS }

function lensOf(logged: ResolverSet, context: Context = OPEN_CONTEXT): Lens {
  return { context, logged, resolvers: resolversIn(context, logged) }
}

const resolver = (collection: string, rule: Value) => compileResolver({ collection, property: 'n', rule, semantics: 1 })

/** Records whose views are read through a cache; `read` says what was read by itself, in order. */
class Records {
  readonly cache: ReadCache
  readonly read: string[] = []
  readonly #size: number

  constructor(options: { readonly bytesMax?: number; readonly size?: number } = {}) {
    this.cache = new ReadCache(options)
    this.#size = options.size ?? 1
  }

  get(entity: string, lens: Lens = OPEN): Value | undefined {
    const held = (): { readonly deltas: readonly Delta[]; readonly negations: readonly Delta[] } => {
      this.read.push(entity)
      const [collection = '', id = ''] = entity.split('/')
      const pointers = recordPointers(collection, id, { n: 'x'.repeat(this.#size) })[0] ?? []
      return { deltas: [deltaOf(1, pointers)], negations: [] }
    }
    return this.cache.view(entity, lens, held).lossy.properties['n']
  }

  /** What of these is read by itself, in order. */
  readOf(entities: readonly string[]): readonly string[] {
    this.read.length = 0
    for (const entity of entities) this.get(entity)
    return [...this.read]
  }
}

const users = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `user/${from + index}`)
/** Room for 100 views of 1,000 characters. */
const ROOM = { bytesMax: 300_000, size: 1_000 }

describe('a view', () => {
  it('is read once, until something concerns its entity', () => {
    const records = new Records()
    expect([records.get('user/a'), records.get('user/a'), records.get('user/b')]).toEqual(['x', 'x', 'x'])
    expect(records.read).toEqual(['user/a', 'user/b'])
    records.cache.concern(new Set(['user/b', 'user/c']))
    expect(records.readOf(['user/a', 'user/b'])).toEqual(['user/b'])
    records.cache.forget()
    expect(records.readOf(['user/a', 'user/b'])).toEqual(['user/a', 'user/b'])
  })

  it('of an entity about which nothing is known is kept as well', () => {
    const cache = new ReadCache()
    let readCount = 0
    const read = () => {
      readCount++
      return { deltas: [], negations: [] }
    }
    for (let count = 0; count < 2; count++) expect(cache.view('free', OPEN, read).lossy.properties).toEqual({})
    expect(readCount).toBe(1)
  })

  it('is kept in each context by itself, for the eight read last', () => {
    const records = new Records()
    const contexts = Array.from({ length: 9 }, (_, index) =>
      compileContext({ semantics: 1, resolvers: [{ collection: 'user', property: 'n', rule: index }] }),
    )
    const lenses = contexts.map((context) => lensOf(NO_RESOLVERS, context))
    expect(lenses.map((lens) => records.get('user/a', lens))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    records.read.length = 0
    expect(lenses.slice(1).map((lens) => records.get('user/a', lens))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(records.read).toEqual([])
    expect([lenses[0], OPEN].map((lens) => records.get('user/a', lens))).toEqual([0, 'x'])
  })

  it('is old when the resolvers of its collection change, and not when those of another do', () => {
    const records = new Records()
    const own = resolver('user', 'mine')
    const first = resolverSet([], [own, resolver('other', 1)])
    expect([records.get('user/a', lensOf(first)), records.get('other/a', lensOf(first))]).toEqual(['mine', 1])
    const second = resolverSet([], [own, resolver('other', 2)], first)
    records.read.length = 0
    expect([records.get('user/a', lensOf(second)), records.get('other/a', lensOf(second))]).toEqual(['mine', 2])
    expect(records.read).toEqual(['other/a'])
    expect(records.get('user/a', lensOf(resolverSet([], [resolver('user', 'new')], second)))).toBe('new')
    expect(records.get('user/a')).toBe('x')
  })

  it('is frozen, as all that it holds is', () => {
    const cache = new ReadCache()
    const pointers = recordPointers('user', 'a', { n: [{ list: [] }] })[0] ?? []
    const { lossy } = cache.view('user/a', OPEN, () => ({ deltas: [deltaOf(1, pointers)], negations: [] }))
    const [inner] = lossy.properties['n'] as [{ readonly list: readonly Value[] }]
    expect([lossy, lossy.properties, lossy.errors, inner, inner.list].every(Object.isFrozen)).toBe(true)
  })
})

describe('for want of room', () => {
  it('views go that were not read again, and those that were stay', () => {
    const records = new Records(ROOM)
    records.readOf(users(90))
    expect(records.readOf(users(10))).toEqual([])
    for (let times = 0; times < 2; times++) records.readOf(users(60, 1_000))
    expect(records.cache.bytes).toBeLessThanOrEqual(ROOM.bytesMax)
    expect(records.readOf([...users(10), ...users(60, 1_000)])).toEqual([])
    expect(records.readOf(users(80, 10)).length).toBeGreaterThan(30)
  })

  it('no more is kept than there is room for, in whatever order entities come, go and come again', () => {
    const records = new Records(ROOM)
    for (let round = 0; round < 20; round++) {
      records.readOf(users(70, round * 31))
      records.cache.concern(new Set(users(40, round * 17)))
      expect(records.cache.bytes).toBeLessThanOrEqual(ROOM.bytesMax)
    }
    records.cache.concern(new Set(users(1_000)))
    expect(records.cache.bytes).toBe(0)
  })

  it('reading more than there is room for, each once, pushes out nothing', () => {
    const records = new Records(ROOM)
    records.readOf(users(50))
    records.readOf(users(20_000, 1_000))
    expect(records.readOf(users(50))).toEqual([])
  })

  it('whoever reads the same again and again, more than there is room for, finds as much as there is room for', () => {
    const records = new Records(ROOM)
    records.readOf(users(20_000))
    expect(records.readOf(users(20_000)).length).toBeLessThan(19_920)
  })

  it('a view that would take a large share of all is not kept', () => {
    const records = new Records({ bytesMax: 300_000, size: 10_000 })
    expect(records.readOf(['user/a', 'user/a'])).toEqual(['user/a', 'user/a'])
    expect(records.cache.bytes).toBe(0)
  })

  it('nothing is kept where nothing may be', () => {
    const records = new Records({ bytesMax: 0 })
    expect(records.readOf(['user/a', 'user/a'])).toEqual(['user/a', 'user/a'])
  })
})
