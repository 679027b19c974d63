/** The commands as a person types them: against a node that runs in a process of its own, and where none runs. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { type Command, type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere as run } from './here.ts'

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  return { directory, home: join(directory, 'home'), env: { RHIZOME_HTTP_PORT: '0' } }
}

async function startNode(words: readonly string[], at: CommandOptions): Promise<Command> {
  const node = startRhizome(['--topic', 'users', ...words], at)
  await node.printed(words.includes('--json') ? /"event":"started"/ : /Ctrl-C stops/)
  return node
}

describe('a running node', () => {
  it('answers put, get, ids, status, peers, delete and export by its socket, without HTTP too', async () => {
    const at = await place()
    await startNode(['--no-http', '--name', 'alice'], at)
    expect(await run(['put', 'user/alice', 'name=Alice', 'age:=3'], at)).toEqual({
      exitCode: 0,
      out: 'user/alice created in users\n',
      err: '',
    })
    expect(await run(['put', 'user/alice', 'age:=4'], at)).toMatchObject({
      exitCode: 0,
      out: 'user/alice updated in users\n',
    })
    expect(await run(['get', 'user/alice'], at)).toEqual({ exitCode: 0, out: 'age:=4\nname=Alice\n', err: '' })
    const record = { id: 'alice', properties: { age: 4, name: 'Alice' } }
    expect(JSON.parse((await run(['get', 'user/alice', '--json'], at)).out)).toEqual(record)
    expect(await run(['ids', 'user'], at)).toEqual({ exitCode: 0, out: 'alice\n', err: '' })
    const status = await run(['status', '--json'], at)
    expect(JSON.parse(status.out)).toMatchObject({
      running: true,
      name: 'alice',
      namespaces: [{ name: 'users', counts: { deltas: 3 } }],
    })
    expect((await run(['status'], at)).out).toMatch(/users\t3\t2\t1\talone/)
    const peers = await run(['peers'], at)
    expect(peers.out).toMatch(/^name\tid\tstate.*\nalice\t….*\tthis node\t/)
    expect(peers.err).toContain('nobody else is connected')
    const exported = (await run(['export'], at)).out.trimEnd().split('\n')
    expect(exported.map((line) => JSON.parse(line) as unknown)).toHaveLength(3)
    expect(await run(['export', '--collection', 'user'], at)).toMatchObject({
      out: '{"age":4,"name":"Alice","id":"alice"}\n',
    })
    expect(await run(['delete', 'user/alice'], at)).toMatchObject({ exitCode: 0, out: 'user/alice deleted in users\n' })
    expect(await run(['get', 'user/alice'], at)).toMatchObject({ exitCode: 3, out: '' })
    expect(await run(['delete', 'user/alice'], at)).toMatchObject({ exitCode: 3 })
  })

  it('is followed by tail: what comes next, or everything', async () => {
    const at = await place()
    await startNode(['--no-http'], at)
    await run(['put', 'user/a', 'n:=1'], at)
    const all = startRhizome(['tail', '--all', '--json'], at)
    await all.printed(/"target":1/)
    const next = startRhizome(['tail'], at)
    await run(['put', 'user/b', 'n:=2', 'who=me'], at)
    await all.printed(/"target":2/)
    expect((await all.interrupt()).exitCode).toBe(0)
    // The node begins to send at the position of the request: another put comes after it for sure.
    await untilPrinted(next, /user\/b n := \d/, () => run(['put', 'user/b', 'n:=3'], at))
    const { exitCode, out } = await next.interrupt()
    expect({ exitCode, first: /user\/a/.test(out) }).toEqual({ exitCode: 0, first: false })
  })

  it('that keeps writes nothing of its own', async () => {
    const at = await place()
    await startNode(['--keep', '--no-http'], at)
    const refused = await run(['put', 'user/a', 'n:=1'], at)
    expect(refused).toMatchObject({ exitCode: 1, out: '' })
    expect(refused.err).toMatch(/^error RZ_NODE_KEEPER: .* without --keep\n$/)
  })

  it('is chosen by --data among several of one topic, and said to be chosen where that matters', async () => {
    const at = await place()
    await startNode(['--no-http'], at)
    const second = await startNode(['--no-http', '--json'], at)
    const [, directory = ''] = await second.printed(/"directory":"([^"]+)"/)
    expect(directory).toMatch(/users-2$/)
    expect(await run(['put', 'user/a', 'n:=1'], at)).toMatchObject({ exitCode: 0, err: '' })
    expect((await run(['status'], at)).err).toMatch(/^note: this is the node in .*users; one other holds it, too/)
    expect(await run(['status', '--data', directory], at)).toMatchObject({ exitCode: 0, err: '' })
  })

  it('of one topic gets nothing that is meant for another: what changes something asks for --topic', async () => {
    const at = await place()
    await run(['put', 'animal/lion', 'legs:=4', '--topic', 'zoo'], at)
    const node = await startNode(['--no-http'], at)
    expect(node.out).toMatch(/put user\/alice name=Alice --topic users\n/)
    await writeFile(join(at.directory, 'a.ndjson'), '{"id":"a","n":1}\n')
    for (const words of [
      ['put', 'animal/lion', 'legs:=5'],
      ['delete', 'animal/lion'],
      ['import', './a.ndjson', '--into', 'animal'],
    ]) {
      const { exitCode, out, err } = await run(words, at)
      expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
      expect(err).toContain('error RZ_CLI_AMBIGUOUS: several topics here: give --topic users|zoo\n')
    }
    expect(await run(['ids', 'animal'], at)).toEqual({
      exitCode: 0,
      out: '',
      err: 'note: this is users; here is also zoo (--topic chooses)\n',
    })
    expect(await run(['get', 'animal/lion', '--topic', 'zoo'], at)).toEqual({ exitCode: 0, out: 'legs:=4\n', err: '' })
    expect((await run(['invite', '--topic', 'zoo'], at)).err).toContain('start it with npx rhizome-node --topic zoo')
    expect(await run(['invite'], at)).toMatchObject({ exitCode: 0 })
  })
})

/** Repeats `act` until the command has printed the pattern. */
async function untilPrinted(command: Command, pattern: RegExp, act: () => Promise<unknown>): Promise<void> {
  const printed = command.printed(pattern)
  const state = { isDone: false }
  void printed.then(() => (state.isDone = true))
  while (!state.isDone) await act()
  await printed
}

