/**
 * The README tells the truth: its samples run as written, and print what stands beside them; its commands run as written,
 * and a command without an expectation here fails. Put in from outside: a home, loopback, no multicast.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Command, type CommandOptions, runRhizome, startRhizome } from './support/command.ts'
import { type FencedBlock, fencedBlocks } from './support/markdown.ts'
import { SIDES } from './support/film.ts'
import { temporaryFolder, until } from './support/nodes.ts'

const require = createRequire(import.meta.url)
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SDK = pathToFileURL(join(ROOT, 'src', 'index.ts')).href
const TESTING = pathToFileURL(join(ROOT, 'src', 'testing', 'cluster.ts')).href

interface Page {
  readonly path: string
  readonly blocks: readonly FencedBlock[]
}

const readme = pageAt('README.md')
const pages = [
  readme,
  ...readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('README.md'))
    .map((path) => pageAt(join('src', path))),
]

describe('a sample runs as written, and prints what stands beside it:', () => {
  const samples = pages.flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language, text }) => language === 'ts' && /from 'rhizome-node(\/testing)?'/.test(text))
      .map((block) => ({ path, ...block })),
  )

  it('there are some', () => expect(samples.length).toBeGreaterThan(1))

  it.each(samples)('$path:$line', async ({ text }) => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'rhizome-node.ts'), `export * from '${SDK}'\n${NODES_AT_HOME}`)
    const local = text
      .replaceAll("'rhizome-node'", "'./rhizome-node.ts'")
      .replaceAll("'rhizome-node/testing'", `'${TESTING}'`)
    await writeFile(join(folder, 'sample.ts'), local)
    const sample = new Command(['sample.ts'], { directory: folder, home: folder })
    const printed = expectations(text)
    if (isFollower(text)) {
      await sample.printed(new RegExp(`(.*\\n){${printed.length + 1}}`))
      await sample.interrupt()
    } else expect(await sample.finished()).toMatchObject({ exitCode: 0, err: '' })
    const lines = sample.out.split('\n')
    for (const [index, wanted] of printed.entries()) if (wanted !== undefined) expect(lines[index]).toBe(wanted)
  })
})

describe('the commands run as written:', () => {
  it('five minutes, and the same over HTTP', async () => {
    const folder = await temporaryFolder()
    const at = { directory: folder, home: join(folder, 'home') }
    const [start = '', ...commands] = commandsOf('Five minutes').filter((line) => !isAboutSecrets(line))
    const first = startRhizome(wordsOf(start), at)
    const second = startRhizome(wordsOf(start), at)
    const [url] = await first.printed(/http:\/\/127\.0\.0\.1:\d+/)
    await second.printed(/http:\/\/127\.0\.0\.1:\d+/)
    await until('the two have met', async () => (await (await fetch(`${url}/api/peers/count`)).json()) === 2)

    const expected: Readonly<Record<string, RegExp>> = {
      'npx rhizome-node put user/alice name=Alice age:=3': /alice/,
      'npx rhizome-node get user/alice': /age:=3\nname=Alice/,
      'npx rhizome-node ids user': /^alice$/m,
      'npx rhizome-node status': /^users\s2\s/m,
    }
    for (const line of commands.filter((one) => one !== FOLLOWING)) {
      const { exitCode, out } = await runRhizome(wordsOf(line), at)
      expect({ line, exitCode, out }).toMatchObject({
        exitCode: 0,
        out: expect.stringMatching(expected[line] ?? NEVER),
      })
    }
    expect(commands).toEqual([...Object.keys(expected), FOLLOWING])
    const tail = startRhizome(wordsOf(FOLLOWING), at)
    await until('tail has told', async () => {
      await runRhizome(['put', 'user/bob', `at:=${Date.now()}`], at)
      return tail.out.includes('user/bob')
    })
    expect(await tail.interrupt()).toMatchObject({ exitCode: 0 })

    const answers: Readonly<Record<string, readonly [number, unknown]>> = {
      PUT: [200, { id: 'alice', properties: { name: 'Alice', age: 3 } }],
      'GET /api/user/alice': [200, { id: 'alice', properties: { name: 'Alice', age: 3 } }],
      'GET /api/peers/count': [200, 2],
      'POST /api/deltas': [201, { deltas: [expect.any(String)], block: expect.any(String) }],
      'GET /api/ns/users/entities/keanu': [200, { id: 'keanu', properties: { roles: SIDES[0].value } }],
      'GET /api/ns/users/lossless?id=keanu&id=neo&id=the_matrix': [
        200,
        SIDES.map(({ id, property, value }): unknown =>
          expect.objectContaining({ id, properties: { [property]: [expect.objectContaining({ value })] } }),
        ),
      ],
    }
    const curls = commandsOf('Over HTTP')
    expect(curls.length).toBe(Object.keys(answers).length)
    for (const line of curls) {
      const { method, path, headers, body } = curlOf(line)
      const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) })
      const answer = [response.status, await response.json()]
      expect({ line, answer }).toEqual({ line, answer: answers[method === 'PUT' ? 'PUT' : `${method} ${path}`] })
    }
    for (const node of [first, second]) expect(await node.interrupt()).toMatchObject({ exitCode: 0, err: '' })
  }, 60_000)

  it('views on a terminal', async () => {
    const at = { directory: await temporaryFolder(), home: await temporaryFolder() }
    for (const stars of ['5', '4']) await runRhizome(['put', 'book/sicp', `stars:=${stars}`, '--topic', 'shop'], at)
    await runRhizome(['context', 'put', 'trusted', '{"negations":"author"}'], at)
    const expected = [/^resolver stars created in shop$/m, /^value\t4\.5$/m, /^stars:=4\.5$/m]
    const commands = commandsOf('Views and rules')
    expect(commands).toHaveLength(expected.length)
    for (const [index, line] of commands.entries()) {
      const { exitCode, out } = await runRhizome(wordsOf(line), at)
      expect({ line, exitCode, out }).toEqual({
        line,
        exitCode: 0,
        out: expect.stringMatching(expected[index] ?? NEVER),
      })
    }
  }, 60_000)

  it('a proof is made, and verified where nothing is', async () => {
    const at = { directory: await temporaryFolder(), home: await temporaryFolder() }
    const [making = '', verifying = '', ...others] = commandsOf('Proofs')
    expect(others).toEqual([])
    await runRhizome(['put', 'user/alice', 'name=Alice', '--topic', 'users'], at)
    expect(await runRhizome(wordsOf(making), at)).toMatchObject({ exitCode: 0, out: '' })
    const verified = await runRhizome(wordsOf(verifying), { ...at, home: join(at.home, 'nothing') })
    expect(verified).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/all signatures are good[^]*name = Alice/),
    })
  }, 60_000)

  it('a closed namespace, and an invitation to it', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'our-secret.txt'), 'correct horse battery staple\n')
    const at = { directory: folder, home: join(folder, 'home') }
    const [start = '', invite = '', ...others] = commandsOf('Five minutes').filter(isAboutSecrets)
    expect(others).toEqual([])
    const node = startRhizome(wordsOf(start), at)
    await node.printed(/http:\/\/127\.0\.0\.1:\d+/)
    const { exitCode, out } = await runRhizome(wordsOf(invite), at)
    expect({ exitCode, lines: out.trim().split('\n').length }).toEqual({ exitCode: 0, lines: 1 })
    const colleague = startRhizome(['join', out.trim()], { ...at, home: join(folder, 'colleague') })
    const [url = ''] = await colleague.printed(/http:\/\/127\.0\.0\.1:\d+/)
    await until('the two have met', async () => (await (await fetch(`${url}/api/peers/count`)).json()) === 2)
  }, 60_000)

  it('a real data set is imported on one node and asked on another; importing it twice adds nothing', async () => {
    const { length: countries } = require('world-countries') as readonly object[]
    const folder = await temporaryFolder()
    // The cities are left to test/processes/real-data.test.ts, which takes its time.
    const [start = '', importing = '', , schema = '', , bordering = '', , reached = ''] = commandsOf('A real data set')
    const [one, two] = await Promise.all(
      ['one', 'two'].map(async (name) => {
        await mkdir(join(folder, name))
        return { directory: ROOT, home: join(folder, name) }
      }),
    )
    if (one === undefined || two === undefined) throw new Error('two homes were made')
    const first = startRhizome(wordsOf(start), one)
    const [, address = ''] = await first.printed(/^ {2}at +(127\.0\.0\.1:\d+)$/m)
    const second = startRhizome([...wordsOf(start), '--peer', address], two)
    await second.printed(/http:\/\/127\.0\.0\.1:\d+/)

    expect(await runRhizome(wordsOf(importing), one)).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(`^${countries} records`),
    })
    expect(await runRhizome(wordsOf(schema), one)).toMatchObject({ exitCode: 0 })
    const deltas = await deltasAt(one)
    await until('the other node holds all', async () => (await deltasAt(two)) === deltas)
    expect((await runRhizome(wordsOf(bordering), two)).out).toMatch(/Switzerland/)
    expect((await runRhizome(wordsOf(reached), two)).out).toMatch(/Mongolia/)
    expect(await runRhizome(wordsOf(importing), one)).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(`^0 records[^]*${countries} records had nothing new`),
    })
    expect(await deltasAt(one)).toBe(deltas)
  }, 60_000)
})

/** Stands in for the SDK's `openNode`: the same, in the folder, on loopback and without multicast. */
const NODES_AT_HOME = `
import * as sdk from '${SDK}'
export const openNode = (options) => sdk.openNode({
  home: process.env.RHIZOME_HOME,
  network: { mdns: false, registry: false, listen: ['/ip4/127.0.0.1/tcp/0'] },
  ...options,
})
`

