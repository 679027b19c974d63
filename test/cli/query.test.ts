/** The command `query` as a person types it: rows, pages, stored queries, plans, and what is refused. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere as run } from './here.ts'

async function withUsers(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  const at = { directory, home: join(directory, 'home'), env: { RHIZOME_HTTP_PORT: '0' } }
  const users = ['ann', 'ben', 'cid'].map((id, index) => JSON.stringify({ id, age: index * 20, name: `${id}\u001b` }))
  await writeFile(join(directory, 'users.ndjson'), users.join('\n'))
  await run(['import', './users.ndjson', '--into', 'user', '--topic', 'shop'], at)
  return at
}

const parsed = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

const all = '{"collection":"user","columns":["id","age"]}'

describe('query', () => {
  it('prints rows, one object a line', async () => {
    const at = await withUsers()
    const { out, err, exitCode } = await run(['query', all], at)
    expect(parsed(out)).toEqual([
      { id: 'ann', age: 0 },
      { id: 'ben', age: 20 },
      { id: 'cid', age: 40 },
    ])
    expect({ err, exitCode }).toEqual({ err: '', exitCode: 0 })
    expect((await run(['query', all, '--json'], at)).out).toBe(out)
  })

  it('takes the query from a file or from stdin', async () => {
    const at = await withUsers()
    await writeFile(join(at.directory, 'all.json'), all)
    const { out } = await run(['query', all], at)
    expect((await run(['query', `@${join(at.directory, 'all.json')}`], at)).out).toBe(out)
    expect((await run(['query', './all.json'], at)).out).toBe(out)
    expect((await run(['query', '-'], at, all)).out).toBe(out)
  })

  it('prints a page and says how to go on, or goes on by itself', async () => {
    const at = await withUsers()
    const first = await run(['query', all, '--limit', '2'], at)
    expect(parsed(first.out)).toHaveLength(2)
    const [, after = ''] = /--after (\S+),/.exec(first.err) ?? []
    const rest = await run(['query', all, '--limit', '2', '--after', after], at)
    expect(parsed(rest.out)).toEqual([{ id: 'cid', age: 40 }])
    expect(rest.err).toBe('')
    expect(parsed((await run(['query', all, '--limit', '1', '--all'], at)).out)).toHaveLength(3)
    expect(parsed((await run(['query', `{"limit":${all},"count":1}`], at)).out)).toHaveLength(1)
    expect(parsed((await run(['query', `{"limit":${all},"count":1}`, '--all'], at)).out)).toHaveLength(3)
    expect(parsed((await run(['query', `{"limit":${all},"count":1}`, '--limit', '2'], at)).out)).toHaveLength(2)
  })

  it('reads stored queries, alone and inside others', async () => {
    const at = await withUsers()
    const definition = { semantics: 1, query: { select: { collection: 'user' }, where: { '>': [{ var: 'age' }, 18] } } }
    await run(['put', 'query/adults', `definition:=${JSON.stringify(definition)}`], at)
    expect(parsed((await run(['query', '--view', 'adults'], at)).out)).toMatchObject([{ id: 'ben' }, { id: 'cid' }])
    const named = '{"project":{"view":"adults"},"columns":["id"]}'
    expect(parsed((await run(['query', named, '--limit', '1'], at)).out)).toEqual([{ id: 'ben' }])
    const unknown = await run(['query', '--view', 'nobody'], at)
    expect(unknown).toMatchObject({ exitCode: 1, out: '' })
    expect(unknown.err).toMatch(/^error RZ_QUERY_UNKNOWN: /)
  })

  it('tells how it would be run', async () => {
    const at = await withUsers()
    expect((await run(['query', all, '--explain'], at)).out).toBe('take a page of 1000 rows\n  scan user\n')
    expect(parsed((await run(['query', all, '--explain', '--json'], at)).out)).toMatchObject([
      { of: [{ does: 'scan user' }] },
    ])
  })

  it('reads as of a moment and in a context', async () => {
    const at = await withUsers()
    expect(await run(['query', all, '--as-of', '2020-01-01'], at)).toMatchObject({ exitCode: 0, out: '' })
    await run(['context', 'put', 'nobody', '{"filter":false}'], at)
    expect(await run(['query', all, '--context', 'nobody'], at)).toMatchObject({ exitCode: 0, out: '' })
  })

  it.each([
    ['nothing', ['query'], 2, 'RZ_CLI_USAGE'],
    ['a query and a view', ['query', all, '--view', 'x'], 2, 'RZ_CLI_USAGE'],
    ['no JSON', ['query', '{'], 1, 'RZ_CLI_INPUT'],
    ['a file that is not there', ['query', '@/nowhere/at/all'], 1, 'RZ_CLI_INPUT'],
    ['a list', ['query', '-'], 1, 'RZ_CLI_INPUT'],
    ['what is no query', ['query', '{"cross":1}'], 1, 'RZ_QUERY_OPERATOR'],
    ['too many rows', ['query', all, '--limit', '10001'], 2, 'RZ_CLI_USAGE'],
    ['no number of rows', ['query', all, '--limit', 'many'], 2, 'RZ_CLI_USAGE'],
    ['a cursor of another query', ['query', all, '--after', 'x'], 1, 'RZ_QUERY_CURSOR'],
  ])('refuses %s', async (_, words, exitCode, code) => {
    const at = await withUsers()
    const { out, err, exitCode: ended } = await run(words, at, '[1]')
    expect({ out, ended }).toEqual({ out: '', ended: exitCode })
    expect(err).toContain(`error ${code}: `)
  })

  it('lists what is stored, with what its author says of it', async () => {
    const at = await withUsers()
    expect(await run(['query', '--list'], at)).toMatchObject({
      exitCode: 0,
      out: '',
      err: 'none: no query is stored in shop\n',
    })
    const node = startRhizome(['--topic', 'shop'], { ...at, env: { RHIZOME_NO_HTTP: '', RHIZOME_HTTP_PORT: '0' } })
    const [url] = await node.printed(/http:\/\/127\.0\.0\.1:\d+/)
    const put = async (id: string, body: object) =>
      fetch(`${url}/api/queries/${id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    await put('adults', { query: { collection: 'user' }, description: 'of age' })
    await put('all', { query: { collection: 'user' } })
    const { out } = await run(['query', '--list'], at)
    expect(out).toBe('id\tquery\nadults\tof age\nall\t{"collection":"user"}\n')
    expect(parsed((await run(['query', '--list', '--json'], at)).out)).toMatchObject([{ id: 'adults' }, { id: 'all' }])
    expect(await run(['query', '--list', '--view', 'all'], at)).toMatchObject({ exitCode: 2 })
  })
})
