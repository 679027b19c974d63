/** Schemas as a person types them: what is refused, by put and by import, and what broke them all the same. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import type { CommandOptions } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere as run } from './here.ts'

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  return { directory, home: join(directory, 'home'), env: { RHIZOME_HTTP_PORT: '0' } }
}

const DEFINITION = { collection: 'user', schema: { properties: { age: { type: 'integer' } }, required: ['name'] } }

describe('a schema', () => {
  it('is put, listed, shown, held against records, and deleted', async () => {
    const at = await place()
    await run(['put', 'user/old', 'age=many', '--topic', 'shop'], at)
    expect(await run(['violations'], at)).toMatchObject({
      exitCode: 0,
      out: '',
      err: 'none: no record of shop breaks a schema in force\n',
    })
    expect(await run(['violations', '--json'], at)).toMatchObject({ exitCode: 0, out: '', err: '' })
    expect(await run(['schema', 'put', 'user', JSON.stringify(DEFINITION)], at)).toMatchObject({
      exitCode: 0,
      out: 'schema user created in shop\n',
    })
    expect((await run(['schema'], at)).out).toBe('id\tof\tversion\treferences\nuser\tuser\t1\t\n')
    expect(JSON.parse((await run(['schema', 'show', 'user'], at)).out)).toMatchObject(DEFINITION)
    const refused = await run(['put', 'user/a', 'age:=3'], at)
    expect(refused.exitCode).toBe(1)
    expect(refused.err).toContain('/name is missing')
    expect(refused.err).toContain('RZ_SCHEMA_VIOLATION')

    const file = join(at.directory, 'users.ndjson')
    await writeFile(file, '{"id":"b","name":"B"}\n{"id":"c","age":1}\n')
    expect(await run(['import', file, '--into', 'user'], at)).toMatchObject({ exitCode: 4 })
    expect(await readFile(`${file}.rejected.ndjson`, 'utf8')).toContain('RZ_SCHEMA_VIOLATION')
    expect((await run(['ids', 'user'], at)).out).toBe('b\nold\n')

    const { out } = await run(['violations', 'user'], at)
    expect(out.split('\n').map((line) => line.split('\t').slice(0, 3))).toEqual([
      ['record', 'property', 'reason'],
      ['user/old', '/name', 'is missing (RZ_SCHEMA_VIOLATION)'],
      ['user/old', '/age', 'is to be a whole number, and is a text (RZ_SCHEMA_VIOLATION)'],
      [''],
    ])
    expect(JSON.parse((await run(['violations', '--json'], at)).out)).toMatchObject({ collection: 'user', id: 'old' })
    expect((await run(['violations', 'nothing'], at)).out).toBe('')
    await run(['schema', 'delete', 'user'], at)
    expect(await run(['put', 'user/a', 'age:=3'], at)).toMatchObject({ exitCode: 0 })
  })

  it('that is none is refused', async () => {
    const at = await place()
    await run(['put', 'a/b', 'c=d', '--topic', 'shop'], at)
    const { exitCode, err } = await run(['schema', 'put', 'x', '{"collection":"a","schema":{"type":"text"}}'], at)
    expect(exitCode).toBe(1)
    expect(err).toContain('RZ_SCHEMA_INVALID')
    const bare = await run(['schema', 'put', 'user', '{"type":"object","required":["name"]}'], at)
    expect(bare).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('{ "collection": "user", "schema": { … } }') as string,
    })
  })

  it('with references lets get show what a record refers to', async () => {
    const at = await place()
    await run(['put', 'country/pt', 'name=Portugal', '--topic', 'atlas'], at)
    await run(['put', 'city/lisbon', 'name=Lisbon', 'country=pt', 'twin=nowhere'], at)
    const schema = { collection: 'city', schema: {}, references: { country: 'country', twin: 'city' } }
    await run(['schema', 'put', 'city', JSON.stringify(schema)], at)
    expect((await run(['get', 'city/lisbon'], at)).out).toBe('country=pt\nname=Lisbon\ntwin=nowhere\n')
    const { out } = await run(['get', 'city/lisbon', '--expand', '1'], at)
    expect(out).toContain('country → country/pt\n  name=Portugal\n')
    expect(out).toMatch(/twin → city\/nowhere: .*RZ_REFERENCE_MISSING/)
    expect(JSON.parse((await run(['get', 'city/lisbon', '--expand', '1', '--json'], at)).out)).toMatchObject({
      references: { country: { properties: { name: 'Portugal' } } },
    })
    expect((await run(['get', 'city/lisbon', '--expand', '9'], at)).exitCode).not.toBe(0)
  })
})
