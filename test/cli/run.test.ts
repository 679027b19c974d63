/** A node as a person starts it, in processes of its own: what it says, whom it finds, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, onTestFinished } from 'vitest'

import { answers } from '../../src/cli/control.ts'
import { withoutPeer } from '../../src/cli/paths.ts'
import { type Command, type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder, until } from '../support/nodes.ts'
import { interruptHere, runHere } from './here.ts'

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  return { directory, home: join(directory, 'home') }
}

function start(words: readonly string[], at: CommandOptions): Command {
  return startRhizome(['--topic', 'users', '--http-port', '0', ...words], at)
}

/** The first event of that name, of a node that prints JSON. */
async function event(node: Command, name: string): Promise<Record<string, unknown>> {
  const [line = ''] = await node.printed(new RegExp(`^.*"event":"${name}".*$`, 'm'))
  return JSON.parse(line) as Record<string, unknown>
}

describe('a node', () => {
  it('says in NDJSON what it says in words', async () => {
    const at = await place()
    const node = start(['--json', '--name', 'alice', '--peer', '127.0.0.1:1'], at)
    expect(await event(node, 'started')).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      event: 'started',
      version: expect.any(String) as string,
      name: 'alice',
      peerId: expect.stringMatching(/^12D3KooW/) as string,
      addresses: [expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3KooW/) as string],
      topics: [{ name: 'users', deltas: 0 }],
      access: 'open',
      mdns: false,
      isKeeper: false,
      isRelay: false,
      http: [expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string],
      token: { kind: 'none' },
      notices: [],
      directory: join(at.home, 'nodes', 'users'),
    })
    expect(await event(node, 'dial-failed')).toMatchObject({ address: '/ip4/127.0.0.1/tcp/1', code: 'unreachable' })
    const { exitCode, out, err } = await node.interrupt()
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    const lines = out.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown).at(-1)).toMatchObject({ event: 'stopped', deltas: 0 })
  })

  it('started twice by the same words is two nodes, which find each other and exchange what is written', async () => {
    const at = await place()
    const words = ['--topic', 'users', '--json']
    const first = startRhizome(words, at)
    const one = await event(first, 'started')
    const second = startRhizome(words, at)
    const two = await event(second, 'started')
    expect([one['directory'], two['directory']]).toEqual(
      ['users', 'users-2'].map((name) => join(at.home, 'nodes', name)),
    )
    expect(one['http']).not.toEqual(two['http'])
    expect(await event(first, 'connected')).toMatchObject({
      peer: two['peerId'],
      name: two['name'],
      address: withoutPeer((two['addresses'] as string[])[0] ?? ''),
    })
    expect(await event(second, 'sync')).toMatchObject({
      topic: 'users',
      status: { kind: 'in-sync', peers: [one['peerId']] },
    })
    const data = (node: Record<string, unknown>) => ['--data', node['directory'] as string]
    expect(await runHere(['put', 'user/alice', 'name=Alice', ...data(one)], at)).toMatchObject({ exitCode: 0 })
    expect(await event(second, 'deltas')).toMatchObject({
      topic: 'users',
      received: 1,
      total: 1,
      from: [{ peer: one['peerId'] }],
    })
    expect(await runHere(['get', 'user/alice', ...data(two)], at)).toMatchObject({ out: 'name=Alice\n' })
    await second.interrupt()
    expect(await event(first, 'disconnected')).toMatchObject({ peer: two['peerId'], name: two['name'] })
    expect((await first.interrupt()).out).toContain('"event":"stopped","deltas":1')
  })

  it('dials the peer that it was told, without any discovery', async () => {
    const [here, there] = [await place(), await place()]
    const first = start(['--name', 'alice'], here)
    const [, address = ''] = await first.printed(/at +(127\.0\.0\.1:\d+)/)
    const second = start(['--memory', '--name', 'bob', '--peer', address], there)
    await first.printed(/\+ bob connected/)
    await second.printed(/● users: in sync with alice/)
    expect(second.out).toContain('in memory: nothing is kept')
    const { exitCode, out } = await second.interrupt()
    expect({ exitCode, last: out.trimEnd().split('\n').at(-1) }).toEqual({
      exitCode: 0,
      last: expect.stringMatching(/^\d\d:\d\d:\d\d {2}stopped; nothing is kept$/) as string,
    })
    expect(existsSync(there.home)).toBe(false)
  })
})

