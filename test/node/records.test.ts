import { describe, expect, it } from 'vitest'
import { ref, type Transaction } from '../../src/index.ts'
import { openTestNode, temporaryFolder } from '../support/nodes.ts'

describe('records', () => {
  it('put asserts the given properties and leaves the others alone', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'alice', { name: 'Alice', age: 3 })
    await users.put('user', 'alice', { age: 4 })
    expect(users.get('user', 'alice')).toEqual({ id: 'alice', properties: { name: 'Alice', age: 4 } })
  })

  it('a record that nobody wrote is undefined', async () => {
    const users = (await openTestNode()).namespace('users')
    expect(users.get('user', 'nobody')).toBeUndefined()
    expect(users.lossless('user/nobody')).toBeUndefined()
  })

  it('null, zero, the empty string, bytes and nested JSON are values', async () => {
    const users = (await openTestNode()).namespace('users')
    const properties = { a: null, b: 0, c: '', d: Uint8Array.of(1, 2), e: { f: [1, { g: false }] } }
    await users.put('user', 'x', properties)
    expect(users.get('user', 'x')?.properties).toEqual(properties)
  })

  it('a property may have any name', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'x', JSON.parse('{"__proto__":1,"constructor":2,"7":3,"ü 🌱":4}') as Record<string, number>)
    const properties = users.get('user', 'x')?.properties ?? {}
    expect(Object.keys(properties).toSorted()).toEqual(['7', '__proto__', 'constructor', 'ü 🌱'])
    expect(Object.entries(properties)).toContainEqual(['__proto__', 1])
  })

  it('an id may hold slashes, dots and emoji, and collections never collide', async () => {
    const users = (await openTestNode()).namespace('users')
    for (const id of ['a/b', '..', '.', '🌱', 'ids', ' ']) await users.put('user', id, { id })
    await users.put('user2', 'other', { x: 1 })
    expect(new Set(users.ids('user'))).toEqual(new Set(['..', '.', '🌱', ' ', 'a/b', 'ids']))
    expect(users.ids('user2')).toEqual(['other'])
    expect(users.get('user', 'a/b')?.properties).toEqual({ id: 'a/b' })
  })

  it('delete hides what stands, and a later put brings the record back', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'alice', { name: 'Alice', age: 3 })
    expect((await users.delete('user', 'alice')).deltas).toHaveLength(2)
    expect(users.get('user', 'alice')).toBeUndefined()
    expect(users.ids('user')).toEqual([])
    expect(users.lossless('user/alice')?.properties['name']).toHaveLength(1)
    expect((await users.delete('user', 'alice')).deltas).toEqual([])
    await users.put('user', 'alice', { name: 'Alice again' })
    expect(users.get('user', 'alice')?.properties).toEqual({ name: 'Alice again' })
  })

  it('delete takes back more claims than a block holds', async () => {
    const users = (await openTestNode()).namespace('users')
    for (let times = 0; times < 3; times++) {
      await users.transaction((transaction) => {
        for (let count = 0; count < 2_000; count++) transaction.put('user', 'ann', { count })
      })
    }
    expect((await users.delete('user', 'ann')).deltas).toHaveLength(6_000)
    expect(users.get('user', 'ann')).toBeUndefined()
    expect((await users.delete('user', 'ann')).deltas).toEqual([])
  })

  it('a negation can be negated', async () => {
    const users = (await openTestNode()).namespace('users')
    const { deltas } = await users.put('user', 'alice', { name: 'Alice' })
    const negation = await users.negate(deltas[0] as string)
    expect(users.get('user', 'alice')).toBeUndefined()
    await users.negate(negation.deltas[0] as string)
    expect(users.get('user', 'alice')?.properties).toEqual({ name: 'Alice' })
  })

  it('with onlyChanged a property that has the value already is not written again', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'a', { name: 'A', tags: ['x', { y: 1 }] })
    const again = await users.put('user', 'a', { name: 'A', tags: ['x', { y: 1 }] }, { onlyChanged: true })
    expect(again.deltas).toEqual([])
    const changed = await users.put('user', 'a', { name: 'B', tags: ['x', { y: 1 }] }, { onlyChanged: true })
    expect(changed.deltas).toHaveLength(1)
  })

  it('with onlyChanged a reference is told from the same text, and from another property of the same entity', async () => {
    const films = (await openTestNode({ topics: ['films'] })).namespace('films')
    const put = async (director: string | ReturnType<typeof ref>) =>
      (await films.put('film', 'matrix', { director }, { onlyChanged: true })).deltas.length
    expect(await put(ref('person/lana', 'directed'))).toBe(1)
    expect(await put(ref('person/lana', 'directed'))).toBe(0)
    expect(await put(ref('person/lana', 'produced'))).toBe(1)
    expect(await put('person/lana')).toBe(1)
    expect(await put('person/lana')).toBe(0)
  })

  it('a reference is seen from both ends', async () => {
    const films = (await openTestNode({ topics: ['films'] })).namespace('films')
    await films.put('film', 'matrix', { director: ref('person/lana', 'directed') })
    expect(films.get('film', 'matrix')?.properties).toEqual({ director: 'person/lana' })
    expect(films.entity('person/lana')?.properties).toEqual({ directed: 'film/matrix' })
  })

  it.each([
    ['a collection with a slash', 'a/b', 'x', { p: 1 }, 'RZ_RECORD_INVALID'],
    ['an empty collection', '', 'x', { p: 1 }, 'RZ_RECORD_INVALID'],
    ['an empty id', 'user', '', { p: 1 }, 'RZ_RECORD_INVALID'],
    ['an empty property', 'user', 'x', { '': 1 }, 'RZ_RECORD_INVALID'],
    ['NaN', 'user', 'x', { p: Number.NaN }, 'RZ_DELTA_INVALID'],
    ['half a surrogate pair', 'user', 'x', { p: '\ud800' }, 'RZ_DELTA_INVALID'],
    ['a date', 'user', 'x', { p: new Date() as never }, 'RZ_DELTA_INVALID'],
    ['a value that is too large', 'user', 'x', { p: 'x'.repeat(600_000) }, 'RZ_DELTA_TOO_LARGE'],
    ['an id that is too long', 'user', 'x'.repeat(2_000), { p: 1 }, 'RZ_DELTA_INVALID'],
  ])('%s is refused with a code, and nothing is written', async (_, collection, id, properties, code) => {
    const users = (await openTestNode()).namespace('users')
    await expect(users.put(collection, id, properties)).rejects.toMatchObject({ code })
    expect(users.counts().deltas).toBe(0)
  })

  it('ids are paged in byte order', async () => {
    const users = (await openTestNode()).namespace('users')
    const ids = Array.from({ length: 25 }, (_, index) => `u${String(index).padStart(2, '0')}`)
    await Promise.all(ids.map((id) => users.put('user', id, { id })))
    await users.delete('user', 'u03')
    const first = users.ids('user', { countMax: 10 })
    expect(first).toEqual(ids.filter((id) => id !== 'u03').slice(0, 10))
    expect(users.ids('user', { after: first.at(-1) as string })).toEqual(ids.slice(11))
  })
})

