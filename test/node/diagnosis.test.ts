/** Each check of `diagnose`: a case in which it passes, and each in which it does not. Real faults of networks: test/real-network. */
import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { describe, expect, it, onTestFinished } from 'vitest'
import { diagnose, type DiagnoseOptions, type Finding, openNode, type RunningNode } from '../../src/index.ts'
import { interfacesHere } from '../../src/net/interfaces.ts'
import { judgeSpace } from '../../src/node/diagnosis/disk.ts'
import { dropsInput, filtersInput, judgeFirewall, lookForFirewall } from '../../src/node/diagnosis/firewall.ts'
import { judgeInterfaces } from '../../src/node/diagnosis/interfaces.ts'
import { judgeMulticast } from '../../src/node/diagnosis/multicast.ts'
import { judgeNamespaces } from '../../src/node/diagnosis/namespaces.ts'
import { judgeClock, judgeVersion, NODE_NEEDED } from '../../src/node/diagnosis/own.ts'
import { judgeStep } from '../../src/node/diagnosis/peers.ts'
import { openTestNode, temporaryFolder, until } from '../support/nodes.ts'

const SELF = '12D3KooWBjKp3eK773zyfK1sYAGixppx7pJyAivCB5dh4Lzo5rDj'
const OTHER = '12D3KooWLc7zb5hjjqVpGKpZiKXUq3qppg8pY7KQGDvthHr5TzD2'

/** Never by multicast: this test runs where others are. */
async function findings(options: DiagnoseOptions): Promise<readonly Finding[]> {
  const found = await Array.fromAsync(
    diagnose({ mdns: false, listen: ['/ip4/127.0.0.1/tcp/0'], home: tmpdir(), ...options }),
  )
  return found
}
const foundOf = async (check: Finding['check'], options: DiagnoseOptions): Promise<readonly Finding[]> =>
  (await findings(options)).filter((finding) => finding.check === check)

async function nodeIn(folder: string, secret?: string): Promise<string> {
  const data = join(folder, 'node')
  await using node = await openNode({
    topics: ['users'],
    data,
    network: {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      registry: false,
      ...(secret === undefined ? {} : { secret }),
    },
  })
  await node.namespace('users').put('user', 'alice', { name: 'Alice' })
  return data
}

const networked = async (secret?: string) =>
  openTestNode({
    network: {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      registry: false,
      ...(secret === undefined ? {} : { secret }),
    },
  })

describe('the version of Node', () => {
  it('passes from the one that is needed on', () => {
    expect(judgeVersion(`${NODE_NEEDED}.0`)).toMatchObject({ verdict: 'pass' })
    expect(judgeVersion('99.0.0')).toMatchObject({ verdict: 'pass' })
    expect(judgeVersion('24.14.9')).toMatchObject({ verdict: 'fail', kind: 'node-version', needed: NODE_NEEDED })
  })
})

describe('the disk', () => {
  it('passes where it can be written, is warned of when it gets full, and fails when it is', async () => {
    const [finding] = await foundOf('disk', { data: join(await temporaryFolder(), 'not', 'yet') })
    expect(finding).toMatchObject({ kind: expect.stringMatching(/^disk-(good|low)$/) as string })
    const at = (freeBytes: number) => judgeSpace({ directory: '/x', freeBytes, syncMs: 1 })
    expect(at(2e9)).toMatchObject({ verdict: 'pass', kind: 'disk-good' })
    expect(at(9e8)).toMatchObject({ verdict: 'warn', kind: 'disk-low' })
    expect(at(1e7)).toMatchObject({ verdict: 'fail', kind: 'disk-low' })
  })

  it('fails where nothing can be written', async () => {
    expect(await foundOf('disk', { data: '/proc/1/nodes' })).toMatchObject([
      { verdict: 'fail', kind: 'disk-unwritable' },
    ])
  })
})

