import { describe, expect, it } from 'vitest'
import { ref } from '../../src/index.ts'
import { type Client, serveText } from './client.ts'

async function kennel() {
  const served = await serveText({}, { topics: ['users', 'other'] })
  const users = served.node.namespace('users')
  await users.put('owner', 'ann', { name: 'Ann' })
  await users.put('owner', 'bob', { name: 'Bob' })
  await users.put('dog', 'rex', { name: 'Rex', age: 3, owner: 'ann', master: ref('owner/ann', 'dogs') })
  await users.put('dog', 'fido', { name: 'Fido', age: 5, owner: 'ann', master: ref('owner/ann', 'dogs') })
  await users.put('dog', 'stray', { name: 'Stray', age: 1 })
  return { ...served, users, telnet: await served.client() }
}

/** The rows of an answer that ended well. */
async function rows(telnet: Client, line: string): Promise<readonly unknown[]> {
  const lines = await telnet.ask(line)
  expect([line, lines.at(-1)]).toEqual([line, 'OK'])
  return lines.slice(0, -1).map((text) => JSON.parse(text) as unknown)
}

describe('insert', () => {
  it('makes the container if need be, and puts bytes in it under an id of their own', async () => {
    const { client, node } = await serveText()
    const telnet = await client()
    const [first, second] = [await rows(telnet, 'insert [0] into dog'), await rows(telnet, 'insert [0] into dog')]
    const ids = [...first, ...second].map((row) => (row as { id: string }).id)
    expect(new Set(ids).size).toBe(2)
    const users = node.namespace('users')
    expect(users.get('dog', ids[0] ?? '')?.properties).toEqual({ value: Uint8Array.of(0) })
    expect([...users.ids('dog')].sort()).toEqual(ids.toSorted())
    // The container stays when what was in it is gone.
    expect(await rows(telnet, 'delete from dog')).toEqual([{ deleted: 2 }])
    expect(await telnet.ask('BUCKETS')).toEqual(['dog', 'OK'])
    expect(await telnet.ask('PUT dog rex 1')).toEqual(['OK'])
  })

  it('puts properties, under the id that is named, beside those that are there', async () => {
    const { client, node } = await serveText()
    const telnet = await client()
    expect(await rows(telnet, 'insert {"name":"Rex"} into dog as rex')).toEqual([{ id: 'rex' }])
    expect(
      await rows(
        telnet,
        'insert {"age":3,"raw":{"$bytes":"AAE="},"owner":{"$ref":"owner/ann","as":"dogs"}} into dog as rex',
      ),
    ).toEqual([{ id: 'rex' }])
    const users = node.namespace('users')
    expect(users.get('dog', 'rex')?.properties).toEqual({
      name: 'Rex',
      age: 3,
      raw: Uint8Array.of(0, 1),
      owner: 'owner/ann',
    })
    expect(users.get('owner', 'ann')?.properties).toEqual({ dogs: 'dog/rex' })
  })

  it.each([
    ['insert "a text" into note as n', 'a text'],
    ['insert 3.5 into note as n', '3.5'],
    ['insert null into note as n', 'null'],
    ['insert true into "note" as "n"', 'true'],
    ['insert [] into note as n', '{"$bytes":""}'],
    ['  insert   [255,0]   into note as n ', '{"$bytes":"/wA="}'],
  ])('%s', async (line, value) => {
    const { client } = await serveText()
    const telnet = await client()
    await rows(telnet, line)
    const [shown] = await telnet.ask('GET note n')
    // Bytes that are no text pass as they are.
    expect([value, Buffer.from([255, 0]).toString()]).toContain(shown)
  })
})

