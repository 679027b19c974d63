/** Settings from flags, environment and file: precedence, names that nobody knows, the original's names, forms of values. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import { type ConfigSources, type Flags, readConfig } from '../../src/cli/config.ts'
import { flagOf, inverseFlagOf, type Setting, SETTINGS, variableOf } from '../../src/cli/settings.ts'

const made: string[] = []
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true })
})

function directoryWith(files: Record<string, string> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'rhizome-config-'))
  made.push(directory)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

const empty = directoryWith()
const tokens = directoryWith({
  'typed.txt': 'of-a-file-that-is-typed\n',
  'file.txt': 'of-the-file-of-settings==',
  'short.txt': 'too-short',
})
const config = (sources: Partial<ConfigSources> & { file?: unknown }) => {
  const { file, ...rest } = sources
  const text = typeof file === 'string' ? file : JSON.stringify(file)
  const directory = file === undefined ? empty : directoryWith({ 'rhizome.config.json': text })
  return readConfig({ flags: {}, env: {}, directory, ...rest })
}
const codeOf = (sources: Parameters<typeof config>[0]): { code?: unknown; message?: string } => {
  try {
    config(sources)
    return {}
  } catch (error) {
    return error as { code?: unknown; message?: string }
  }
}

describe('a setting', () => {
  /** For each setting its flag's value, its variable's and its key's, and what is read of each. */
  const samples: Record<
    string,
    { flag: Flags[keyof Flags]; variable: string; file: unknown; read: string; values: unknown[] }
  > = {
    topic: { flag: ['a'], variable: 'b', file: ['c'], read: 'topics', values: [['a'], ['b'], ['c'], []] },
    peer: { flag: ['a'], variable: 'b', file: ['c'], read: 'peers', values: [['a'], ['b'], ['c'], []] },
    seed: { flag: ['a'], variable: 'b', file: ['c'], read: 'seeds', values: [['a'], ['b'], ['c'], []] },
    via: { flag: ['a'], variable: 'b', file: ['c'], read: 'via', values: [['a'], ['b'], ['c'], []] },
    relay: { flag: true, variable: 'no', file: true, read: 'relay', values: [true, false, true, false] },
    dht: { flag: true, variable: 'no', file: true, read: 'dht', values: [true, false, true, false] },
    upnp: { flag: true, variable: 'no', file: true, read: 'upnp', values: [true, false, true, false] },
    secret: { flag: 'a', variable: 'b', file: 'c', read: 'secret', values: ['a', 'b', 'c', undefined] },
    name: { flag: 'a', variable: 'b', file: 'c', read: 'name', values: ['a', 'b', 'c', undefined] },
    listen: {
      flag: ['1'],
      variable: '2',
      file: 3,
      read: 'listen',
      values: [['/ip4/0.0.0.0/tcp/1'], ['/ip4/0.0.0.0/tcp/2'], ['/ip4/0.0.0.0/tcp/3'], undefined],
    },
    announce: { flag: ['a'], variable: 'b', file: ['c'], read: 'announce', values: [['a'], ['b'], ['c'], []] },
    noMdns: { flag: false, variable: 'true', file: false, read: 'mdns', values: [true, false, true, true] },
    data: { flag: 'a', variable: 'b', file: 'c', read: 'data', values: ['a', 'b', 'c', undefined] },
    memory: { flag: true, variable: '0', file: true, read: 'memory', values: [true, false, true, false] },
    keep: { flag: false, variable: 'yes', file: false, read: 'keep', values: [false, true, false, false] },
    functions: { flag: true, variable: 'no', file: true, read: 'functions', values: [true, false, true, false] },
    context: { flag: 'a', variable: 'b', file: '', read: 'context', values: ['a', 'b', '', undefined] },
    durability: {
      flag: 'full',
      variable: 'normal',
      file: 'full',
      read: 'durability',
      values: ['full', 'normal', 'full', 'normal'],
    },
    members: {
      flag: ['p', 'q'],
      variable: 'r,s',
      file: ['t'],
      read: 'members',
      values: [['p', 'q'], ['r', 's'], ['t'], undefined],
    },
    detector: {
      flag: 'wan',
      variable: 'local',
      file: 'off',
      read: 'detector',
      values: ['wan', 'local', 'off', 'lan'],
    },
    httpPort: { flag: '1', variable: '2', file: 3, read: 'httpPort', values: [1, 2, 3, undefined] },
    httpHost: { flag: 'a', variable: 'b', file: 'c', read: 'httpHost', values: ['a', 'b', 'c', '127.0.0.1'] },
    httpToken: {
      flag: join(tokens, 'typed.txt'),
      variable: 'of-the-variable-1',
      file: join(tokens, 'file.txt'),
      read: 'httpToken',
      values: ['of-a-file-that-is-typed', 'of-the-variable-1', 'of-the-file-of-settings==', undefined],
    },
    textPort: { flag: '1', variable: '2', file: 3, read: 'textPort', values: [1, 2, 3, undefined] },
    textHost: { flag: 'a', variable: 'b', file: 'c', read: 'textHost', values: ['a', 'b', 'c', '127.0.0.1'] },
    allowHost: { flag: ['a'], variable: 'b', file: 'c', read: 'allowHosts', values: [['a'], ['b'], ['c'], []] },
    allowOrigin: { flag: ['a'], variable: 'b', file: 'c', read: 'allowOrigins', values: [['a'], ['b'], ['c'], []] },
    noHttp: { flag: true, variable: 'off', file: true, read: 'http', values: [false, true, false, true] },
    json: { flag: true, variable: 'no', file: true, read: 'json', values: [true, false, true, false] },
    verbose: { flag: true, variable: 'no', file: true, read: 'verbose', values: [true, false, true, false] },
  }

  for (const { key } of SETTINGS) {
    it(`${key} is taken from its flag, else its variable, else the file, else its default`, () => {
      const sample = samples[key]
      if (sample === undefined) throw new Error(`${key} has no sample`)
      const flags = { [key]: sample.flag } as Flags
      const env = { [variableOf(key)]: sample.variable }
      const file = { [key]: sample.file }
      const read = [{ flags, env, file }, { env, file }, { file }, {}].map(
        (sources) => config(sources)[sample.read as keyof ReturnType<typeof config>],
      )
      expect(read).toEqual(sample.values)
    })
  }

  it('has names that follow from its key', () => {
    expect([flagOf('allowOrigin'), variableOf('allowOrigin')]).toEqual(['--allow-origin', 'RHIZOME_ALLOW_ORIGIN'])
    expect([inverseFlagOf('noMdns'), inverseFlagOf('memory')]).toEqual(['--mdns', '--no-memory'])
  })

  it('whose variable is empty is not given', () => {
    const env = Object.fromEntries((SETTINGS as readonly Setting[]).map(({ key }) => [variableOf(key), '']))
    expect(config({ env: { ...env, RHIZOME_HOME: '' } })).toEqual(config({}))
  })
})