describe('the store', () => {
  it('passes when it is whole, also while a node has it open', async () => {
    const data = await nodeIn(await temporaryFolder())
    expect(await foundOf('store', { data })).toMatchObject([{ verdict: 'pass', kind: 'store-whole' }])
    await using node = await openNode({ topics: ['users'], data, network: false })
    expect(await foundOf('store', { data, running: running({ peerId: node.peerId }) })).toMatchObject([
      { kind: 'store-whole' },
    ])
  })

  it('fails when it is held by a process that does not answer', async () => {
    const data = await nodeIn(await temporaryFolder())
    await using node = await openNode({ topics: ['users'], data, network: false })
    expect(node.directory).toBe(data)
    expect(await foundOf('store', { data })).toMatchObject([{ verdict: 'fail', kind: 'store-held' }])
  })

  it('fails when it is damaged, or no store at all', async () => {
    const data = await nodeIn(await temporaryFolder())
    const path = join(data, 'store', 'log.db')
    await writeFile(path, 'no database '.repeat(1_000))
    expect(await foundOf('store', { data })).toMatchObject([{ verdict: 'fail', kind: 'store-damaged' }])
  })
})

describe('the identity', () => {
  it('passes when its file is its owner’s alone, and is warned of when others can read it', async () => {
    const data = await nodeIn(await temporaryFolder())
    const path = join(data, 'identities', 'default.json')
    expect(await foundOf('identity', { data })).toMatchObject([{ verdict: 'pass', kind: 'identity-good' }])
    await chmod(path, 0o644)
    expect(await foundOf('identity', { data })).toMatchObject([
      { verdict: 'warn', kind: 'identity-exposed', path, mode: '644' },
    ])
    await writeFile(path, '{}')
    expect(await foundOf('identity', { data })).toMatchObject([{ verdict: 'fail', kind: 'identity-unreadable' }])
    expect(await foundOf('identity', {})).toMatchObject([{ verdict: 'skip', kind: 'identity-none' }])
  })

  it('fails when another node answers under it; the node itself, asked by mistake, is only warned of', async () => {
    const data = await nodeIn(await temporaryFolder())
    const network = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, registry: false }
    await using node = await openNode({ topics: ['users'], data, network })
    const peers = node.addresses()
    const twins = (await foundOf('identity', { data, peers })).filter(({ kind }) => kind === 'identity-twin')
    expect(twins).toMatchObject([{ verdict: 'fail', peer: node.peerId }])
    const itself = running({ peerId: node.peerId, addresses: peers })
    expect((await foundOf('peer', { data, peers, running: itself })).at(-1)).toMatchObject({
      verdict: 'warn',
      kind: 'peer-self',
    })
  })
})

describe('the secret', () => {
  it('passes when it is that of the data, and fails when it is another or none', async () => {
    const data = await nodeIn(await temporaryFolder(), 'horse')
    expect(await foundOf('secret', { data, secret: 'horse' })).toMatchObject([
      { verdict: 'pass', kind: 'overlay-closed' },
    ])
    expect(await foundOf('secret', { data })).toMatchObject([
      { verdict: 'fail', kind: 'secret-differs', isGiven: false },
    ])
    expect(await foundOf('secret', { data, secret: 'cow' })).toMatchObject([{ verdict: 'fail', isGiven: true }])
    expect(await foundOf('secret', {})).toMatchObject([{ verdict: 'pass', kind: 'overlay-open' }])
  })
})

describe('the clock', () => {
  const at = (offsetMs: number, { peersCount = 3, isOff = true, isSure = true } = {}) =>
    judgeClock(running({ clock: { offsetMs, peersCount, isOff, isSure } }))

  it('passes by the clocks of peers, fails when it is surely off, and is warned of when it may be theirs', () => {
    expect(at(12, { isOff: false })).toMatchObject({ verdict: 'pass', kind: 'clock-good' })
    expect(at(7_200_000)).toMatchObject({ verdict: 'fail', kind: 'clock-off', offsetMs: 7_200_000 })
    expect(at(7_200_000, { isSure: false, peersCount: 2 })).toMatchObject({ verdict: 'warn', kind: 'clock-off' })
    const peer = { id: OTHER, connected: true, addresses: [], namespaces: [], clockOffsetMs: -7_200_000 }
    const clock = { offsetMs: 0, peersCount: 1, isOff: false, isSure: false }
    expect(judgeClock(running({ clock, peers: [peer] }))).toMatchObject({
      verdict: 'warn',
      kind: 'clock-differs',
      peer: OTHER,
    })
  })

  it('is skipped, and said so, when there is nothing to compare it with', () => {
    expect(judgeClock(undefined)).toMatchObject({ verdict: 'skip', kind: 'clock-alone' })
    expect(judgeClock(running({}))).toMatchObject({ verdict: 'skip', kind: 'clock-alone' })
  })
})

