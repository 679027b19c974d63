/** Contexts, moments, explanations and definitions as a person types them. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere as run } from './here.ts'

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  return { directory, home: join(directory, 'home'), env: { RHIZOME_HTTP_PORT: '0' } }
}

async function withBook(): Promise<{ at: CommandOptions; before: string }> {
  const at = await place()
  await run(['put', 'book/sicp', 'stars:=5', 'title=SICP', '--topic', 'shop'], at)
  const before = (await run(['frontier'], at)).out.trim()
  await run(['put', 'book/sicp', 'stars:=4', '--topic', 'shop'], at)
  return { at, before }
}

const rows = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
const parsed = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

describe('a moment', () => {
  it('is what frontier prints and --as-of takes, of a record, of ids and of exports', async () => {
    const { at, before } = await withBook()
    expect(await run(['get', 'book/sicp', '--as-of', before], at)).toMatchObject({ out: 'stars:=5\ntitle=SICP\n' })
    expect(await run(['get', 'book/sicp'], at)).toMatchObject({ out: 'stars:=4\ntitle=SICP\n' })
    expect(await run(['get', 'book/sicp', '--as-of', '2020-01-01'], at)).toMatchObject({ exitCode: 3 })
    expect(await run(['ids', '--as-of', before], at)).toMatchObject({ out: 'book\n' })
    expect(await run(['ids', 'book', '--as-of', '2020-01-01'], at)).toMatchObject({ exitCode: 0, out: '' })
    const exported = await run(['export', '--collection', 'book', '--as-of', before], at)
    expect(parsed(exported.out)).toEqual([{ stars: 5, title: 'SICP', id: 'sicp' }])
    expect(parsed((await run(['export', '--as-of', before], at)).out)).toHaveLength(2)
    const refused = await run(['get', 'book/sicp', '--as-of', 'yesterday'], at)
    expect(refused).toMatchObject({ exitCode: 1, out: '' })
    expect(refused.err).toMatch(/^error RZ_AS_OF_INVALID: .*2026/)
    expect(parsed((await run(['frontier', '--json'], at)).out)).toMatchObject([
      { frontier: expect.any(String) as string },
    ])
  })

  it('is compared with another by diff', async () => {
    const { at, before } = await withBook()
    const { out } = await run(['diff', 'book/sicp', '--from', before], at)
    expect(rows(out)).toEqual([
      ['property', 'before', 'after'],
      ['stars', '5', '4'],
    ])
    expect(
      parsed((await run(['diff', 'book/sicp', '--from', '2020-01-01', '--to', before, '--json'], at)).out),
    ).toEqual([
      { property: 'stars', before: {}, after: { value: 5 } },
      { property: 'title', before: {}, after: { value: 'SICP' } },
    ])
    expect(await run(['diff', 'book/sicp'], at)).toMatchObject({ exitCode: 2 })
  })
})

describe('a property', () => {
  it('is explained: value, rule, and each claim', async () => {
    const { at, before } = await withBook()
    const { out } = await run(['explain', 'book/sicp', 'stars'], at)
    expect(rows(out)).toEqual([
      ['value', '4'],
      ['by', 'the latest claim'],
      [''],
      ['claim', 'value', 'time', 'creator'],
      ['stands', '5', expect.stringMatching(/Z$/), expect.stringMatching(/^…/)],
      ['is the value', '4', expect.stringMatching(/Z$/), expect.stringMatching(/^…/)],
    ])
    expect(rows((await run(['explain', 'book/sicp', 'stars', '--as-of', before], at)).out)[0]).toEqual(['value', '5'])
    await run(['resolver', 'put', 'stars', '--of', 'book/stars', '--rule', 'average'], at)
    const ruled = await run(['explain', 'book/sicp', 'stars', '--json'], at)
    expect(parsed(ruled.out)).toMatchObject([
      { value: 4.5, resolver: { kind: 'rule', source: { record: 'resolver/stars' } } },
    ])
    expect((await run(['explain', 'book/sicp', 'stars'], at)).out).toContain('of resolver/stars')
    expect(await run(['explain', 'book/sicp', 'pages'], at)).toMatchObject({ exitCode: 3, out: '' })
    await run(['delete', 'book/sicp'], at)
    expect(rows((await run(['explain', 'book/sicp', 'title'], at)).out)).toContainEqual([
      'negated',
      'SICP',
      expect.any(String),
      expect.any(String),
    ])
  })

  it('has a history, oldest first', async () => {
    const { at } = await withBook()
    const { out } = await run(['history', 'book/sicp', 'stars'], at)
    expect(rows(out).map(([, value]) => value)).toEqual(['value', '5', '4'])
    expect(parsed((await run(['history', 'book/sicp', 'stars', '--json'], at)).out)).toMatchObject([
      { after: { value: 5 } },
      { after: { value: 4 } },
    ])
    const short = await run(['history', 'book/sicp', 'stars', '--limit', '1'], at)
    expect(rows(short.out).map(([, value]) => value)).toEqual(['value', '4'])
    expect(short.err).toContain('note: 2 older deltas not looked at')
    expect(await run(['history', 'book/sicp', 'stars', '--limit', 'all'], at)).toMatchObject({ exitCode: 1 })
  })
})

describe('lossless', () => {
  it('prints every claim of the entities that are named, and which are not there', async () => {
    const { at } = await withBook()
    const { out, err, exitCode } = await run(['lossless', 'book/sicp', 'book/none'], at)
    expect(rows(out).map(([property, value, , , claim]) => [property, value, claim])).toEqual([
      ['book/sicp', undefined, undefined],
      ['property', 'value', 'claim'],
      ['stars', '5', 'stands'],
      ['stars', '4', 'stands'],
      ['title', 'SICP', 'stands'],
    ])
    expect({ err, exitCode }).toEqual({ err: 'note: nothing is held about book/none\n', exitCode: 3 })
  })

  it('prints a view per line as JSON, of a prefix or of all, as of a moment', async () => {
    const { at, before } = await withBook()
    await run(['put', 'pen/red', 'n:=1'], at)
    const ids = async (...words: string[]) =>
      parsed((await run(['lossless', '--json', ...words], at)).out).map((view) => (view as { id: string }).id)
    expect(await ids('--all')).toEqual(['book/sicp', 'pen/red'])
    expect(await ids('--prefix', 'pen/')).toEqual(['pen/red'])
    expect(await ids('--all', '--as-of', before)).toEqual(['book/sicp'])
    expect(await run(['lossless'], at)).toMatchObject({ exitCode: 2 })
    expect(await run(['lossless', 'pen/red', '--all'], at)).toMatchObject({ exitCode: 2 })
  })
})

describe('definitions', () => {
  it('are put from flags, a text, a file or stdin, listed, shown and deleted', async () => {
    const { at } = await withBook()
    expect(await run(['resolver', 'put', 'a', '--of', 'book/stars', '--rule', 'max'], at)).toMatchObject({
      exitCode: 0,
      out: 'resolver a created in shop\n',
    })
    const rule = { length: { var: 'candidates' } }
    const text = JSON.stringify({ collection: 'book', property: 'stars', rule })
    await writeFile(join(at.directory, 'b.json'), text)
    for (const [words, input] of [
      [['resolver', 'put', 'b', text], ''],
      [['resolver', 'put', 'b', './b.json'], ''],
      [['resolver', 'put', 'b', '-'], text],
      [['resolver', 'put', 'b', '--of', 'book/stars', '--rule', JSON.stringify(rule)], ''],
    ] as const) {
      expect(await run(words, at, input)).toMatchObject({ exitCode: 0 })
      expect((await run(['get', 'book/sicp'], at)).out).toContain('stars:=2')
    }
    expect(rows((await run(['resolver'], at)).out)).toEqual([
      ['id', 'of', 'rule'],
      ['a', 'book/stars', 'max'],
      // A rule that comes with the package is told by its name.
      ['b', 'book/stars', 'count'],
    ])
    expect(JSON.parse((await run(['resolver', 'show', 'b'], at)).out)).toMatchObject({ collection: 'book', rule })
    expect(await run(['resolver', 'delete', 'b'], at)).toMatchObject({ out: 'resolver b deleted in shop\n' })
    expect((await run(['get', 'book/sicp'], at)).out).toContain('stars:=5')
    expect(await run(['resolver', 'show', 'b'], at)).toMatchObject({ exitCode: 3 })
    expect(await run(['resolver', 'delete', 'b'], at)).toMatchObject({ exitCode: 3 })
  })

  it.each([
    [['resolver', 'mend'], 'RZ_CLI_USAGE: "mend" is none of list, show, put, delete'],
    [['resolver', 'put'], 'RZ_CLI_USAGE: say which resolver'],
    [['resolver', 'put', 'a'], 'RZ_CLI_USAGE: say how it is defined'],
    [['resolver', 'put', 'a', '--of', 'book/stars'], 'RZ_CLI_USAGE: --of and --rule go together'],
    [['resolver', 'put', 'a', '--of', 'stars', '--rule', 'max'], 'RZ_CLI_USAGE: --of takes collection/property'],
    [
      ['resolver', 'put', 'a', '--of', 'b/c', '--rule', 'most'],
      'RZ_CLI_USAGE: --rule takes JSON-Logic, or one of latest',
    ],
    [['resolver', 'put', 'a', '{'], 'RZ_CLI_INPUT: the definition is not JSON'],
    [['resolver', 'put', 'a', './none.json'], 'RZ_CLI_INPUT: .*none.json cannot be read'],
    [['resolver', 'put', 'a', '{"rule":1}'], 'RZ_DEFINITION_INVALID'],
    [['context', 'put', 'a', '{"filter":{"nonsense":1}}'], 'RZ_RULE_OPERATOR'],
  ])('%j is refused: %s', async (words, error) => {
    const at = await place()
    const { err, out, exitCode } = await run([...words, '--topic', 'shop'], at)
    expect({ out, failed: exitCode !== 0 }).toEqual({ out: '', failed: true })
    expect(err).toMatch(new RegExp(`error ${error}`))
  })
})

describe('a context', () => {
  it('is put by a command, and each read may name it', async () => {
    const { at } = await withBook()
    await run(['context', 'put', 'nobody', '{"filter":false}'], at)
    expect(rows((await run(['context'], at)).out)).toEqual([
      ['id', 'negations', 'filter', 'resolvers'],
      ['nobody', 'everyone', 'false', '0'],
    ])
    for (const words of [
      ['get', 'book/sicp'],
      ['explain', 'book/sicp', 'stars'],
      ['lossless', 'book/sicp'],
    ]) {
      expect(await run([...words, '--context', 'nobody'], at)).toMatchObject({ exitCode: 3, out: '' })
    }
    expect((await run(['history', 'book/sicp', 'stars', '--context', 'nobody', '--json'], at)).out).toBe('')
    expect(await run(['ids', 'book', '--context', 'nobody'], at)).toMatchObject({ exitCode: 0, out: '' })
    expect(await run(['export', '--context', 'nobody'], at)).toMatchObject({ exitCode: 0, out: '' })
    const unknown = await run(['get', 'book/sicp', '--context', 'none'], at)
    expect(unknown.err).toMatch(/^error RZ_CONTEXT_UNKNOWN: "shop" has no context "none" then: write one as the record/)
  })

  it('is pinned by the configuration file, which may name the one that a node reads in', async () => {
    const at = await place()
    const contexts = { nobody: { filter: false } }
    await writeFile(join(at.directory, 'rhizome.config.json'), JSON.stringify({ context: 'nobody', contexts }))
    const node = startRhizome(['--topic', 'shop', '--no-http'], at)
    await node.printed(/Ctrl-C stops/)
    await run(['put', 'book/sicp', 'stars:=5'], at)
    expect(await run(['get', 'book/sicp'], at)).toMatchObject({ exitCode: 3 })
    expect(await run(['get', 'book/sicp', '--context', ''], at)).toMatchObject({ exitCode: 0, out: 'stars:=5\n' })
    expect(parsed((await run(['status', '--json'], at)).out)).toMatchObject([
      { contexts: { pinned: ['nobody'], standard: 'nobody' } },
    ])
    expect((await node.interrupt()).exitCode).toBe(0)
    // Without a node the command opens the data itself, under the same configuration.
    expect(await run(['get', 'book/sicp'], at)).toMatchObject({ exitCode: 3 })
  })

  it.each([
    [{ contexts: [] }, 'RZ_CLI_CONFIG: "contexts" in rhizome.config.json must be an object of contexts by id'],
    [{ contexts: { a: 1 } }, 'RZ_CLI_CONFIG: "contexts" in rhizome.config.json must be'],
    [{ context: 1 }, 'RZ_CLI_CONFIG: "context" in rhizome.config.json must be the id of a context'],
    [{ contexts: { a: { filters: 1 } } }, 'RZ_DEFINITION_INVALID: the context "a" of this node\'s configuration: '],
  ])('configured as %j keeps a node from starting', async (configuration, error) => {
    const at = await place()
    await writeFile(join(at.directory, 'rhizome.config.json'), JSON.stringify(configuration))
    const { err, exitCode } = await run(['--topic', 'shop', '--memory'], at)
    expect(exitCode).not.toBe(0)
    expect(err).toContain(`error ${error}`)
  })
})