describe('select', () => {
  it.each([
    [
      'select from owner',
      [
        { id: 'ann', name: 'Ann', dogs: expect.anything() },
        { id: 'bob', name: 'Bob' },
      ],
    ],
    ['select * from owner where {"==":[{"var":"id"},"bob"]}', [{ id: 'bob', name: 'Bob' }]],
    ['select name from dog where {"==":[{"var":"name"},"Rex"]}', [{ name: 'Rex' }]],
    [
      'select name,age from dog order by age',
      [
        { name: 'Stray', age: 1 },
        { name: 'Rex', age: 3 },
        { name: 'Fido', age: 5 },
      ],
    ],
    ['select name, age from dog order by age descending limit 1', [{ name: 'Fido', age: 5 }]],
    ['select name as called from dog order by name desc limit 2', [{ called: 'Stray' }, { called: 'Rex' }]],
    ['select from dog as d where {">":[{"var":"d.age"},3]} limit 5', [{ d: expect.objectContaining({ id: 'fido' }) }]],
    [
      'select dog.name, owner.name as owner from dog join owner on dog.owner = owner.id order by name',
      [
        { name: 'Fido', owner: 'Ann' },
        { name: 'Rex', owner: 'Ann' },
      ],
    ],
    [
      'select d.name as dog, o.name as owner from dog as d left join owner as o on o.id = d.owner order by dog',
      [
        { dog: 'Fido', owner: 'Ann' },
        { dog: 'Rex', owner: 'Ann' },
        { dog: 'Stray', owner: null },
      ],
    ],
    [
      'select dog.name from dog join owner entity who on dog.master = owner.who where {"==":[{"var":"owner.name"},"Ann"]} order by name',
      [{ name: 'Fido' }, { name: 'Rex' }],
    ],
    ['select dog.id from dog anti join owner on dog.owner = owner.id', [{ id: 'stray' }]],
    ['select owner.id from owner semi join dog on dog.owner = owner.id', [{ id: 'ann' }]],
    ['select nothing from dog', [{ nothing: null }]],
    ['select from nothing', []],
    ['query {"group":{"collection":"dog"},"by":[],"aggregates":{"n":{"count":true}}}', [{ n: 3 }]],
  ] as const)('%s', async (line, wanted) => {
    const { telnet } = await kennel()
    expect(await rows(telnet, line)).toEqual(wanted)
  })

  it('shows all rows, page after page, and as many as are asked for', async () => {
    const { client, node } = await serveText()
    const users = node.namespace('users')
    const count = 12_000
    for (let start = 0; start < count; start += 2_000) {
      await users.transaction((transaction) => {
        for (let id = start; id < start + 2_000; id++) transaction.put('many', String(id).padStart(6, '0'), { n: id })
      })
    }
    const telnet = await client()
    expect(await rows(telnet, 'select n from many')).toHaveLength(count)
    expect(await rows(telnet, 'select n from many limit 11000')).toHaveLength(11_000)
    expect(await rows(telnet, 'delete from many')).toEqual([{ deleted: count }])
    expect(await rows(telnet, 'select from many')).toEqual([])
  })
})

describe('delete', () => {
  it('deletes what the rule finds, one record, or all; and says how many', async () => {
    const { telnet, users } = await kennel()
    expect(await rows(telnet, 'delete from dog where {"<":[{"var":"age"},4]}')).toEqual([{ deleted: 2 }])
    expect(users.ids('dog')).toEqual(['fido'])
    expect(await rows(telnet, 'delete dog/fido')).toEqual([{ deleted: 1 }])
    expect(await rows(telnet, 'delete dog/fido')).toEqual([{ deleted: 0 }])
    expect(await rows(telnet, 'delete from owner')).toEqual([{ deleted: 2 }])
  })

  it('in capitals with two words is the command of the original', async () => {
    const { telnet, users } = await kennel()
    expect(await telnet.ask('DELETE from dog')).toEqual(['NOT FOUND'])
    expect(users.ids('dog')).toHaveLength(3)
  })
})

describe('tags, peers, topics and use', () => {
  it('tell of this node and others', async () => {
    const { telnet, node } = await kennel()
    expect(await rows(telnet, 'tags')).toEqual([
      { peer: node.peerId, name: 'test', self: true, tags: ['dog', 'owner'] },
    ])
    expect(await rows(telnet, 'peers')).toEqual([
      expect.objectContaining({ id: node.peerId, self: true, state: 'self' }),
    ])
    expect(await rows(telnet, 'topics')).toEqual([{ topic: 'users' }, { topic: 'other' }])
  })

  it('go on in another topic', async () => {
    const { telnet, node } = await kennel()
    expect(await telnet.ask('use other')).toEqual(['OK'])
    expect(await telnet.ask('CREATE cat')).toEqual(['OK'])
    expect(node.namespace('other').collections()).toEqual(['cat'])
    expect(await telnet.ask('use nothing')).toEqual([expect.stringMatching(/^ERROR RZ_NAMESPACE_UNKNOWN 5 /)])
    expect(await telnet.ask('BUCKETS')).toEqual(['cat', 'OK'])
  })
})