describe('without a running node', () => {
  it('an invitation says how to start the one that is there', async () => {
    const at = await place()
    await run(['put', 'a/b', 'n:=1', '--topic', 'imp'], at)
    expect((await run(['invite'], at)).err).toContain('start it with npx rhizome-node --topic imp, then invite')
  })

  it('commands open the store themselves, and what they wrote is there when it starts', async () => {
    const at = await place()
    const first = await run(['put', 'user/alice', 'name=Alice', '--topic', 'users'], at)
    expect(first).toMatchObject({ exitCode: 0, out: 'user/alice created in users\n' })
    expect(first.err).toContain('no node runs here; start one to share users: npx rhizome-node --topic users')
    expect(await run(['get', 'user/alice'], at)).toEqual({ exitCode: 0, out: 'name=Alice\n', err: '' })
    expect(JSON.parse((await run(['status', '--json'], at)).out)).toMatchObject({ running: false })
    const node = await startNode([], at)
    expect(node.out).toContain('users  1 delta\n')
    expect(await run(['get', 'user/alice'], at)).toMatchObject({ out: 'name=Alice\n' })
  })

  for (const words of [
    ['get', 'user/a'],
    ['status'],
    ['export'],
    ['identity', 'show'],
    ['invite'],
    ['put', 'user/a', 'b=c'],
  ]) {
    it(`${words[0] ?? ''} says that there is none, and how to start one`, async () => {
      const { exitCode, out, err } = await run(words, await place())
      expect({ exitCode, out }).toEqual({ exitCode: 5, out: '' })
      expect(err).toMatch(
        /^error RZ_CLI_NO_NODE: no node runs here and none left data: start one with npx rhizome-node --topic users\n$/,
      )
    })
  }

  it('commands at the same time take turns, and none loses what it writes', async () => {
    const at = await place()
    await run(['put', 'user/0', 'n:=0', '--topic', 'users'], at)
    const numbers = [1, 2, 3, 4, 5]
    const puts = await Promise.all(numbers.map((n) => run(['put', `user/${n}`, `n:=${n}`], at)))
    expect(puts.map(({ exitCode }) => exitCode)).toEqual(numbers.map(() => 0))
    expect((await run(['ids', 'user'], at)).out).toBe('0\n1\n2\n3\n4\n5\n')
  })

  it('a topic that no directory holds, and a directory that is none, are told as such', async () => {
    const at = await place()
    await run(['put', 'user/a', 'n:=1', '--topic', 'users'], at)
    expect((await run(['get', 'user/a', '--topic', 'posts'], at)).err).toContain('no node here holds "posts"')
    expect((await run(['get', 'user/a', '--data', at.directory], at)).err).toContain("holds no node's data")
  })
})