describe('transactions', () => {
  it('are one block, and may refer to their own deltas', async () => {
    const users = (await openTestNode()).namespace('users')
    const written = await users.transaction((transaction) => {
      const [name] = transaction.put('user', 'a', { name: 'A', age: 1 })
      transaction.negate(name ?? './0')
    })
    expect(written.deltas).toHaveLength(3)
    expect(new Set(written.deltas.map((id) => id.split('/')[0])).size).toBe(1)
    expect(users.get('user', 'a')?.properties).toEqual({ age: 1 })
  })

  it('that refer to their own deltas keep doing so when written at the same moment as others', async () => {
    const users = (await openTestNode()).namespace('users')
    await Promise.all([
      users.put('user', 'first', { p: 1 }),
      users.transaction((transaction) => {
        const [one] = transaction.put('user', 'second', { p: 1, q: 2 })
        transaction.negate(one ?? './0')
      }),
      users.put('user', 'third', { p: 1 }),
    ])
    expect(users.get('user', 'first')?.properties).toEqual({ p: 1 })
    expect(users.get('user', 'second')?.properties).toEqual({ q: 2 })
    expect(users.get('user', 'third')?.properties).toEqual({ p: 1 })
  })

  it('that do not fit a block fail before anything is signed', async () => {
    const users = (await openTestNode()).namespace('users')
    const tooMany = users.transaction((transaction) => {
      for (let index = 0; index < 4_097; index++) transaction.put('user', `u${index}`, { p: 1 })
    })
    await expect(tooMany).rejects.toMatchObject({ code: 'RZ_BLOCK_TOO_LARGE' })
    const tooLarge = users.transaction((transaction) => {
      for (let index = 0; index < 3; index++) transaction.put('user', `u${index}`, { p: 'x'.repeat(400_000) })
    })
    await expect(tooLarge).rejects.toMatchObject({ code: 'RZ_BLOCK_TOO_LARGE' })
    expect(users.counts()).toMatchObject({ blocks: 0, deltas: 0 })
  })

  it('that wait for something while they are built are refused, whole', async () => {
    const users = (await openTestNode()).namespace('users')
    const build = async (transaction: Transaction) => {
      transaction.put('user', 'a', { p: 1 })
      await Promise.resolve()
      transaction.put('user', 'b', { p: 1 })
    }
    await expect(users.transaction(build as (transaction: Transaction) => void)).rejects.toMatchObject({
      code: 'RZ_TRANSACTION_OVER',
    })
    expect(users.counts()).toMatchObject({ deltas: 0 })
  })

  it('are over when their function has returned', async () => {
    const users = (await openTestNode()).namespace('users')
    let kept: { put: (c: string, i: string, p: Record<string, number>) => unknown } | undefined
    await users.transaction((transaction) => {
      kept = transaction
      transaction.put('user', 'a', { p: 1 })
    })
    expect(() => kept?.put('user', 'b', { p: 1 })).toThrow(expect.objectContaining({ code: 'RZ_TRANSACTION_OVER' }))
  })

  it('without deltas write nothing', async () => {
    const users = (await openTestNode()).namespace('users')
    expect((await users.transaction(() => {})).deltas).toEqual([])
    expect(users.counts().blocks).toBe(0)
  })
})