describe('an invitation', () => {
  it('is all that a colleague types, secret included; without the secret nobody comes in, and is told why', async () => {
    const [here, there, elsewhere] = [await place(), await place(), await place()]
    const first = start(['--secret', 'correct horse', '--name', 'alice'], here)
    const [, address = ''] = await first.printed(/at +(127\.0\.0\.1:\d+)/)
    expect(first.out).toContain('closed: only nodes with the same secret can read and write it')
    const { out: line, err } = await runHere(['invite'], here)
    expect(err).toContain('Your colleague types: npx rhizome-node join <this line>')
    expect(err).toContain('The secret is in it')
    const second = startRhizome(['join', line.trim(), '--name', 'bob', '--http-port', '0'], there)
    await second.printed(/● users: in sync with alice/)
    const third = start(['--peer', address], elsewhere)
    await third.printed(/! wrong secret: 127\.0\.0\.1:\d+ has one and this node none, .* give --secret, or join /)
    await first.interrupt()
    expect(await runHere(['invite'], here)).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('does not run') as string,
    })
    await third.interrupt()
    await second.interrupt()
  })
})

describe('a token that is given', () => {
  it('is asked for on loopback as well, counts alone, and is shown nowhere', async () => {
    const at = await place()
    const given = 'rz_given-by-whoever-started-it'
    const node = start(['--json'], { ...at, env: { RHIZOME_HTTP_TOKEN: given } })
    const { http, token } = await event(node, 'started')
    expect(token).toEqual({ kind: 'given' })
    const { out: made } = await runHere(['token'], at)
    const statusWith = async (bearer: string) => {
      const answer = await fetch(`${String((http as string[])[0])}/api/status`, {
        headers: { authorization: `Bearer ${bearer}` },
      })
      return answer.status
    }
    expect([await statusWith(given), await statusWith(made.trim()), await statusWith('rz_other')]).toEqual([
      200, 401, 401,
    ])
    expect(await runHere(['status'], at)).toMatchObject({ exitCode: 0 })
    const { out, err } = await node.interrupt()
    expect(out + err).not.toContain(given)
  })
})

describe('data that was shared under a secret', () => {
  it('is not shown to others by a start that forgets the secret', async () => {
    const at = await place()
    const closed = start(['--secret', 'correct horse', '--json'], at)
    const { directory } = await event(closed, 'started')
    expect(await runHere(['put', 'user/alice', 'name=Alice'], at)).toMatchObject({ exitCode: 0 })
    await closed.interrupt()
    for (const words of [[], ['--secret', 'battery staple']]) {
      const { exitCode, err } = await runHere(['--topic', 'users', '--data', String(directory), ...words], at)
      expect({ exitCode, err }).toEqual({
        exitCode: 1,
        err: expect.stringMatching(/^error RZ_NODE_SECRET_DIFFERS: /) as string,
      })
    }
    const open = start([], at)
    await open.printed(/holds +users {2}0 deltas[^]*note +.*users holds users under a --secret[^]*Ctrl-C stops/)
    await open.interrupt()
    expect(await runHere(['get', 'user/alice', '--data', String(directory)], at)).toMatchObject({ out: 'name=Alice\n' })
    const again = start(['--secret', 'correct horse'], at)
    await again.printed(/holds +users {2}1 delta\n/)
    await again.interrupt()
  })
})

describe('repair', () => {
  it('says what is damaged, keeps it, and fetches from a peer what is missing', async () => {
    const at = await place()
    const [first, second] = [start(['--json'], at), start(['--json'], at)]
    const { directory } = await event(first, 'started')
    const other = ['--data', String((await event(second, 'started'))['directory'])]
    for (const id of ['a', 'b', 'c']) await runHere(['put', `user/${id}`, 'n:=1', '--data', String(directory)], at)
    await until('the other has them', async () => (await runHere(['ids', 'user', ...other], at)).out === 'a\nb\nc\n')
    await first.interrupt()
    const mine = ['--data', String(directory)]
    expect((await runHere(['repair', ...mine], at)).out).toMatch(/^nothing is damaged in .*: 3 blocks are whole\n$/)
    expect(await runHere(['repair', ...other], at)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('RZ_STORE_LOCKED') as string,
    })
    const log = join(String(directory), 'store', 'log.db')
    const bytes = await readFile(log)
    bytes[bytes.indexOf('user/b') + 5] = 0x7a
    await writeFile(log, bytes)
    const { exitCode, out } = await runHere(['repair', ...mine], at)
    expect(out).toMatch(
      /^damaged: row 2: .*; it was block 1 of log 12D3KooW.*\n2 blocks are whole, 1 of them is set aside\n/,
    )
    expect({ exitCode, end: out.trimEnd().split('\n').at(-1) }).toEqual({
      exitCode: 0,
      end: '2 deltas fetched from peers',
    })
    expect(await runHere(['ids', 'user', ...mine], at)).toMatchObject({ out: 'a\nb\nc\n' })
    await second.interrupt()
  })
})