describe('wrong words', () => {
  const cases: readonly [words: readonly string[], message: RegExp][] = [
    [[], /^error RZ_CLI_USAGE: say what to share, such as: npx rhizome-node --topic users/],
    [['--topc', 'users'], /^error RZ_CLI_USAGE: unknown flag --topc; did you mean --topic\?/],
    [['--topic', 'No'], /^error RZ_NAMESPACE_NAME: /],
    [['--topic', 'users', '--peer', 'a b'], /^error RZ_NET_ADDRESS_INVALID: /],
    [['join', 'rhizome:abc'], /^error RZ_CLI_INVITE_INVALID: /],
    [['put', 'user'], /^error RZ_CLI_USAGE: /],
  ]
  for (const [words, message] of cases) {
    it(`${words.join(' ') || 'none'}: one line on stderr, exit code 2`, async () => {
      const { exitCode, out, err } = await run(words, await place())
      expect({ exitCode, out, lines: err.split('\n').length }).toEqual({ exitCode: 2, out: '', lines: 2 })
      expect(err).toMatch(message)
    })
  }

  it('with --verbose show where they were refused', async () => {
    expect((await run(['get', 'user', '--verbose'], await place())).err).toMatch(/\n {4}at /)
  })

  it('in a variable or the file are refused the same way', async () => {
    const at = await place()
    const { exitCode, err } = await run(['status'], { ...at, env: { RHIZOME_TOPICS: 'x' } })
    expect({ exitCode, err }).toEqual({
      exitCode: 2,
      err: 'error RZ_CLI_CONFIG: unknown variable RHIZOME_TOPICS; did you mean RHIZOME_TOPIC?\n',
    })
    await writeFile(join(at.directory, 'rhizome.config.json'), '{"topics":["x"]}')
    expect((await run(['status'], at)).err).toContain('did you mean topic?')
  })
})