describe('the interfaces', () => {
  const here = (names: Record<string, string>) =>
    judgeInterfaces(
      interfacesHere(
        Object.fromEntries(
          Object.entries(names).map(([name, address]) => {
            const family = address.includes(':') ? ('IPv6' as const) : ('IPv4' as const)
            return [name, [{ address, family, internal: name === 'lo', netmask: '', mac: '', cidr: null, scopeid: 0 }]]
          }),
        ),
      ),
    )

  it.each([
    ['pass', 'interfaces-good', { lo: '127.0.0.1', eth0: '192.168.1.5', docker0: '172.17.0.1' }],
    ['warn', 'interfaces-loopback', { lo: '127.0.0.1' }],
    ['warn', 'interfaces-loopback', { lo: '127.0.0.1', eth0: 'fe80::1' }],
    ['warn', 'interfaces-virtual', { lo: '127.0.0.1', docker0: '172.17.0.1', wg0: '10.8.0.2' }],
    ['warn', 'interfaces-no-ipv4', { lo: '127.0.0.1', eth0: '2001:db8::5' }],
  ])('%s as %s', (verdict, kind, names) =>
    expect(here(names as Record<string, string>)).toMatchObject({ verdict, kind }),
  )
})

describe('the port', () => {
  it('passes when it is free', async () => {
    expect(await foundOf('port', { listen: ['/ip4/127.0.0.1/tcp/0'] })).toMatchObject([
      { verdict: 'pass', kind: 'port-free' },
    ])
  })

  it('fails when it was asked for and a node or a program holds it', async () => {
    const node = await networked()
    const port = /\/tcp\/(\d+)/.exec(node.addresses()[0] ?? '')?.[1] ?? ''
    const taken = { verdict: 'fail', kind: 'port-taken', isGiven: true }
    expect(await foundOf('port', { listen: [`/ip4/127.0.0.1/tcp/${port}`] })).toMatchObject([
      { ...taken, holder: 'node' },
    ])
    const program = createServer((socket) => socket.on('error', () => {}).end('hello\n')).listen(0, '127.0.0.1')
    onTestFinished(() => void program.close())
    await once(program, 'listening')
    const { port: held } = program.address() as { port: number }
    expect(await foundOf('port', { listen: [`/ip4/127.0.0.1/tcp/${held}`] })).toMatchObject([
      { ...taken, holder: 'unknown' },
    ])
  })

  it('fails when the address is not this machine’s', async () => {
    const listen = ['/ip4/203.0.113.9/tcp/4000']
    expect(await foundOf('port', { listen })).toMatchObject([
      { verdict: 'fail', kind: 'port-refused', why: 'EADDRNOTAVAIL' },
    ])
  })

  it('of a running node passes when it is reached, and fails when it is not or nothing listens', async () => {
    const node = await networked()
    const reached = await foundOf('port', { running: running({ peerId: node.peerId, addresses: node.addresses() }) })
    expect(reached).toMatchObject([{ verdict: 'pass', kind: 'port-reached' }])
    await node.close()
    const gone = ['/ip4/127.0.0.1/tcp/1']
    expect(await foundOf('port', { running: running({ addresses: gone }) })).toMatchObject([
      { verdict: 'fail', kind: 'port-unreached', why: 'refused' },
    ])
    expect(await foundOf('port', { running: running({ addresses: [] }) })).toMatchObject([
      { verdict: 'fail', kind: 'port-closed' },
    ])
  })
})