describe("the original's variables", () => {
  it('RHIZOME_SEED_PEERS are peers', () => {
    const { peers } = config({ env: { RHIZOME_SEED_PEERS: 'localhost:4002, localhost:4004' } })
    expect(peers).toEqual(['localhost:4002', 'localhost:4004'])
  })

  it('RHIZOME_HTTP_API_PORT is the HTTP port', () => {
    expect(config({ env: { RHIZOME_HTTP_API_PORT: '3001' } }).httpPort).toBe(3001)
  })

  it('RHIZOME_REQUEST_BIND_PORT is the port to listen on', () => {
    expect(config({ env: { RHIZOME_REQUEST_BIND_PORT: '4002' } }).listen).toEqual(['/ip4/0.0.0.0/tcp/4002'])
  })

  it('RHIZOME_PEER_ID is the name', () => {
    expect(config({ env: { RHIZOME_PEER_ID: 'peer1' } }).name).toBe('peer1')
  })

  it('RHIZOME_PUB_SUB_TOPIC is a topic', () => {
    expect(config({ env: { RHIZOME_PUB_SUB_TOPIC: 'deltas-1' } }).topics).toEqual(['deltas-1'])
  })

  it('RHIZOME_PUBLISH_BIND_PORT is accepted with a notice', () => {
    const { notices } = config({ env: { RHIZOME_PUBLISH_BIND_PORT: '4001' } })
    expect(notices).toEqual([expect.stringContaining('RHIZOME_PUBLISH_BIND_PORT is not needed')])
  })

  it('give way, with a notice, to the variables of today', () => {
    const { name, notices } = config({ env: { RHIZOME_PEER_ID: 'old', RHIZOME_NAME: 'new' } })
    expect({ name, notices }).toEqual({
      name: 'new',
      notices: ['RHIZOME_PEER_ID is ignored: RHIZOME_NAME is given, too'],
    })
  })
})

describe('an unknown name', () => {
  const cases = [
    {
      title: 'variable',
      sources: { env: { RHIZOME_TOPICS: 'x' } },
      nearest: 'RHIZOME_TOPICS; did you mean RHIZOME_TOPIC?',
    },
    {
      title: 'variable of the original, mistyped',
      sources: { env: { RHIZOME_SEED_PEER: 'x' } },
      nearest: 'RHIZOME_SEED_PEERS?',
    },
    {
      title: 'key',
      sources: { file: { 'http-port': 1 } },
      nearest: '"http-port" in rhizome.config.json; did you mean httpPort?',
    },
    { title: 'key like no other', sources: { file: { qqqqqqqqqq: 1 } }, nearest: 'known are topic, peer,' },
  ]
  for (const { title, sources, nearest } of cases) {
    it(`is refused with the nearest known one: ${title}`, () => {
      expect(codeOf(sources)).toMatchObject({
        code: 'RZ_CLI_CONFIG',
        message: expect.stringContaining(nearest) as string,
      })
    })
  }

  it("outside RHIZOME_ is nobody's business", () => {
    expect(config({ env: { PATH: '/bin', RHIZOMES: '1' } })).toEqual(config({}))
  })
})

