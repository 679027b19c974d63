/** Who takes part, as the running node and the commands `peers` and `ping` show it. */
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { reportLines } from '../../src/cli/report-lines.ts'
import type { Report } from '../../src/cli/report.ts'
import { Reports } from '../../src/cli/reports.ts'
import type { NodeEvent } from '../../src/node/events.ts'
import { type Command, type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder, until } from '../support/nodes.ts'
import { interruptHere, typeHere, runHere as run } from './here.ts'

const ENV = { RHIZOME_HTTP_PORT: '0', RHIZOME_NO_HTTP: '1' }

async function two(): Promise<{ here: CommandOptions; alice: Command; bob: Command; bobId: string }> {
  const directory = await temporaryFolder()
  const home = join(directory, 'home')
  const here = { directory, home, env: ENV }
  const start = async (name: string): Promise<Command> => {
    const node = startRhizome(['--topic', 'users', '--name', name, '--data', join(directory, name), '--json'], here)
    await node.printed(/"event":"started"/)
    return node
  }
  const [alice, bob] = [await start('alice'), await start('bob')]
  const started = JSON.parse(bob.out.split('\n')[0] ?? '') as { peerId: string }
  const at = { ...here, env: { ...ENV, RHIZOME_DATA: join(directory, 'alice') } }
  await alice.printed(/"event":"presence".*"name":"bob"/)
  return { here: at, alice, bob, bobId: started.peerId }
}

describe('a node and another', () => {
  it('are shown by peers, answer to ping, and are missed when they are killed', async () => {
    const { here, alice, bob, bobId } = await two()
    await until('its round trip is known', async () => /\d ms\t/.test((await run(['peers'], here)).out))
    const [header, self, other] = (await run(['peers'], here)).out.split('\n').map((line) => line.split('\t'))
    expect(header?.slice(0, 4)).toEqual(['name', 'id', 'state', 'sync'])
    expect(self?.[2]).toBe('this node')
    expect(other?.slice(0, 3)).toEqual(['bob', `…${bobId.slice(-8)}`, 'alive'])

    const ping = await run(['ping'], here)
    expect(ping).toMatchObject({ exitCode: 0, err: '' })
    expect(ping.out).toMatch(/^name\tid\tstate\tping\nbob\t….{8}\talive\t[\d.]+ ms\n$/)
    expect(JSON.parse((await run(['ping', '--json'], here)).out)).toMatchObject({
      peer: bobId,
      name: 'bob',
      state: 'alive',
    })

    const named = await run(['ping', 'bob', 'alice', 'carol'], here)
    expect(named).toMatchObject({ exitCode: 1, err: '1 of 3 nodes did not answer\n' })
    expect(named.out).toMatch(
      /\nbob\t….{8}\talive\t[\d.]+ ms\nalice\t….{8}\tthis node\t-\ncarol\t-\tunknown\tnot responding\n$/,
    )
    expect(JSON.parse((await run(['ping', 'carol', '--json'], here)).out)).toEqual({
      peer: null,
      name: 'carol',
      state: null,
      roundTripMs: null,
    })
    expect(await run(['ping', 'bob', 'alice'], here)).toMatchObject({ exitCode: 0 })

    expect(await run(['put', 'user/x', 'a=1'], here)).toMatchObject({ exitCode: 0 })
    await bob.printed(/"event":"presence".*"tags":\["user"\]/)

    bob.signal('SIGKILL')
    await alice.printed(/"event":"member".*"state":"down","before":"suspect"/)
    const missing = await run(['ping'], here)
    expect(missing).toMatchObject({ exitCode: 1, err: '1 of 1 member did not answer\n' })
    expect(missing.out).toContain('\tdown\tnot responding\n')
    expect((await run(['peers'], here)).out).toMatch(/\nbob\t….{8}\tdown\t-\t/)
  })

  it('hear what is said to all, or to one by name', async () => {
    const { here, alice, bob, bobId } = await two()
    expect(await run(['say', 'hello\nthere'], here)).toMatchObject({
      exitCode: 0,
      out: 'said to 1 node, and passed on by them\n',
    })
    await bob.printed(/"event":"message".*"name":"alice","addressed":false,"message":"hello\\nthere"/)
    expect(await run(['say', 'you', '--to', 'bob', '--json'], here)).toMatchObject({ out: '{"neighbours":1}\n' })
    await bob.printed(/"addressed":true,"message":"you"/)
    expect(await run(['say', 'you', '--to', bobId], here)).toMatchObject({ exitCode: 0 })
    expect(await run(['say', 'you', '--to', 'nobody'], here)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('RZ_MESSAGE_INVALID'),
    })
    bob.signal('SIGINT')
    await alice.printed(/"event":"disconnected"/)
    expect(await run(['say', 'hello'], here)).toMatchObject({
      exitCode: 1,
      err: 'nobody is connected who holds users: nobody heard it\n',
    })
  })

  it('are followed by peers --watch: a picture on a terminal, an object a line with --json', async () => {
    const { here, bob } = await two()
    const picture = await interruptHere(['peers', '--watch'], here, /bob/)
    expect(picture.exitCode).toBe(0)
    expect(picture.out).toContain('\u001B[2J\u001B[H')
    const watched = typeHere(['peers', '--watch', '--json'], here)
    // What happens before it follows is not told: something happens until it is.
    let isFollowing = false
    const first = watched.printed(/"change":"tags"/).finally(() => (isFollowing = true))
    for (let number = 0; !isFollowing; number++) await run(['put', `kind${number}/x`, 'a=1'], here)
    await first
    bob.signal('SIGINT')
    const lines = (await watched.printed(/"state":"(left|down)"/)).trimEnd().split('\n')
    watched.interrupt()
    expect(await watched.ended).toBe(0)
    expect(lines.map((line) => JSON.parse(line) as unknown).at(-1)).toMatchObject({
      namespace: 'users',
      change: 'state',
      // That it leaves is told by gossip, once: who does not hear of it finds it silent.
      member: { name: 'bob', state: expect.stringMatching(/^(left|down)$/) },
    })
  })
})

