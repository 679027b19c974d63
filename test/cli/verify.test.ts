/** `export --proof` on a machine with a node, `verify` on one with nothing. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { Command, type CommandOptions } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere as run } from './here.ts'

const BIN = fileURLToPath(new URL('../../src/bin.ts', import.meta.url))
const GOLDENS = fileURLToPath(new URL('../../fixtures/proof-0/', import.meta.url))

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  return { directory, home: join(directory, 'home') }
}

describe('a proof of a record', () => {
  it('goes to a file or to stdout, and is verified where nothing is', async () => {
    const at = await place()
    await run(['put', 'user/alice', 'name=Alice', 'age:=3', '--topic', 'users'], at)
    const exported = await run(['export', '--proof', 'user/alice', '--out', './alice.proof'], at)
    expect(exported).toMatchObject({ exitCode: 0, out: '' })
    expect(exported.err).toContain('proof of user/alice in users written; check it anywhere:\n')
    const text = await readFile(join(at.directory, 'alice.proof'), 'utf8')

    const empty = await place()
    const { exitCode, out, err } = await run(['verify', '-'], empty, text)
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toMatch(/^user\/alice in users\n/)
    expect(out).toMatch(/Proven: 2 claims, by 1 creator; all signatures are good\.\n {2}12D3KooW\w+ {2}2 claims\n/)
    expect(out).toMatch(/age := 3\n {4}the last claim that stands\n {2}name = Alice\n/)
    expect(out).toMatch(/Not proven: that there is nothing else\. It is the signed word of\n {2}12D3KooW/)
    expect(out).toMatch(/in 1 log of the namespace, frontier [0-9a-f]{64}\.\nWhose keys these are/)
    expect(await readdir(empty.directory)).toEqual([])

    const one = await run(['export', '--proof', 'user/alice', '--property', 'age'], at)
    const report = await run(['verify', '-', '--json'], empty, one.out)
    expect(JSON.parse(report.out)).toMatchObject({
      entity: 'user/alice',
      property: 'age',
      deltas: [{ pointers: [{ target: 'user/alice', targetContext: 'age' }, { target: 3 }] }],
      values: [{ property: 'age', stated: { value: 3 }, computed: { value: 3 }, verdict: 'equal' }],
      completeness: { frontier: { logsCount: 1 } },
    })
  })

  it('of a context and of a moment says so', async () => {
    const at = await place()
    await run(['put', 'user/alice', 'age:=3', '--topic', 'users'], at)
    await run(['put', 'context/own', 'definition:={"negations":"author","semantics":1}'], at)
    const words = ['--context', 'own', '--as-of', '2100-01-01']
    const { out } = await run(['export', '--proof', 'user/alice', ...words], at)
    const report = await run(['verify', '-'], at, out)
    expect(report.out).toMatch(/in users\n {2}as seen in the context own\n {2}as of 2100-01-01T00:00:00\.000Z\n/)
  })

  it('of a long value says its beginning', async () => {
    const at = await place()
    await run(['put', 'user/alice', `about=${'x'.repeat(1_000)}`, '--topic', 'users'], at)
    const { out } = await run(['export', '--proof', 'user/alice'], at)
    expect((await run(['verify', '-'], at, out)).out).toMatch(/about = x{400}… \(1,000 characters\)\n/)
    expect((await run(['verify', '-', '--json'], at, out)).out).toContain('x'.repeat(1_000))
  })

  it('tells of a fork, of rules and of negations', async () => {
    const text = await readFile(join(GOLDENS, 'entity.json'), 'utf8')
    const { out } = await run(['verify', '-'], await place(), text)
    expect(out).toMatch(/Proven: \d claims, \d negations, 2 definitions of rules, by 3 creators/)
    expect(out).toMatch(/The log 12D3KooW\w+\/[0-9a-f]{32} has forked: from block 2 on it is void/)
    expect(out).toMatch(/label = Ann, 3\n {4}by the rule resolver\/label of 12D3KooW/)
  })
})

describe('is refused:', () => {
  it.each([
    [['export', '--proof', 'user/bob', '--topic', 'users'], 3, 'RZ_HTTP_NOT_FOUND'],
    [['export', '--property', 'x', '--topic', 'users'], 2, 'RZ_CLI_USAGE'],
    [['export', '--proof', 'a/b', '--collection', 'a', '--topic', 'users'], 2, 'RZ_CLI_USAGE'],
    [['export', '--proof', '', '--topic', 'users'], 2, 'RZ_CLI_USAGE'],
    [['export', '--proof', 'user/alice', '--out', './no/such/folder', '--topic', 'users'], 1, 'RZ_CLI_INPUT'],
    [['verify', './nothing'], 1, 'RZ_CLI_INPUT'],
    [['verify', '-'], 6, 'RZ_PROOF_FORMAT'],
    [['verify', '-', '--topic', 'users'], 2, 'RZ_CLI_USAGE'],
  ])('%j', async (words, exitCode, code) => {
    const at = await place()
    await run(['put', 'user/alice', 'age:=3', '--topic', 'users'], at)
    const ended = await run(words, at)
    expect(ended).toMatchObject({ exitCode, out: '', err: expect.stringContaining(`error ${code}: `) as string })
  })

  it('a proof in which something was changed', async () => {
    const text = await readFile(join(GOLDENS, 'property.json'), 'utf8')
    const ended = await run(['verify', '-'], await place(), text.replace('Ann', 'Eve'))
    expect(ended).toMatchObject({
      exitCode: 6,
      out: '',
      err: expect.stringContaining('error RZ_PROOF_FORMAT') as string,
    })
  })
})

describe('a file that means harm is refused with a code, in little memory:', () => {
  const object = (count: number) => `{${Array.from({ length: count }, (_, n) => `"${n.toString(36)}":0`).join(',')}}`
  const cases: readonly (readonly [string, () => string])[] = [
    ['nested without end', () => '['.repeat(16_000_000)],
    ['many empty things', () => `{"format":"rhizome-proof/0","chains":[${'{},'.repeat(500_000)}{}]}`],
    ['many keys', () => object(900_000)],
    ['many empty texts', () => `[${'"",'.repeat(1_000_000)}""]`],
    ['one long text', () => JSON.stringify('x'.repeat(16_000_000))],
    ['larger than any', () => ' '.repeat(40_000_000)],
  ]
  it.each(cases)('%s', async (_, make) => {
    const at = await place()
    await writeFile(join(at.directory, 'file'), make())
    const command = new Command(['--max-old-space-size=256', BIN, 'verify', 'file'], at)
    const { exitCode, err } = await command.finished()
    expect(err).toMatch(/^error RZ_PROOF_(FORMAT|TOO_LARGE): /)
    expect([1, 6]).toContain(exitCode)
  })
})