describe('a value of the wrong form is refused by the name under which it was given:', () => {
  const cases: readonly [string, Parameters<typeof config>[0], string][] = [
    ['a port that is no number', { flags: { httpPort: 'x' } }, '--http-port must be a port'],
    ['a port beyond 65535', { env: { RHIZOME_HTTP_PORT: '65536' } }, 'RHIZOME_HTTP_PORT must be a port'],
    ['a fraction as a port', { file: { httpPort: 1.5 } }, '"httpPort" in rhizome.config.json must be a port'],
    ['a negative port', { file: { httpPort: -1 } }, 'must be a port'],
    [
      'a switch that is neither true nor false',
      { env: { RHIZOME_MEMORY: 'maybe' } },
      'RHIZOME_MEMORY must be true or false',
    ],
    ['another durability', { flags: { durability: 'most' } }, '--durability must be normal or full'],
    ['another detector', { flags: { detector: 'moon' } }, '--detector must be one of lan, wan'],
    ['a list of numbers', { file: { topic: [1] } }, 'must be a text, or a list of texts'],
    ['a text that is a list', { file: { name: ['a'] } }, 'must be a text'],
    ['an empty text', { file: { name: ' ' } }, 'must be a text that is not empty'],
    [
      'a host name to listen on',
      { flags: { listen: ['example.org:1'] } },
      '--listen must be a port, ip:port or a multiaddr',
    ],
    ['a port to listen on beyond 65535', { flags: { listen: ['70000'] } }, '--listen must be'],
    [
      'a secret in a file that is not there',
      { flags: { secret: './none.key' } },
      '--secret: there is no file ./none.key',
    ],
    [
      'a token on the command line',
      { flags: { httpToken: 'rz_0123456789abcdef' } },
      '--http-token must be the name of a file: a token itself goes into RHIZOME_HTTP_TOKEN',
    ],
    [
      'a token in a file that is not there',
      { env: { RHIZOME_HTTP_TOKEN: '/none/token' } },
      'RHIZOME_HTTP_TOKEN: there is no file of that name',
    ],
    ['a short token', { env: { RHIZOME_HTTP_TOKEN: 'too-short' } }, 'RHIZOME_HTTP_TOKEN must hold a token of 16'],
    ['a short token in a file', { flags: { httpToken: join(tokens, 'short.txt') } }, '--http-token must hold a token'],
    ['a token of two words', { file: { httpToken: 'correct horse battery staple' } }, 'letters, digits and'],
    ['a file that is not JSON', { file: '{' }, 'is not JSON'],
    ['a file that holds a list', { file: '[]' }, 'must hold one JSON object'],
    ['a file beyond 64 KiB', { file: `{"name":"${'x'.repeat(66_000)}"}` }, 'at most 65536 are read'],
  ]
  for (const [title, sources, message] of cases) {
    it(title, () => {
      expect(codeOf(sources)).toMatchObject({
        code: 'RZ_CLI_CONFIG',
        message: expect.stringContaining(message) as string,
      })
    })
  }
})

describe('the address to listen on may be', () => {
  const forms = [
    ['4001', '/ip4/0.0.0.0/tcp/4001'],
    ['0', '/ip4/0.0.0.0/tcp/0'],
    ['127.0.0.1:0', '/ip4/127.0.0.1/tcp/0'],
    ['localhost:4001', '/ip4/127.0.0.1/tcp/4001'],
    ['[::1]:4001', '/ip6/::1/tcp/4001'],
    ['/ip4/10.0.0.1/tcp/4001', '/ip4/10.0.0.1/tcp/4001'],
  ] as const
  for (const [typed, address] of forms) {
    it(typed, () => expect(config({ flags: { listen: [typed] } }).listen).toEqual([address]))
  }
})

describe('the secret', () => {
  const directory = directoryWith({ 'team.key': 'correct horse\n', 'empty.key': '\n' })
  const secret = (text: string) => readConfig({ flags: { secret: text }, env: {}, directory }).secret

  it('is the text itself', () => expect(secret('battery staple')).toBe('battery staple'))
  it('is the content of a file of that name', () => expect(secret('team.key')).toBe('correct horse'))
  it('is the content of the file that a path names', () =>
    expect(secret(join(directory, 'team.key'))).toBe('correct horse'))
  it('is refused when the file is empty', () =>
    expect(() => secret('empty.key')).toThrow('the file empty.key is empty'))
})

describe('the configuration file', () => {
  it('is told of, so that nobody wonders', () => {
    expect(config({ file: { name: 'a' } }).notices).toEqual([
      expect.stringMatching(/^settings are taken from .*rhizome\.config\.json$/),
    ])
  })

  it('need not be there', () => expect(config({}).notices).toEqual([]))
})

it('lists take commas, and say nothing twice', () => {
  expect(config({ flags: { topic: ['a, b', 'b', ''] } }).topics).toEqual(['a', 'b'])
})
