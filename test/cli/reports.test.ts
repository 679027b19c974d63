/** What somebody sees who watches a node: the banner word for word, each event once, deltas gathered, statuses settled. */
import { describe, expect, it } from 'vitest'

import { bannerLines, type BannerOptions, type Facts } from '../../src/cli/banner.ts'
import { type LineContext, reportLines } from '../../src/cli/report-lines.ts'
import type { Report, SyncStatus } from '../../src/cli/report.ts'
import { Reports } from '../../src/cli/reports.ts'
import type { NodeEvent } from '../../src/node/events.ts'

const plain = (_style: string, text: string) => text
const id = '12D3KooWGRUUVFWXjeRGB42yBJLRQ1iRRYmDmNGrGfjuwE6oEw45'
const other = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X'

const facts: Facts = {
  version: '1.2.3',
  name: 'carol-laptop',
  peerId: id,
  addresses: [`/ip4/192.168.1.5/tcp/4000/p2p/${id}`],
  topics: [{ name: 'users', deltas: 1204 }],
  access: 'open',
  mdns: true,
  directory: '/h/carol/.local/share/rhizome/nodes/users',
  isKeeper: false,
  isRelay: false,
  http: ['http://127.0.0.1:3000'],
  token: { kind: 'none' },
  notices: [],
}
const banner = (changes: Partial<Facts> = {}, options: Partial<BannerOptions> = {}) =>
  bannerLines({ ...facts, ...changes }, { style: plain, home: '/h/carol', flags: '', columns: 80, ...options })

describe('the banner', () => {
  it('says who, where, what, who can read and write it, where it lies and how to pin that', () => {
    expect(banner().join('\n')).toBe(`rhizome-node 1.2.3

  node    carol-laptop
          ${id}
  at      192.168.1.5:4000
  holds   users  1,204 deltas
          open: anyone on this network who types the same can read and write it
  data    ~/.local/share/rhizome/nodes/users  (--data <this> pins it)
  http    http://127.0.0.1:3000/api/docs

  Ctrl-C stops. In another terminal: npx rhizome-node put user/alice name=Alice
`)
  })

  it('says of a node with a secret, in memory, without HTTP, with several topics, what holds there', () => {
    const text = banner({
      access: 'secret',
      directory: undefined,
      http: [],
      isKeeper: true,
      topics: [
        { name: 'users', deltas: 1 },
        { name: 'a', deltas: 12_345 },
      ],
      notices: ['settings are taken from /h/x/rhizome.config.json'],
    })
    expect(text.slice(5)).toEqual([
      '  holds   users  1 delta',
      '          a      12,345 deltas',
      '          closed: only nodes with the same secret can read and write it',
      '          a keeper: it writes nothing of its own',
      '  data    in memory: nothing is kept, the identity included',
      '  http    off',
      '  note    settings are taken from /h/x/rhizome.config.json',
      '',
      '  Ctrl-C stops.',
      '',
    ])
    expect(banner({ http: [] }).join()).toContain('off: commands still reach this node')
    expect(banner({ isKeeper: true }).join()).toContain('In another terminal: npx rhizome-node status')
    expect(banner({ isRelay: true }).join()).toContain('a relay: it carries for others what it cannot read')
  })

  it('says who can reach a node that listens on this machine alone, or does without mDNS', () => {
    expect(banner({ addresses: ['/ip4/127.0.0.1/tcp/4000'] })[6]).toContain('anyone on this machine')
    expect(banner({ mdns: false })[6]).toContain('anyone who can reach this address')
  })

  it('shows a token where nobody could look it up, and else how to get one', () => {
    const http = ['http://192.168.1.5:3000']
    expect(banner({ http, token: { kind: 'stored' } }).join()).toContain(
      'needs a token: npx rhizome-node token makes and shows one',
    )
    expect(banner({ http, token: { kind: 'shown', token: 'rz_x' } }).join()).toContain('needs the token rz_x')
    expect(banner({ token: { kind: 'given' } }).join()).toContain('needs the token that it was started with')
  })

  it('stays short whatever it holds', () => {
    const topics = Array.from({ length: 64 }, (_, index) => ({ name: `t${index}`, deltas: 0 }))
    const addresses = topics.map((_, index) => `/ip4/10.0.0.${index}/tcp/4000`)
    expect(banner({ topics, addresses }).length).toBeLessThanOrEqual(24)
    expect(banner({ topics }).join('\n')).toContain('and 57 more: npx rhizome-node status')
  })

  it('breaks between words on a narrow screen, and leaves whole what is copied', () => {
    const narrow = banner({}, { columns: 60, flags: ' --topic users' })
    expect(narrow.slice(2, 7)).toEqual([
      '  node    carol-laptop',
      `          ${id}`,
      '  at      192.168.1.5:4000',
      '  holds   users  1,204 deltas',
      '          open: anyone on this network who types the same',
    ])
    expect(narrow.slice(-3)).toEqual([
      '  Ctrl-C stops. In another terminal:',
      '    npx rhizome-node put user/alice name=Alice --topic users',
      '',
    ])
  })

  it('fits in 80 columns, and shows a name from outside without obeying it', () => {
    expect(banner().filter((line) => line.length > 80)).toEqual([])
    expect(banner({ name: '\u001B[2J' }).join()).not.toContain('\u001B')
  })
})