describe('the firewall', () => {
  const chain = (policy: string) => ({ chain: { family: 'inet', table: 'f', name: 'in', hook: 'input', policy } })
  const rule = (expr: object[]) => ({ rule: { family: 'inet', table: 'f', chain: 'in', expr } })
  const rules = (...nftables: object[]) => filtersInput(JSON.stringify({ nftables }))

  it('is seen in the rules of nft and iptables where they keep something out, and only there', () => {
    expect(rules(chain('drop'))).toBe(true)
    expect(rules(chain('accept'), rule([{ match: {} }, { drop: null }]))).toBe(true)
    expect(rules(chain('accept'), rule([{ reject: {} }]))).toBe(true)
    expect(rules(chain('accept'), rule([{ accept: null }]))).toBe(false)
    expect(rules()).toBe(false)
    expect(filtersInput('no json')).toBe(false)
    expect(dropsInput('-P INPUT DROP\n')).toBe(true)
    expect(dropsInput('-P INPUT ACCEPT\n-A INPUT -p tcp -j REJECT\n')).toBe(true)
    expect(dropsInput('-P INPUT ACCEPT\n-A INPUT -p tcp -j ACCEPT\n')).toBe(false)
  })

  it('passes when there is none, and tells the rules to add when there is one', async () => {
    expect(judgeFirewall({ kind: 'none' }, 4_001)).toMatchObject({ verdict: 'pass' })
    expect(judgeFirewall({ kind: 'unknown', why: 'rights' }, 4_001)).toMatchObject({ verdict: 'skip' })
    for (const firewall of ['ufw', 'firewalld', 'nftables', 'iptables', 'Windows'] as const) {
      const finding = judgeFirewall({ kind: 'active', firewall }, 4_001)
      expect(finding).toMatchObject({ verdict: 'warn', kind: 'firewall-active', firewall })
      expect(JSON.stringify(finding)).toMatch(/4001.*(5353|mdns)/)
    }
    expect(await lookForFirewall('sunos')).toEqual({ kind: 'unknown', why: 'platform' })
  })
})

describe('multicast', () => {
  const eth0 = { name: 'eth0', address: '192.168.1.5', family: 'IPv4', kind: 'lan' } as const
  const wlan0 = { name: 'wlan0', address: '192.168.2.5', family: 'IPv4', kind: 'lan' } as const
  const context = { own: SELF, here: new Set(['192.168.1.5']), isRunning: true }
  const heard = [{ heard: true }, { interface: eth0, heard: true }]
  const answerOf = (peer: string, from: string) => ({
    from,
    addresses: [`/ip4/127.0.0.1/tcp/4000/p2p/${peer}`, `/ip4/${from}/tcp/4000/p2p/${peer}`],
  })
  const own = answerOf(SELF, '192.168.1.5')
  const judge = (report: Parameters<typeof judgeMulticast>[0], more: Partial<typeof context> = {}) => [
    ...judgeMulticast(report, { ...context, ...more }),
  ]

  it.each([
    ['pass', 'multicast-heard', { tries: heard, answers: [own, answerOf(OTHER, '192.168.1.7')] }],
    ['warn', 'multicast-alone', { tries: heard, answers: [own] }],
    ['warn', 'multicast-unanswered', { tries: heard, answers: [] }],
    ['fail', 'multicast-deaf', { tries: [{ heard: false }, { interface: eth0, heard: false }], answers: [] }],
    ['warn', 'multicast-deaf', { tries: [...heard, { interface: wlan0, heard: false }], answers: [own] }],
    ['fail', 'multicast-unsent', { tries: [{ heard: false, failure: 'ENETUNREACH' }], answers: [] }],
    ['fail', 'multicast-port', { failure: 'EADDRINUSE', tries: [], answers: [] }],
    ['skip', 'multicast-off', undefined],
  ])('%s as %s', (verdict, kind, report) => {
    expect(judge(report)).toMatchObject([{ verdict, kind }])
  })

  it('without a running node is quiet when nobody answers', () => {
    const alone = { own: undefined, isRunning: false } as unknown as Partial<typeof context>
    expect(judge({ tries: heard, answers: [] }, alone)).toMatchObject([{ verdict: 'warn', kind: 'multicast-quiet' }])
  })

  it('names the node at the address from which it answered', () => {
    const [finding] = judge({ tries: heard, answers: [answerOf(OTHER, '192.168.1.7')] })
    expect(finding).toMatchObject({ answers: [{ id: OTHER, address: `/ip4/192.168.1.7/tcp/4000/p2p/${OTHER}` }] })
  })

  it('finds a twin: an answer in our name from elsewhere, or while we do not run', () => {
    const twin = { check: 'identity', verdict: 'fail', kind: 'identity-twin' }
    expect(judge({ tries: heard, answers: [own, answerOf(SELF, '192.168.1.9')] })).toMatchObject([
      {},
      { ...twin, address: '192.168.1.9' },
    ])
    expect(judge({ tries: heard, answers: [own] }, { isRunning: false })).toMatchObject([{}, twin])
  })
})

