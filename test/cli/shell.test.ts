/** The shell: lines from a pipe, and typed at a terminal. */

import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openHttp } from '../../src/http/server.ts'
import { listDirectories } from '../../src/node/home.ts'
import { openNode } from '../../src/index.ts'
import type { CommandOptions } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere, typeHere } from './here.ts'

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  const at = { directory, home: join(directory, 'home') }
  await mkdir(at.home)
  await runHere(['put', 'dog/rex', 'name=Rex', 'age:=3', '--topic', 'users'], at)
  return at
}

describe('from a pipe the shell', () => {
  it('prints what is asked for, and what fails on stderr', async () => {
    const at = await place()
    const typed = [
      'insert {"name":"Fido","age":5} into dog as fido',
      'select name, age from dog order by age descending',
      '',
      'PUT dog fido OK',
      'GET dog fido',
      'KEYS dog\r',
      'select nme frm dog',
      'nonsense',
      'GET cat tom',
      'select id from dog limit 1',
    ]
    expect(await runHere(['shell', '--topic', 'users'], at, typed.join('\n'))).toEqual({
      exitCode: 1,
      out: [
        '{"id":"fido"}',
        '{"name":"Fido","age":5}',
        '{"name":"Rex","age":3}',
        'OK',
        'fido',
        'rex',
        '{"id":"fido"}',
        '',
      ].join('\n'),
      err: expect.stringMatching(
        /line 7: ERROR RZ_TEXT_SYNTAX 12 from belongs here\nline 8: COMMAND NOT IMPLEMENTED\nline 9: NOT FOUND\n$/,
      ),
    })
  })

  it('exits with 0 where all went well, ends at exit, and shows bytes as JSON', async () => {
    const at = await place()
    const typed = 'insert [255] into raw as a\nGET raw a\nexit\nnonsense\n'
    expect(await runHere(['shell', '--topic', 'users'], at, typed)).toMatchObject({
      exitCode: 0,
      out: '{"id":"a"}\n{"$bytes":"/w=="}\n',
    })
  })

  it('fails where there is no node and no data', async () => {
    const directory = await temporaryFolder()
    expect(await runHere(['shell', '--topic', 'users'], { directory, home: directory }, 'tags\n')).toMatchObject({
      exitCode: 5,
      err: expect.stringMatching(/RZ_CLI_NO_NODE/),
    })
  })

  it('says that a node of another version cannot be talked to', async () => {
    const at = await place()
    const [card] = await listDirectories(at.home)
    const node = await openNode({ topics: ['users'], data: card?.directory ?? '', network: false })
    onTestFinished(() => node.close())
    const face = await openHttp(node, { port: false })
    onTestFinished(() => face.close())
    expect(await runHere(['shell'], at, 'tags\n')).toMatchObject({ exitCode: 5 })
  })
})

describe('at a terminal the shell', () => {
  it('shows tables, completes, points at what is wrong, keeps a history, and ends at Ctrl-D', async () => {
    const at = await place()
    const shell = typeHere(['shell', '--topic', 'users'], at)
    await shell.printed(/users> /)
    shell.type('select name, age from dog\r')
    expect(await shell.printed(/OK/)).toMatch(/name {2}age\nRex {3}3\n1 row in \d+ ms\nOK\n/)
    shell.type('select nme frm dog\r')
    expect(await shell.printed(/belongs here/)).toMatch(/\n {18}\^\n?.*error RZ_TEXT_SYNTAX: from belongs here/s)
    shell.type('sel')
    shell.type('\t')
    await shell.printed(/select /)
    shell.type('na')
    shell.type('\t')
    await shell.printed(/name /)
    shell.type('from d')
    shell.type('\t')
    await shell.printed(/dog /)
    shell.type('\r')
    expect(await shell.printed(/OK/)).toMatch(/Rex/)
    shell.type('GET dog r')
    shell.type('\t')
    await shell.printed(/rex /)
    shell.type('\r')
    await shell.printed(/OK/)
    shell.type('AUTH secret\r')
    await shell.printed(/OK/)
    shell.type('nonsense\r')
    expect(await shell.printed(/HELP says/)).toMatch(/COMMAND NOT IMPLEMENTED \(HELP says what there is\)/)
    shell.type('half a line\u0003')
    await shell.printed(/\^C\n/)
    shell.type('\u0003')
    await shell.printed(/Ctrl-D ends the shell/)
    // The line before the last.
    shell.type('\u001B[A\u001B[A\u001B[A')
    await shell.printed(/GET dog rex/)
    shell.type('\r')
    await shell.printed(/OK/)
    shell.type('\u0004')
    expect(await shell.ended).toBe(0)
    const [card] = await listDirectories(at.home)
    const path = join(card?.directory ?? '', 'shell-history')
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines).toContain('select name, age from dog')
    expect(lines.join('\n')).not.toMatch(/secret/)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const again = typeHere(['shell', '--topic', 'users'], at)
    await again.printed(/users> /)
    again.type('\u001B[A')
    await again.printed(/GET dog rex/)
    again.type('\u0003')
    await again.printed(/\^C/)
    again.type('\u0004')
    expect(await again.ended).toBe(0)
  })

  it('watches until Enter or Ctrl-C, goes on in another topic, and ends at exit', async () => {
    const at = await place()
    const shell = typeHere(['shell', '--topic', 'users,other'], at)
    await shell.printed(/users> /)
    for (const end of ['\r', '\u0003']) {
      shell.type('WATCH dog\r')
      await shell.printed(/Enter or Ctrl-C ends it/)
      shell.type(end)
      expect(await shell.printed(/OK/)).not.toMatch(/ERROR/)
    }
    shell.type('use other\r')
    await shell.printed(/other> /)
    shell.type('CREATE cat\rBUCKETS\r')
    expect(await shell.printed(/cat\nOK/)).not.toMatch(/dog/)
    shell.type('exit\r')
    expect(await shell.ended).toBe(0)
  })
})