/** A node of which one says what it is asked, and the reports of it. */
function watch() {
  const told: Report[] = []
  const names = new Map<string, string>()
  const strangers = new Set<string>()
  let status: SyncStatus = { kind: 'alone' }
  const reports = new Reports(
    {
      nameOf: (peer) => names.get(peer),
      addressOf: () => undefined,
      sharesTopic: (peer) => !strangers.has(peer),
      isGiven: (given) => given === '/dns/given/tcp/4000',
      statuses: () => [{ topic: 'users', status }],
      deltasOf: () => 99,
    },
    (report) => told.push(report),
  )
  return {
    names,
    strangers,
    reports,
    become: (next: SyncStatus) => {
      status = next
    },
    taken: () => told.splice(0),
    network: (event: Extract<NodeEvent, { kind: 'network' }>['event'], nowMs: number) =>
      reports.hear({ kind: 'network', event }, nowMs),
    replication: (event: object, nowMs: number) =>
      reports.hear(
        { kind: 'replication', namespace: 'users', event: { namespace: 'x', ...event } } as NodeEvent,
        nowMs,
      ),
  }
}

const address = '/ip4/10.0.0.2/tcp/4000'
const peers = [other] as Extract<SyncStatus, { kind: 'in-sync' }>['peers']

describe('a peer', () => {
  it('is told with its name as soon as that is known', () => {
    const { network, reports, names, taken } = watch()
    network({ kind: 'connected', peer: other, address }, 0)
    reports.tick(250)
    expect(taken()).toEqual([])
    names.set(other, 'bob')
    reports.tick(500)
    reports.tick(750)
    expect(taken()).toEqual([{ event: 'connected', peer: other, address, name: 'bob' }])
  })

  it('is told without a name when none comes', () => {
    const { network, reports, taken } = watch()
    network({ kind: 'connected', peer: other, address }, 0)
    reports.tick(0)
    reports.tick(1_000)
    expect(taken()).toEqual([{ event: 'connected', peer: other, address }])
  })

  it('that leaves is told with its name, unless nobody knew that it had come', () => {
    const { network, reports, names, taken } = watch()
    network({ kind: 'connected', peer: other, address }, 0)
    network({ kind: 'disconnected', peer: other }, 10)
    reports.tick(2_000)
    expect(taken()).toEqual([])
    network({ kind: 'connected', peer: other, address }, 3_000)
    names.set(other, 'bob')
    reports.tick(5_000)
    names.clear()
    network({ kind: 'disconnected', peer: other }, 6_000)
    expect(taken()).toEqual([
      { event: 'connected', peer: other, name: 'bob', address },
      { event: 'disconnected', peer: other, name: 'bob' },
    ])
  })
})

describe('deltas', () => {
  const received = (deltas: number, from = other) => ({ kind: 'received', from, via: 'gossip', blocks: 1, deltas })

  it('are gathered: one line a second however many come', () => {
    const { replication, reports, taken } = watch()
    for (let ms = 0; ms < 5_000; ms += 10) {
      replication(received(3), ms)
      if (ms % 250 === 0) reports.tick(ms)
    }
    reports.flush(5_000)
    const lines = taken().filter((report) => report.event === 'deltas')
    expect(lines.length).toBeLessThanOrEqual(6)
    expect(lines.reduce((sum, line) => sum + line.received, 0)).toBe(1_500)
    expect(lines[0]).toEqual({ event: 'deltas', topic: 'users', received: 3, from: [{ peer: other }], total: 99 })
  })

  it('that come after a pause are told at once', () => {
    const { replication, reports, taken } = watch()
    replication(received(1), 0)
    reports.tick(10)
    expect(taken()).toHaveLength(1)
    replication(received(1), 20_000)
    reports.tick(20_010)
    expect(taken()).toHaveLength(1)
  })

  it('that nobody was told of are told at the end', () => {
    const { replication, reports, taken } = watch()
    replication(received(2), 0)
    reports.flush(1)
    reports.flush(2)
    expect(taken()).toHaveLength(1)
  })
})