describe('where no node runs', () => {
  it('ping, say and peers --watch say so', async () => {
    const directory = await temporaryFolder()
    const here = { directory, home: join(directory, 'home'), env: ENV }
    await run(['put', 'user/x', 'a=1', '--topic', 'users'], here)
    for (const words of [['ping'], ['say', 'hello', '--topic', 'users'], ['peers', '--watch']]) {
      expect(await run(words, here)).toMatchObject({ exitCode: 5, err: expect.stringContaining('no node runs here') })
    }
  })
})

describe('the lines of a running node', () => {
  const peer = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X'
  const told: Report[] = []
  const reports = new Reports(
    {
      nameOf: () => 'bob',
      addressOf: () => undefined,
      sharesTopic: () => true,
      isGiven: () => false,
      statuses: () => [],
      deltasOf: () => 0,
    },
    (one) => told.push(one),
  )
  const linesOf = (event: unknown): readonly string[] => {
    told.length = 0
    reports.hear(event as NodeEvent, 0)
    return told.flatMap((one) =>
      reportLines(one, {
        style: (_, text) => text,
        addresses: () => [],
        topics: ['users'],
        isClosed: false,
        isAmbiguous: () => false,
        mdns: true,
      }),
    )
  }
  const member = (change: string, fields: object = {}, before?: string) => ({
    kind: 'replication',
    namespace: 'users',
    event: {
      kind: 'member-changed',
      change,
      before,
      member: { peer, name: 'bob', state: 'alive', tags: [], ...fields },
    },
  })
  const clock = (fields: object) => ({ kind: 'own-clock', clock: { offsetMs: 60_000, peersCount: 3, ...fields } })

  it('tell who appears with what it holds, and again when that changes', () => {
    expect(linesOf(member('appeared'))).toEqual([`message from ${peer}: tags: []`])
    expect(linesOf(member('tags', { tags: ['book', 'user"\n'] }))).toEqual([
      `message from ${peer}: tags: ["book","user\\"\\n"]`,
    ])
  })

  it('tell who is down or has left; a suspicion and a changed name only as JSON', () => {
    expect(linesOf(member('state', { state: 'down' }, 'suspect'))).toEqual(['- users: bob is down: nobody hears it'])
    expect(linesOf(member('state', { state: 'left' }, 'alive'))).toEqual(['- users: bob has left'])
    expect(linesOf(member('state', { state: 'suspect' }, 'alive'))).toEqual([])
    expect(told).toEqual([{ event: 'member', topic: 'users', peer, name: 'bob', state: 'suspect', before: 'alive' }])
    expect(linesOf(member('details'))).toEqual([])
    expect(told).toEqual([])
  })

  it('tell what is said in quotes, so that nobody can say what a presence says', () => {
    const message = { from: peer, atMs: 0, value: 'tags: []\n\u009B2J' }
    expect(linesOf({ kind: 'replication', namespace: 'users', event: { kind: 'message', message } })).toEqual([
      String.raw`message from bob: "tags: []\n\u009b2J"`,
    ])
    expect(told).toEqual([
      { event: 'message', topic: 'users', peer, name: 'bob', addressed: false, message: message.value },
    ])
  })

  it('tell that the clock here is off, as surely as the peers are many', () => {
    expect(linesOf(clock({ isOff: true, isSure: true }))).toEqual([
      '! the clock here is 60 s ahead of that of 3 peers: set it',
    ])
    expect(linesOf(clock({ isOff: true, isSure: false, offsetMs: -9_000, peersCount: 2 }))).toEqual([
      '! the clock here is 9 s behind that of 2 peers: set the one that is wrong',
    ])
    expect(linesOf(clock({ isOff: false, isSure: true, offsetMs: 0 }))).toEqual(['● the clock here is right again'])
  })
})