describe('what is taken and was asked for', () => {
  it('is an error that says so: port, HTTP port, directory', async () => {
    const at = await place()
    const holder = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void holder.close())
    await once(holder, 'listening')
    const { port } = holder.address() as { port: number }
    const node = start(['--data', join(at.directory, 'mine')], at)
    await node.printed(/Ctrl-C stops/)
    const cases: readonly [words: readonly string[], message: RegExp][] = [
      [['--listen', `127.0.0.1:${port}`], new RegExp(`^error RZ_NET_PORT_TAKEN: .*${port}`)],
      [['--http-port', String(port)], new RegExp(`^error RZ_HTTP_PORT_TAKEN: port ${port} `)],
      [['--data', join(at.directory, 'mine')], /^error RZ_STORE_LOCKED: /],
    ]
    for (const [words, message] of cases) {
      const { exitCode, out, err } = await runHere(['--topic', 'users', ...words], at)
      expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
      expect(err).toMatch(message)
    }
    await node.interrupt()
  })
})

/** A node by its process, for those who send it signals. */
async function spawned(at: CommandOptions) {
  const bin = fileURLToPath(new URL('../../src/bin.ts', import.meta.url))
  const words = ['--topic', 'users', '--no-mdns', '--listen', '127.0.0.1:0', '--http-port', '0']
  const child = spawn(process.execPath, [bin, ...words], { env: { PATH: process.env['PATH'], RHIZOME_HOME: at.home } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  await until('the node runs', () => said.out.includes('Ctrl-C stops'))
  return { child, said, ended: once(child, 'close') }
}

describe('on a terminal', () => {
  it('the last line stands below the ^C that the terminal wrote', async () => {
    const words = ['--topic', 'users', '--memory', '--no-http']
    const { exitCode, out, err } = await interruptHere(words, await place(), /Ctrl-C stops/)
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '\n' })
    expect(out).toMatch(/stopped; nothing is kept\n$/)
  })

  it('tail says what it waits for, and how to see what is there', async () => {
    const at = await place()
    const node = start(['--no-http'], at)
    await node.printed(/Ctrl-C stops/)
    const { exitCode, out, err } = await interruptHere(['tail'], at, /following/)
    expect({ exitCode, out, err }).toEqual({
      exitCode: 0,
      out: '',
      err: 'following users from now on; --all shows what is there, too; Ctrl-C stops\n\n',
    })
    await node.interrupt()
  })
})

describe('a node ends', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`by ${signal}, with a last line, and leaves nothing behind that says it runs`, async () => {
      const at = await place()
      const { child, said, ended } = await spawned(at)
      child.kill(signal)
      expect(await ended).toEqual([0, null])
      expect(said).toEqual({
        out: expect.stringMatching(/\n\d\d:\d\d:\d\d {2}stopped; 0 deltas in .*users\n$/) as string,
        err: '',
      })
      const directory = join(at.home, 'nodes', 'users')
      expect(['node.sock', 'running.json'].filter((name) => existsSync(join(directory, name)))).toEqual([])
    })
  }

  it('at once by a second Ctrl-C, though a request is still being answered', async () => {
    const at = await place()
    const { child, said, ended } = await spawned(at)
    const socketPath = join(at.home, 'nodes', 'users', 'node.sock')
    const headers = { 'content-type': 'application/x-ndjson' }
    const path = '/api/ns/users/collections/user/import'
    const endless = request({ socketPath, path, method: 'POST', headers })
    endless.on('error', () => {})
    endless.write('{"id":"a","properties":{"n":1}}\n')
    await until('the node reads it', async () => (await runHere(['get', 'user/a'], at)).exitCode === 0)
    child.kill('SIGINT')
    await until('it takes no more requests', async () => !(await answers(socketPath)))
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    expect(said.out).not.toContain('stopped')
  })

  it('when nobody reads what it prints any more', async () => {
    const at = await place()
    const { child, said, ended } = await spawned(at)
    child.stdout.destroy()
    const other = await spawned(at)
    expect(await ended).toEqual([0, null])
    expect(said.err).toBe('')
    other.child.kill('SIGINT')
    await other.ended
  })
})