describe('the sync status', () => {
  it('is told when it changes, and once', () => {
    const { become, reports, taken } = watch()
    reports.tick(0)
    become({ kind: 'in-sync', peers, asOfMs: 0 })
    for (const nowMs of [250, 500, 750]) reports.tick(nowMs)
    become({ kind: 'in-sync', peers, asOfMs: 800 })
    reports.tick(1_000)
    expect(taken()).toEqual([
      { event: 'sync', topic: 'users', status: { kind: 'in-sync', peers, asOfMs: 0 }, peers: [{ peer: other }] },
    ])
  })

  it('that lasts a moment, as behind does while blocks come in, is not told', () => {
    const { become, reports, taken } = watch()
    become({ kind: 'in-sync', peers, asOfMs: 0 })
    reports.tick(0)
    taken()
    for (let ms = 250; ms < 10_000; ms += 500) {
      become({ kind: 'behind', blocks: 1, peers })
      reports.tick(ms)
      become({ kind: 'in-sync', peers, asOfMs: ms })
      reports.tick(ms + 250)
    }
    expect(taken()).toEqual([])
  })

  it('behind is told when it lasts, and in sync again at once', () => {
    const { become, reports, taken } = watch()
    become({ kind: 'in-sync', peers, asOfMs: 0 })
    reports.tick(0)
    become({ kind: 'behind', blocks: 7, peers })
    for (const nowMs of [250, 1_000, 2_000, 3_000]) reports.tick(nowMs)
    become({ kind: 'in-sync', peers, asOfMs: 3_000 })
    reports.tick(3_250)
    const statuses = taken().map((report) => (report.event === 'sync' ? report.status.kind : report.event))
    expect(statuses).toEqual(['in-sync', 'behind', 'in-sync'])
  })

  it('in sync with one more is told, with one less is not', () => {
    const { become, reports, taken } = watch()
    become({ kind: 'in-sync', peers: [...peers, id], asOfMs: 0 })
    reports.tick(0)
    become({ kind: 'in-sync', peers, asOfMs: 0 })
    reports.tick(250)
    expect(taken()).toHaveLength(1)
  })
})