describe('gathering', () => {
  it('what is written at the same moment shares a block', async () => {
    const users = (await openTestNode()).namespace('users')
    const written = await Promise.all(
      Array.from({ length: 100 }, (_, index) => users.put('user', `u${index}`, { index })),
    )
    expect(new Set(written.map(({ block }) => block)).size).toBe(1)
    expect(new Set(written.flatMap(({ deltas }) => deltas)).size).toBe(100)
  })

  it('one bad write among many fails alone', async () => {
    const users = (await openTestNode()).namespace('users')
    const results = await Promise.allSettled([
      users.put('user', 'a', { p: 1 }),
      users.put('user', 'b', { p: Number.POSITIVE_INFINITY }),
      users.put('user', 'c', { p: 1 }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(users.ids('user')).toEqual(['a', 'c'])
  })
})

describe('a caller who awaits nothing', () => {
  it('is told so at a limit, and what was accepted is written', async () => {
    const users = (await openTestNode()).namespace('users')
    const pointers = [{ localContext: 'n', target: 1 }]
    const accepted = Array.from({ length: 65_536 }, () => users.append(pointers))
    await expect(users.append(pointers)).rejects.toMatchObject({ code: 'RZ_NODE_BUSY' })
    await Promise.all(accepted)
    expect(users.counts().deltas).toBe(65_536)
  })
})

describe('a durable cursor', () => {
  it('misses nothing across a restart', async () => {
    const data = await temporaryFolder()
    const first = await openTestNode({ data })
    await first.namespace('users').put('user', 'a', { p: 1 })
    const seen: string[] = []
    let position
    for await (const placed of first.namespace('users').deltas({ live: false })) {
      seen.push(placed.delta.id)
      position = placed.position
    }
    await first.namespace('users').put('user', 'b', { p: 1 })
    await first.close()

    const users = (await openTestNode({ data })).namespace('users')
    await users.put('user', 'c', { p: 1 })
    for await (const { delta } of users.deltas({
      live: false,
      ...(position === undefined ? {} : { after: position }),
    })) {
      seen.push(delta.id)
    }
    expect(seen).toHaveLength(3)
    expect(new Set(seen).size).toBe(3)
  })

  it('goes on with what is written later, until it is told to stop', async () => {
    const users = (await openTestNode()).namespace('users')
    const stop = new AbortController()
    const seen: string[] = []
    const following = (async () => {
      for await (const { delta } of users.deltas({ signal: stop.signal })) {
        seen.push(JSON.stringify(delta.pointers[1]?.target))
        if (seen.length === 3) stop.abort()
      }
    })()
    for (const value of ['1', '2', '3']) await users.put('user', 'a', { p: value })
    await following
    expect(seen).toEqual(['"1"', '"2"', '"3"'])
  })
})