describe('what is no statement is told with its column:', () => {
  const cases: readonly (readonly [line: string, column: number, why: RegExp, code?: string])[] = [
    ['insert', 7, /a value as JSON/],
    ['insert [0]', 11, /into is missing/],
    ['insert [0] dog', 12, /into belongs here/],
    ['insert [0] into', 16, /a container is missing/],
    ['insert [0] into a/b', 17, /not a collection name/, 'RZ_RECORD_INVALID'],
    ['insert [256] into dog', 8, /256 is none/],
    ['insert [0,"a"] into dog', 8, /"a" is none/],
    ['insert {} into dog', 8, /without properties/],
    ['insert {"a":1,} into dog', 15, /a key of JSON/],
    ['insert {"a" 1} into dog', 13, /a colon/],
    ['insert {"a":"x} into dog', 13, /no closing quote/],
    ['insert {"é😀":x} into dog', 14, /has a value here/],
    ['insert {"a":1] into dog', 14, /ends with }/],
    ['insert word into dog', 8, /a value as JSON/],
    ['insert {"r":{"$ref":1,"as":"x"}} into dog', 8, /"\$ref"/, 'RZ_DELTA_INVALID'],
    [`insert {"a":${'['.repeat(70)}${']'.repeat(70)}} into dog`, 76, /64 levels/],
    ['insert {"a":1} into dog as', 27, /an id is missing/],
    ['insert {"a":1} into dog as rex rex', 32, /complete before this/],
    ['select', 7, /a column is missing/],
    ['select from', 12, /a container is missing/],
    ['select name dog', 13, /from belongs here/],
    ['select name, from dog', 19, /from belongs here/],
    ['select a, b.a from dog', 11, /a column "a" already/],
    ['select from dog where name', 23, /a rule in JSON-Logic/],
    ['select from dog where [1]', 23, /a rule in JSON-Logic/],
    ['select from dog limit 0', 23, /a number of rows/],
    ['select from dog limit x', 23, /a number of rows/],
    ['select from dog order name', 23, /by belongs here/],
    ['select name from dog order by age', 31, /add age/],
    ['select from dog join owner', 27, /on is missing/],
    ['select from dog join owner on dog.owner', 40, /= is missing/],
    ['select from dog join owner on dog.owner = dog.id', 31, /a column of owner/],
    ['select from dog join dog on dog.a = dog.b', 22, /joined already/],
    ['select from a.b join owner on owner.id = x', 13, /has a dot/],
    ['select from dog left owner on a = b', 22, /join belongs here/],
    ['select from a join b on a.x = b.x join b on a.x = b.x', 40, /joined already/],
    [
      `select from a${Array.from({ length: 17 }, (_, index) => ` join b${index} on a.x = b${index}.x`).join('')}`,
      379,
      /at most 16 times/,
      'RZ_TEXT_TOO_LONG',
    ],
    [`select ${'a,'.repeat(3_000)}a from dog`, 4_103, /at most 4096/, 'RZ_TEXT_TOO_LONG'],
    ['select } from dog', 8, /nothing was opened/],
    ['delete dog', 8, /<container>\/<id>/],
    ['delete', 7, /missing/],
    ['delete from dog limit 3', 17, /complete before this/],
    ['tags now', 6, /complete before this/],
    ['use', 4, /a topic is missing/],
    ['query [1]', 7, /a query as JSON/],
    ['select from dog where {"nonsense":[]}', 23, /nonsense/, 'RZ_RULE_OPERATOR'],
    ['select from dog as d where {"==":[{"var":"e"},1]}', 1, /no column/, 'RZ_QUERY_COLUMN'],
    ['query {"nonsense":1}', 7, /no operator/, 'RZ_QUERY_OPERATOR'],
  ]
  it.each(cases.map((each) => [...each] as const))('%s', async (line, column, why, code = 'RZ_TEXT_SYNTAX') => {
    const { telnet } = await kennel()
    const [answer = '', ...more] = await telnet.ask(line)
    expect(more).toEqual([])
    expect(answer).toMatch(new RegExp(`^ERROR ${code} ${column} `))
    expect(answer).toMatch(why)
    expect(await telnet.ask('GET dog none')).toEqual(['', 'OK'])
  })
})