describe('an address that cannot be reached', () => {
  const failed = (where: string, code: 'unreachable' | 'self' | 'other' | 'secret-mismatch' = 'unreachable') =>
    ({ kind: 'dial-failed', address: where, code, message: 'no' }) as const
  const given = '/dns/given/tcp/4000'
  const found = { kind: 'discovered', peer: other, addresses: [address], by: 'mdns' } as const

  it('that the user gave is told at once, then ever more rarely, and at once again after it was reached', () => {
    const { network, taken } = watch()
    const toldAt: number[] = []
    for (let minute = 0; minute < 300; minute++) {
      network(failed(given), minute * 60_000)
      if (taken().length > 0) toldAt.push(minute)
    }
    expect(toldAt).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
    network({ kind: 'connected', peer: other, address: `${given}/p2p/${other}` }, 18_000_001)
    network(failed(given), 18_000_002)
    expect(taken()).toEqual([{ event: 'dial-failed', address: given, given: true, code: 'unreachable', message: 'no' }])
  })

  it('where a peer was found is told once, if it never answered for a while', () => {
    const { network, taken } = watch()
    network(found, 0)
    network(failed(address), 0)
    network(failed(address), 29_999)
    expect(taken()).toEqual([])
    for (const nowMs of [60_000, 120_000, 600_000]) network(failed(address), nowMs)
    expect(taken()).toEqual([{ event: 'dial-failed', address, given: false, code: 'unreachable', message: 'no' }])
  })

  it('is not told of this node, of a peer that left, of one with another secret, of another one there, of hearsay', () => {
    const { network, taken } = watch()
    const hour = (about: () => void) => {
      for (const nowMs of [0, 60_000, 3_600_000]) network(failed(address), nowMs)
      about()
      for (const nowMs of [3_660_000, 3_720_000, 7_200_000]) network(failed(address), nowMs)
      return taken()
    }
    expect(hour(() => {})).toEqual([])
    for (const code of ['self', 'other'] as const) {
      const second = watch()
      second.network(found, 0)
      second.network(failed(address, code), 0)
      for (const nowMs of [60_000, 120_000]) second.network(failed(address), nowMs)
      expect(second.taken()).toEqual([])
    }
    const closed = watch()
    closed.network(found, 0)
    closed.network(failed(address, 'secret-mismatch'), 0)
    for (const nowMs of [60_000, 120_000]) closed.network(failed(address), nowMs)
    expect(closed.taken()).toEqual([])
    const left = watch()
    left.network(found, 0)
    left.network({ kind: 'connected', peer: other, address: '/ip4/10.0.0.2/tcp/51234' }, 0)
    left.network({ kind: 'disconnected', peer: other }, 0)
    for (const nowMs of [60_000, 120_000]) left.network(failed(address), nowMs)
    expect(left.taken()).toEqual([])
  })

  it('for want of the right secret is told when the user gave it, and is why one is alone', () => {
    const { network, reports, taken } = watch()
    network(failed(given), 0)
    expect(taken()).toMatchObject([{ event: 'dial-failed' }])
    network(failed(given, 'secret-mismatch'), 0)
    network(failed(given, 'secret-mismatch'), 1)
    network({ kind: 'alone', interfaces: [], queriesSent: 1, answersHeard: 1 }, 10_000)
    reports.tick(20_000)
    expect(taken()).toEqual([{ event: 'wrong-secret', address: given, given: true, message: 'no' }])
  })
})

describe('a node with another secret that is near', () => {
  const stranger = (host: string) =>
    ({ kind: 'dial-failed', address: `/ip4/${host}/tcp/4000`, code: 'secret-mismatch', message: 'no' }) as const

  it('is told of once a host, and only to one who is alone for a while', () => {
    const { network, reports, become, taken } = watch()
    become({ kind: 'in-sync', peers, asOfMs: 0 })
    network(stranger('10.0.0.2'), 0)
    network({ ...stranger('10.0.0.2'), address: '/ip4/10.0.0.2/tcp/51234' }, 0)
    for (let ms = 0; ms < 60_000; ms += 250) reports.tick(ms)
    expect(taken()).toMatchObject([{ event: 'sync' }])
    become({ kind: 'alone' })
    for (let ms = 60_000; ms < 90_000; ms += 250) reports.tick(ms)
    network(stranger('10.0.0.2'), 90_000)
    reports.tick(90_250)
    expect(taken()).toEqual([
      { event: 'sync', topic: 'users', status: { kind: 'alone' }, peers: [] },
      { event: 'wrong-secret', address: '/ip4/10.0.0.2/tcp/4000', given: false, message: 'no' },
    ])
  })

  it('does not fill the screen when there are many', () => {
    const { network, reports, taken } = watch()
    reports.tick(0)
    for (let host = 1; host < 200; host++) network(stranger(`10.0.0.${host}`), 0)
    for (let ms = 0; ms < 60_000; ms += 250) reports.tick(ms)
    expect(taken()).toHaveLength(4)
  })
})

describe('a peer that shares no topic', () => {
  it('is neither told to come nor to go, and no company: the topic is told to be nobody’s, once', () => {
    const { network, reports, strangers, taken } = watch()
    strangers.add(other)
    reports.tick(0)
    network({ kind: 'connected', peer: other, address }, 250)
    for (let ms = 250; ms < 60_000; ms += 250) reports.tick(ms)
    network({ kind: 'disconnected', peer: other }, 60_000)
    expect(taken()).toEqual([{ event: 'unshared', topic: 'users', connected: 1 }])
    network({ kind: 'alone', interfaces: [], queriesSent: 1, answersHeard: 1 }, 70_000)
    expect(taken()).toMatchObject([{ event: 'alone' }])
  })

  it('is told to come as soon as it does share one', () => {
    const { network, reports, strangers, become, taken } = watch()
    strangers.add(other)
    network({ kind: 'connected', peer: other, address }, 0)
    for (let ms = 0; ms < 9_000; ms += 250) reports.tick(ms)
    strangers.clear()
    become({ kind: 'in-sync', peers, asOfMs: 0 })
    for (let ms = 9_000; ms < 60_000; ms += 250) reports.tick(ms)
    expect(taken()).toMatchObject([{ event: 'sync' }, { event: 'connected', peer: other }])
  })
})