const FOLLOWING = 'npx rhizome-node tail'
const NEVER = /^(?!)/

function pageAt(path: string): Page {
  return { path, blocks: fencedBlocks(readFileSync(join(ROOT, path), 'utf8')) }
}

/** For each `console.log` in order what the comment beside or below it says; undefined where there is none. */
function expectations(sample: string): readonly (string | undefined)[] {
  const lines = sample.split('\n')
  return lines.flatMap((line, index) => {
    if (!line.startsWith('console.log(')) return []
    const comment = / \/\/ (.*)$/.exec(line) ?? /^\/\/ → (.*)$/.exec(lines[index + 1] ?? '')
    return [comment?.[1]]
  })
}

/** Goes on until it is stopped. */
function isFollower(sample: string): boolean {
  return /for await .*\.deltas\(\)/.test(sample)
}

function commandsOf(heading: string): readonly string[] {
  return readme.blocks
    .filter((block) => block.heading === heading && block.language === '')
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => /^(npx|curl) /.test(line))
}

function isAboutSecrets(line: string): boolean {
  return line.includes('--secret') || line.includes('invite')
}

/** The words behind `npx rhizome-node`. */
function wordsOf(line: string): readonly string[] {
  const [npx, name, ...words] = shellWords(line)
  expect([npx, name]).toEqual(['npx', 'rhizome-node'])
  return words
}

function shellWords(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

function curlOf(line: string) {
  const words = shellWords(line).slice(1)
  const headers: Record<string, string> = {}
  let method = 'GET'
  let path = ''
  let body: string | undefined
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word.startsWith('http://')) path = word.replace(/^http:\/\/[^/]*/, '')
    else if (word === '-X') method = words[++index] ?? ''
    else if (word === '-d') body = words[++index]
    else if (word === '-H') {
      const [name = '', value = ''] = (words[++index] ?? '').split(': ')
      headers[name] = value
    } else throw new Error(`this test does not know what ${word} tells curl`)
  }
  return { method: body !== undefined && method === 'GET' ? 'POST' : method, path, headers, body }
}

async function deltasAt(at: CommandOptions): Promise<number> {
  const { out } = await runRhizome(['status', '--json'], at)
  const { namespaces } = JSON.parse(out) as {
    readonly namespaces: readonly { readonly counts: { readonly deltas: number } }[]
  }
  return namespaces[0]?.counts.deltas ?? 0
}