describe('a peer', () => {
  const peer = (options: DiagnoseOptions) => foundOf('peer', { topics: ['users'], ...options })

  it('that works passes each step, whatever form its address has', async () => {
    const node = await networked()
    const [address = ''] = node.addresses()
    const port = /\/tcp\/(\d+)/.exec(address)?.[1] ?? ''
    const steps = ['peer-reached', 'peer-met', 'peer-speaks', 'peer-answers', 'peer-shares']
    for (const given of [address, `127.0.0.1:${port}`]) {
      const found = await peer({ peers: [given] })
      expect(found.map(({ verdict, kind }) => `${verdict} ${kind}`)).toEqual(steps.map((kind) => `pass ${kind}`))
    }
    const named = await peer({ peers: [`localhost:${port}`] })
    expect(named[0]).toMatchObject({ verdict: 'pass', kind: 'peer-resolved', host: 'localhost' })
    expect(named.at(-1)).toMatchObject({ kind: 'peer-shares', topics: ['users'] })
    await until('the one who asked is gone', () => node.peers().length === 0)
  })

  it('that a name stands for is asked like any other, and a name that says nothing fails for that', async () => {
    const node = await networked()
    const port = /\/tcp\/(\d+)/.exec(node.addresses()[0] ?? '')?.[1] ?? ''
    const found = await peer({ seeds: [`localhost:${port}`] })
    expect(found[0]).toMatchObject({
      verdict: 'pass',
      kind: 'peer-resolved',
      host: 'localhost',
      peer: `localhost:${port}`,
    })
    expect(found.map(({ kind }) => kind)).toContain('peer-shares')
    expect(await peer({ seeds: ['127.0.0.1'] })).toMatchObject([{ verdict: 'fail', kind: 'peer-address' }])
    expect(await peer({ peers: ['/dnsaddr/no..name'] })).toMatchObject([{ verdict: 'fail', kind: 'peer-address' }])
  })

  it('that holds other namespaces fails for that', async () => {
    const [address = ''] = (await networked()).addresses()
    const found = await findings({ topics: ['user'], peers: [address] })
    expect(found.at(-2)).toMatchObject({ verdict: 'fail', kind: 'peer-shares-none', topics: ['user'] })
    expect(found.at(-1)).toMatchObject({ verdict: 'fail', kind: 'namespace-alone', topic: 'user', metCount: 1 })
  })

  it('that has a secret, or another, fails for that', async () => {
    const [address = ''] = (await networked('horse')).addresses()
    expect((await peer({ peers: [address] })).at(-1)).toMatchObject({
      verdict: 'fail',
      kind: 'peer-secret',
      hasSecret: false,
    })
    expect((await peer({ peers: [address], secret: 'cow' })).at(-1)).toMatchObject({
      kind: 'peer-secret',
      hasSecret: true,
    })
    expect((await peer({ peers: [address], secret: 'horse' })).at(-1)).toMatchObject({ kind: 'peer-shares' })
  })

  it('that is not there, or another than was meant, fails for that', async () => {
    expect(await peer({ peers: ['127.0.0.1:1'] })).toMatchObject([{ verdict: 'fail', kind: 'peer-refused' }])
    expect(await peer({ peers: ['a b'] })).toMatchObject([{ verdict: 'fail', kind: 'peer-address' }])
    const [address = ''] = (await networked()).addresses()
    const meant = address.replace(/\/p2p\/.*/, `/p2p/${OTHER}`)
    expect((await peer({ peers: [meant] })).at(-1)).toMatchObject({ verdict: 'fail', kind: 'peer-other' })
  })

  it('of another version, or that is no node of ours, fails for that', async () => {
    for (const [protocols, kind] of [
      [['/rhizome/sync/2'], 'peer-version'],
      [[], 'peer-stranger'],
    ] as const) {
      const libp2p = await createLibp2p({
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        services: { identify: identify(), ping: ping() },
      })
      onTestFinished(() => Promise.resolve(libp2p.stop()))
      for (const protocol of protocols) await libp2p.handle(protocol, () => {})
      const [address] = libp2p.getMultiaddrs()
      const found = await peer({ peers: [String(address)] })
      expect(found.find((finding) => finding.kind === kind)).toMatchObject({ verdict: 'fail' })
    }
  })

  it.each([
    ['peer-silent', { kind: 'unreached', address: '10.0.0.1', outcome: { kind: 'silent' } }],
    ['peer-no-route', { kind: 'unreached', address: '10.0.0.1', outcome: { kind: 'no-route' } }],
    ['peer-unreached', { kind: 'unreached', address: '10.0.0.1', outcome: { kind: 'failed', why: 'EPERM' } }],
    ['peer-unresolved', { kind: 'unresolved', host: 'x', why: 'ENOTFOUND' }],
    ['peer-hung-up', { kind: 'unmet', code: 'refused', message: 'it hung up' }],
    ['peer-no-answer', { kind: 'no-answer', why: 'timeout' }],
  ] as const)('fails as %s where the way ends so', (kind, step) => {
    expect(judgeStep(step, false)).toMatchObject(['fail', { kind }])
  })

  it('is skipped where there is none to ask', async () => {
    expect(await peer({})).toMatchObject([{ verdict: 'skip', kind: 'peers-none' }])
  })
})