it('the account of being alone is told once, while nobody ever came', () => {
  const alone = { kind: 'alone', interfaces: ['eth0'], queriesSent: 3, answersHeard: 0 } as const
  const first = watch()
  first.network(alone, 10_000)
  first.network(alone, 30_000)
  expect(first.taken()).toEqual([{ event: 'alone', interfaces: ['eth0'], queriesSent: 3, answersHeard: 0 }])
  const { network, reports, taken } = watch()
  network({ kind: 'connected', peer: other, address }, 1_000)
  reports.tick(1_250)
  network({ kind: 'disconnected', peer: other }, 1_500)
  network(alone, 30_000)
  expect(taken()).toEqual([])
})

it('the same complaint about the same peer is told once a minute', () => {
  const { replication, taken } = watch()
  for (let ms = 0; ms < 120_000; ms += 1_000) {
    replication({ kind: 'sync-failed', peer: other, code: 'RZ_NET_STREAM_CLOSED', why: 'it broke' }, ms)
    replication({ kind: 'clock-off', peer: other, offsetMs: 400_000 }, ms)
    replication({ kind: 'store-refused', code: 'RZ_STORE_FULL', why: 'no room' }, ms)
  }
  expect(taken()).toHaveLength(6)
})

describe('a line', () => {
  const context: LineContext = {
    style: plain,
    addresses: () => ['/ip4/127.0.0.1/tcp/4001', `/ip4/192.168.1.5/tcp/4001/p2p/${id}`],
    topics: ['users', 'posts'],
    isClosed: false,
    isAmbiguous: (name) => name === 'twin',
    mdns: true,
  }
  const status = { kind: 'in-sync', peers, asOfMs: 0 } as const
  const bob = { peer: other, name: 'bob' }
  const cases: readonly [report: Report, lines: readonly string[]][] = [
    [{ event: 'connected', ...bob, address }, ['+ bob connected  10.0.0.2:4000']],
    [{ event: 'connected', peer: other, address }, ['+ …ft9HyQ6X connected  10.0.0.2:4000']],
    [
      { event: 'connected', ...bob, address: `/ip4/5.6.7.8/tcp/4000/p2p/${id}/p2p-circuit/p2p/${other}` },
      ['+ bob connected  relay 5.6.7.8:4000'],
    ],
    [{ event: 'direct', ...bob, address: '/ip4/9.8.7.6/tcp/31000' }, ['+ bob connected directly  9.8.7.6:31000']],
    [
      { event: 'relay', address: `/ip4/5.6.7.8/tcp/4000/p2p/${id}`, reserved: true },
      ['● can be reached through the relay at 5.6.7.8:4000: npx rhizome-node invite'],
    ],
    [
      { event: 'relay', address: `/ip4/5.6.7.8/tcp/4000/p2p/${id}`, reserved: false },
      ['! the relay at 5.6.7.8:4000 is gone; trying again'],
    ],
    [{ event: 'disconnected', ...bob }, ['- bob disconnected']],
    [{ event: 'disconnected', peer: other, name: 'twin' }, ['- twin …ft9HyQ6X disconnected']],
    [
      { event: 'dial-failed', address, given: true, code: 'unreachable', message: 'nobody answers there (connect E)' },
      ['! cannot reach 10.0.0.2:4000: nobody answers there; trying again'],
    ],
    [
      { event: 'dial-failed', address, given: false, code: 'unreachable', message: 'nobody answers there (connect E)' },
      [
        '! a node was found at 10.0.0.2:4000, and nobody answers there: perhaps a firewall; trying on, without further words',
      ],
    ],
    [
      { event: 'unshared', topic: 'zoo', connected: 1 },
      ['○ zoo: nobody here holds it; the node connected shares other topics. Is it typed the same there?'],
    ],
    [
      { event: 'unshared', topic: 'zoo', connected: 2 },
      ['○ zoo: nobody here holds it; the 2 nodes connected share other topics. Is it typed the same there?'],
    ],
    [
      { event: 'deltas', topic: 'users', received: 1204, from: [bob, { peer: id }], total: 1210 },
      ['↓ users: 1,204 deltas from bob and …wE6oEw45, 1,210 now'],
    ],
    [{ event: 'sync', topic: 'users', status, peers: [bob] }, ['● users: in sync with bob']],
    [
      { event: 'sync', topic: 'users', status, peers: ['a', 'b', 'c', 'd'].map((name) => ({ peer: other, name })) },
      ['● users: in sync with a, b and 2 others'],
    ],
    [
      { event: 'sync', topic: 'users', status: { kind: 'behind', blocks: 1, peers }, peers: [bob] },
      ['○ users: behind by 1 block of bob'],
    ],
    [
      { event: 'sync', topic: 'users', status: { kind: 'alone' }, peers: [] },
      ['○ users: alone; nobody who holds it is connected'],
    ],
    [
      { event: 'alone', interfaces: ['eth0 192.168.1.5'], queriesSent: 3, answersHeard: 0 },
      [
        '○ alone so far: asked 3 times by mDNS on eth0 192.168.1.5, heard nobody. On the other machine type:',
        '  npx rhizome-node --topic users --topic posts --peer 192.168.1.5:4001',
      ],
    ],
    [
      { event: 'wrong-secret', address, given: true, message: 'it has another secret' },
      [
        '! wrong secret: 10.0.0.2:4000 has one and this node none, or is no rhizome node; ' +
          'give --secret, or join by the line that npx rhizome-node invite prints there',
      ],
    ],
    [
      { event: 'wrong-secret', address, given: false, message: 'it has another secret' },
      [
        '○ a node with another secret, or none, is near, at 10.0.0.2 (ignored); if it should share this, ' +
          'join by the line that npx rhizome-node invite prints there',
      ],
    ],
    [
      { event: 'wrong-secret', address: '/ip4/192.168.1.5/tcp/40298', given: false, message: 'no' },
      [
        '○ a node with another secret, or none, is on this machine (ignored); if it should share this, ' +
          'join by the line that npx rhizome-node invite prints there',
      ],
    ],
    [
      {
        event: 'sync-failed',
        topic: 'users',
        ...bob,
        code: 'RZ_NET_DIAL_FAILED',
        why: 'cannot open /rhizome/sync/1 to 12D3Koo: the operation was aborted due to timeout',
      },
      ['! users: sync with bob broke off: no answer from there; it goes on at the next contact'],
    ],
    [
      { event: 'clock', ...bob, offsetMs: 420_000 },
      ['! clocks differ: bob is 7 min ahead of this machine; set the one that is wrong'],
    ],
    [
      { event: 'log-renewed', topic: 'users', why: 'a peer holds more of it' },
      ['! users: writing goes on in a new log: a peer holds more of it; nothing is lost'],
    ],
    [
      { event: 'function-skipped', topic: 'users', name: 'f', delta: 'b/0', code: 'RZ_FUNCTION_DEPTH', why: 'a loop' },
      ['! users: the function f gave up on b/0: a loop (RZ_FUNCTION_DEPTH)'],
    ],
    [
      { event: 'function-stopped', topic: 'users', name: 'f', code: 'RZ_FUNCTION_FAILED', why: '\u001B[2J' },
      ['! users: the function f has stopped: \\u001b[2J (RZ_FUNCTION_FAILED)'],
    ],
    [
      { event: 'rejected', topic: 'users', peer: other, name: '\u001B[2Jx', code: 'RZ_SIGNATURE_INVALID', why: 'no' },
      ['! users: refused what \\u001b[2Jx sent: no (RZ_SIGNATURE_INVALID)'],
    ],
  ]
  for (const [report, lines] of cases) {
    it(`tells ${lines[0] ?? ''}`, () => expect(reportLines(report, context)).toEqual(lines))
  }

  it('for a closed node asks for the same secret, and says of a node on loopback that it is one', () => {
    const closed = {
      ...context,
      isClosed: true,
      mdns: false,
      addresses: () => ['/ip4/127.0.0.1/tcp/4001'],
      topics: ['a'],
    }
    const alone: Report = { event: 'alone', interfaces: [], queriesSent: 0, answersHeard: 0 }
    expect(reportLines(alone, closed)).toEqual([
      '○ alone so far: mDNS is off here (--no-mdns). It listens on this machine alone; here type:',
      '  npx rhizome-node --topic a --peer 127.0.0.1:4001 --secret <the same>',
    ])
  })
})
