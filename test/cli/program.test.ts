/** What was typed, taken apart: flags where they belong, help that fits on a screen, slips with the nearest right word. */
import { describe, expect, it } from 'vitest'

import { COMMANDS } from '../../src/cli/commands.ts'
import { parseArguments } from '../../src/cli/program.ts'
import { flagOf, SETTINGS } from '../../src/cli/settings.ts'

const helpOf = (...argv: string[]): string => {
  const parsed = parseArguments([...argv, '--help'])
  return parsed.kind === 'help' ? parsed.text : ''
}

describe('--help', () => {
  const lines = helpOf().split('\n')

  it('fits on a screen of 80 columns', () => {
    expect(lines.length).toBeGreaterThanOrEqual(24)
    expect(lines.length).toBeLessThanOrEqual(50)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
  })

  it('is what help says, too, of all and of one command', () => {
    for (const argv of [['help'], ['help', 'put']]) {
      const parsed = parseArguments(argv)
      expect(parsed).toEqual({ kind: 'help', text: helpOf(...argv.slice(1)) })
    }
  })

  it('names every flag and every command', () => {
    const text = lines.join('\n')
    const words = [
      '--help',
      '--version',
      ...SETTINGS.map(({ key }) => flagOf(key)),
      ...COMMANDS.map(({ name }) => name),
    ]
    expect(words.filter((word) => !text.includes(word))).toEqual([])
  })

  for (const { name, examples } of COMMANDS) {
    it(`of ${name} fits, with examples and exit codes`, () => {
      const text = helpOf(name)
      expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
      expect(text.split('\n').length).toBeLessThanOrEqual(50)
      for (const example of examples) expect(text).toContain(example)
      expect(text).toMatch(/Exit codes:\n {2}0 {2}done\n {2}1 /)
    })
  }
})

describe('flags', () => {
  it('of a run are taken as typed, lists gathered', () => {
    const argv = ['--topic', 'a', '--topic=b', '--no-mdns', '--memory', '--http-port', '0', '--peer', 'x:1,y:2']
    const flags = { topic: ['a', 'b'], noMdns: true, memory: true, httpPort: '0', peer: ['x:1,y:2'] }
    expect(parseArguments(argv)).toEqual({ kind: 'run', flags })
  })

  it('that were not typed are not there', () => expect(parseArguments([])).toEqual({ kind: 'run', flags: {} }))

  it('that switch have an inverse each', () => {
    const argv = ['--mdns', '--no-memory', '--http', '--no-keep', '--no-json', '--no-verbose']
    const flags = { noMdns: false, memory: false, noHttp: false, keep: false, json: false, verbose: false }
    expect(parseArguments(argv)).toEqual({ kind: 'run', flags })
  })

  it('of a command may stand before or behind it', () => {
    for (const argv of [
      ['get', 'a/b', '--json'],
      ['--json', 'get', 'a/b'],
      ['get', '--json', 'a/b'],
    ]) {
      expect(parseArguments(argv)).toMatchObject({ kind: 'command', words: ['a/b'], flags: { json: true } })
    }
  })

  it('of a command come apart from the settings', () => {
    const parsed = parseArguments(['import', 'x.csv', '--into', 'city', '--id', 'code', '--topic', 't'])
    expect(parsed).toMatchObject({ words: ['x.csv'], options: { into: 'city', id: 'code' }, flags: { topic: ['t'] } })
  })

  it('--version asks for the version', () => {
    for (const flag of ['--version', '-V', '-v']) expect(parseArguments([flag])).toEqual({ kind: 'version' })
  })
})

describe('a slip is RZ_CLI_USAGE and is told with what was meant:', () => {
  const cases: readonly [argv: readonly string[], message: string][] = [
    [['--topc', 'a'], 'unknown flag --topc; did you mean --topic?'],
    [['--htp-port=1'], 'unknown flag --htp-port; did you mean --http-port?'],
    [['get', 'a/b', '--jsn'], 'unknown flag --jsn; did you mean --json?'],
    [['--xyzzyxyzzy'], 'unknown flag --xyzzyxyzzy; see npx rhizome-node --help'],
    [['put', 'a/b', 'c=d', '--http-port', '1'], '--http-port has no meaning here; see npx rhizome-node put --help'],
    [['--memory', 'get', 'a/b'], '--memory has no meaning here; see npx rhizome-node get --help'],
    [['pt', 'a/b'], 'unknown command pt; did you mean put?'],
    [['improt'], 'unknown command improt; did you mean import?'],
    [['users'], 'unknown command users; to share a topic of that name: --topic users'],
    [['diff', 'user/a', 'age'], 'diff takes <record>, and "age" is one word too many; such as: npx rhizome-node diff'],
    [['status', 'now'], 'status takes no words, and "now" is one word too many'],
    [['get'], "missing required argument 'record'; see npx rhizome-node get --help"],
    [['ids', 'a', 'b'], 'ids takes [collection], and "b" is one word too many; such as: npx rhizome-node ids'],
    [['--topic'], "option '--topic <name>' argument missing; see npx rhizome-node --help"],
  ]
  for (const [argv, message] of cases) {
    it(`as in ${argv.join(' ')}`, () => {
      let thrown: unknown
      try {
        parseArguments(argv)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ code: 'RZ_CLI_USAGE', message: expect.stringContaining(message) as string })
    })
  }
})