describe('import', () => {
  const placeOfUsers = async (): Promise<CommandOptions> => ({ ...(await place()), env: { RHIZOME_TOPIC: 'users' } })
  const json = async (words: readonly string[], at: CommandOptions, input?: string) => {
    const { exitCode, out } = await run(['import', ...words, '--json'], at, input)
    return { exitCode, ...(JSON.parse(out) as Record<string, unknown>) }
  }
  const file = (at: CommandOptions, name: string, text: string) => writeFile(join(at.directory, name), text)

  it('takes the good lines of a CSV, shows their types, and puts the bad ones into a file', async () => {
    const at = await placeOfUsers()
    await file(
      at,
      'people.csv',
      'email,name,age,zip\na@x,Ann,3,01234\nb@x,Bob\nc@x,"Cy",4,99999\n,Dan,5,1\na@x,Eve,6,2\n',
    )
    const { exitCode, out, err } = await run(['import', './people.csv', '--into', 'person', '--id', 'email'], at)
    expect({ exitCode, out }).toEqual({
      exitCode: 4,
      out: expect.stringMatching(/^2 records into person in users, 8 deltas, in /) as string,
    })
    expect(err).toContain('4 rows of csv into person; ids: email\ncolumn\ttype\trows\tsuch as\nemail\ttext\t3\ta@x\n')
    expect(err).toContain('age\tnumber\tall\t3\nzip\ttext\tall\t01234\n')
    expect(err).toContain('3 lines refused: people.csv.rejected.ndjson has each with its number and why\n')
    const rejected = (await readFile(join(at.directory, 'people.csv.rejected.ndjson'), 'utf8')).trimEnd().split('\n')
    expect(rejected.map((line) => JSON.parse(line) as unknown)).toEqual([
      { line: 3, why: '2 cells where the header has 4', text: 'b@x,Bob' },
      { line: 5, why: 'no id in "email"', text: expect.any(String) as string },
      { line: 6, why: 'the id "a@x" is that of line 2 already', text: expect.any(String) as string },
    ])
    expect(await run(['get', 'person/a@x'], at)).toMatchObject({ out: 'age:=3\nemail=a@x\nname=Ann\nzip=01234\n' })
  })

  it('takes ids from a column "id" though some rows have none: those are refused, as are repeated ids', async () => {
    const at = await placeOfUsers()
    await file(at, 't.csv', 'id,name,none\na,Ann,\nb,Bob,\na,Dup,\n,NoId,\n')
    const { exitCode, err } = await run(['import', './t.csv', '--into', 'p'], at)
    expect(exitCode).toBe(4)
    expect(err).toContain('4 rows of csv into p; ids: id\n')
    expect(err).toContain('none\tempty\t0\t-\n')
    expect((await run(['ids', 'p'], at)).out).toBe('a\nb\n')
    const rejected = (await readFile(join(at.directory, 't.csv.rejected.ndjson'), 'utf8')).trimEnd().split('\n')
    expect(rejected.map((line) => (JSON.parse(line) as { why: string }).why)).toEqual([
      'the id "a" is that of line 2 already',
      'no id in "id"',
    ])
  })

  it('twice adds nothing, with ids of the file, of its keys, or made of the content', async () => {
    const at = await placeOfUsers()
    await file(at, 'a.ndjson', '{"id":"x","n":1,"deep":{"er":[null]}}\n{"id":"y","n":2}\n')
    await file(at, 'b.json', '{"k1":{"n":1},"k2":{"n":2}}')
    await file(at, 'c.json', '[{"n":1,"m":2},{"m":2,"n":1},{"n":3}]')
    for (const [name, records, deltas] of [
      ['a.ndjson', 2, 3],
      ['b.json', 2, 2],
      ['c.json', 2, 3],
    ] as const) {
      const into = ['--into', name.slice(0, 1)]
      expect(await json([`./${name}`, ...into], at)).toMatchObject({
        exitCode: 0,
        records,
        deltas,
        unchanged: 0,
        rejectedCount: 0,
      })
      expect(await json([`./${name}`, ...into], at)).toMatchObject({
        exitCode: 0,
        records: 0,
        deltas: 0,
        unchanged: records,
      })
    }
    expect(await run(['get', 'a/x'], at)).toMatchObject({ out: 'deep:={"er":[null]}\nn:=1\n' })
    expect(await run(['ids', 'b'], at)).toMatchObject({ out: 'k1\nk2\n' })
  })

  it('takes back what export gave', async () => {
    const at = await placeOfUsers()
    await json(['-', '--into', 'a'], at, '{"id":"x","n":1,"deep":{"er":[null]}}\n{"id":"y","n":2}\n')
    const { out } = await run(['export', '--collection', 'a'], at)
    await file(at, 'again.ndjson', out)
    const elsewhere = { ...at, home: join(at.directory, 'other') }
    expect(await run(['import', './again.ndjson', '--into', 'a'], elsewhere)).toMatchObject({ exitCode: 0 })
    expect((await run(['export', '--collection', 'a'], elsewhere)).out).toBe(out)
  })

  it('has a property "id" of its own beside another column, and export says that it has no room for it', async () => {
    const at = await placeOfUsers()
    await file(at, 'ids.ndjson', '{"id":"5","mail":"ann@x","n":1}\n')
    expect(await run(['import', './ids.ndjson', '--into', 'm', '--id', 'mail'], at)).toMatchObject({ exitCode: 0 })
    const { out, err } = await run(['export', '--collection', 'm'], at)
    expect(JSON.parse(out)).toMatchObject({ id: 'ann@x', n: 1 })
    expect(err).toContain('1 record has a property "id"')
  })

  it('tells lines that the node refuses by their number in the file', async () => {
    const at = await placeOfUsers()
    await file(at, 'bad.ndjson', '{"id":"x","n":1}\n\n{"id":"y","n":{"$bytes":"!"}}\n{"id":"z","n":2}\n')
    expect(await json(['./bad.ndjson', '--into', 'bad'], at)).toMatchObject({
      exitCode: 4,
      records: 2,
      rejectedCount: 1,
    })
    const rejected = await readFile(join(at.directory, 'bad.ndjson.rejected.ndjson'), 'utf8')
    expect(JSON.parse(rejected)).toMatchObject({ line: 3, why: expect.stringContaining('RZ_DELTA_INVALID') as string })
  })

  it('refuses exported deltas, which would become records of their parts', async () => {
    const at = await placeOfUsers()
    await run(['put', 'a/b', 'n:=1'], at)
    await file(at, 'd.ndjson', (await run(['export'], at)).out)
    const { exitCode, out, err } = await run(['import', './d.ndjson', '--into', 'deltas'], at)
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
    expect(err).toMatch(/^error RZ_CLI_INPUT: .* holds deltas, .* export them with --collection <name>\n$/)
  })

  const refusals: readonly [words: readonly string[], exitCode: number, message: string][] = [
    [['./none.csv', '--into', 'x'], 1, 'RZ_CLI_INPUT: there is no file ./none.csv'],
    [['./people.csv'], 2, 'say which collection'],
    [['./people.csv', '--into', 'a/b'], 2, 'say which collection'],
    [['./people.csv', '--into', 'x', '--id', 'emial'], 2, 'there is no column "emial"; did you mean email?'],
    [['./people.csv', '--into', 'x', '--format', 'cvs'], 2, 'did you mean csv?'],
    [['./empty.csv', '--into', 'x'], 1, 'holds no row'],
  ]
  for (const [words, exitCode, message] of refusals) {
    it(`is refused before anything is written: ${words.join(' ')}`, async () => {
      const at = await placeOfUsers()
      await file(at, 'empty.csv', 'a,b\n')
      await file(at, 'people.csv', 'email,n\na@x,1\n')
      const refused = await run(['import', ...words], at)
      expect({ exitCode: refused.exitCode, out: refused.out }).toEqual({ exitCode, out: '' })
      expect(refused.err).toContain(message)
    })
  }
})