describe('a namespace', () => {
  const held = (what: Partial<Parameters<typeof judgeNamespaces>[1]>, topics = ['users']) => [
    ...judgeNamespaces(topics, { running: undefined, examined: [], triedCount: 0, ...what }),
  ]
  const connected = (namespaces: readonly string[]) =>
    running({ peers: [{ id: OTHER, connected: true, addresses: [], namespaces }] })

  it('passes when somebody holds it, whoever has told', () => {
    expect(held({ running: connected(['users']) })).toMatchObject([
      { verdict: 'pass', kind: 'namespace-held', peersCount: 1 },
    ])
    expect(held({ examined: [{ id: OTHER, topics: ['users'] }] })).toMatchObject([{ verdict: 'pass', peersCount: 1 }])
  })

  it('fails when nobody of those that were met has it, and is warned of when nobody was met', () => {
    expect(held({ running: connected([]) })).toMatchObject([{ verdict: 'fail', kind: 'namespace-alone', metCount: 1 }])
    expect(held({ triedCount: 1 })).toMatchObject([{ verdict: 'warn', kind: 'namespace-unasked', triedCount: 1 }])
    expect(held({}, [])).toMatchObject([{ verdict: 'skip', kind: 'namespace-unnamed' }])
  })
})

function running(more: Partial<RunningNode>): RunningNode {
  return { peerId: SELF, addresses: ['/ip4/127.0.0.1/tcp/1'], namespaces: ['users'], peers: [], ...more }
}