describe('identity', () => {
  it('is shown, exported, and imported elsewhere under a name to sign with', async () => {
    const at = await place()
    await run(['put', 'user/a', 'n:=1', '--topic', 'users'], at)
    const shown = JSON.parse((await run(['identity', 'show', '--json'], at)).out) as { name: string; id: string }
    expect(shown).toEqual({ name: 'default', id: expect.stringMatching(/^12D3KooW/) as string })
    const exported = await run(['identity', 'export'], at)
    expect(exported.err).toContain('This is a private key')
    await writeFile(join(at.directory, 'key.json'), exported.out)
    const other = { ...at, home: join(at.directory, 'other') }
    await run(['put', 'user/a', 'n:=1', '--topic', 'users'], other)
    expect(await run(['identity', 'import', './key.json'], other)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('RZ_IDENTITY_EXISTS') as string,
    })
    expect(await run(['identity', 'import', './key.json', '--as', 'laptop'], other)).toMatchObject({
      exitCode: 0,
      out: `laptop  ${shown.id}\n`,
    })
    expect(await run(['put', 'user/b', 'n:=1', '--as', 'laptop'], other)).toMatchObject({ exitCode: 0 })
    expect((await run(['export'], other)).out).toContain(`"creator":"${shown.id}"`)
    expect(await run(['put', 'user/b', 'n:=1', '--as', 'nobody'], other)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('RZ_IDENTITY_UNKNOWN') as string,
    })
    expect(await run(['identity', 'import', './key.json', '--replace'], other)).toMatchObject({ exitCode: 0 })
    expect(await run(['identity', 'export', '--as', 'none'], at)).toMatchObject({ exitCode: 1 })
    expect(await run(['identity', 'shwo'], at)).toMatchObject({ exitCode: 2 })
  })
})

it('token prints a new one each time, and keeps none that could be read', async () => {
  const at = await place()
  await run(['put', 'user/a', 'n:=1', '--topic', 'users'], at)
  const [first, second] = [await run(['token'], at), await run(['token'], at)]
  expect(first.out).toMatch(/^rz_[\w-]{43}\n$/)
  expect(second.out).not.toBe(first.out)
  const kept = await readFile(join(at.home, 'nodes', 'users', 'http-token'), 'utf8')
  expect(kept).not.toContain(second.out.trim())
})

it('token makes none where a setting gives it', async () => {
  const at = await place()
  await run(['put', 'user/a', 'n:=1', '--topic', 'users'], at)
  const { exitCode, err } = await run(['token'], { ...at, env: { RHIZOME_HTTP_TOKEN: 'given-to-the-node' } })
  expect({ exitCode, err }).toEqual({ exitCode: 2, err: expect.stringContaining('the token is given') as string })
})

describe('rule', () => {
  it('answers each line with one, in order, whatever it holds', async () => {
    const input = [
      '{"rule":{"+":[1,{"var":"n"}]},"data":{"n":2}}',
      '',
      '{"rule":{"missing":["a"]}}',
      '{"rule":{"boom":1}}',
      'nonsense',
      '{"rule":{"cat":["ü","🌱"]}}',
    ].join('\n')
    const { exitCode, out } = await run(['rule'], await place(), input)
    const answers = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { result?: unknown; error?: { code: string } })
    expect(exitCode).toBe(0)
    expect(answers.map(({ result, error }) => error?.code ?? result)).toEqual([
      3,
      ['a'],
      'RZ_RULE_OPERATOR',
      'RZ_RULE_INVALID',
      'ü🌱',
    ])
  })
})
