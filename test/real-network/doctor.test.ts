/** `doctor` on hosts of their own, with each fault made for real: what it prints must name the fault, and nothing else fail. */
import { execFileSync } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/index.ts'
import { type Command, type CommandOptions, runRhizome, startRhizome } from '../support/command.ts'
import { type Host, Lan } from '../support/lan.ts'
import { temporaryFolder, until } from '../support/nodes.ts'

/** As on any machine: multicast is on, and the default port is listened on everywhere. */
const ENV = { RHIZOME_NO_MDNS: '', RHIZOME_LISTEN: '', RHIZOME_NO_HTTP: '1' }

async function onHosts(lan: Lan) {
  const folder = await temporaryFolder()
  const at = (host: string, env: Record<string, string> = {}): CommandOptions => ({
    directory: folder,
    home: join(folder, host),
    env: { ...ENV, ...env },
    enter: lan.host(host).enter,
  })
  return {
    folder,
    start: async (host: string, words: readonly string[] = [], env: Record<string, string> = {}): Promise<Command> => {
      const node = startRhizome(['--topic', 'users', '--name', host, '--json', ...words], at(host, env))
      await node.printed(/"event":"started"/)
      return node
    },
    diagnose: async (host: string, ...words: readonly string[]) => {
      const { exitCode, out, err } = await runRhizome(['doctor', '--json', ...words], at(host))
      expect(err.replace(/^note: .*\n/, '')).toBe('')
      const findings = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Finding)
      const told = findings.filter(({ verdict }) => verdict === 'fail' || verdict === 'warn')
      // The hosts of this LAN have a filter of their own, which is told as such each time.
      const kinds = told
        .map(({ verdict, kind }) => `${verdict} ${kind}`)
        .filter((each) => each !== 'warn firewall-active')
      return { exitCode, findings, kinds, find: (kind: Finding['kind']) => findings.find((each) => each.kind === kind) }
    },
  }
}

/** Rules on one host, ahead of whatever it has. */
function nft({ enter }: Host, rule: string): void {
  const [program = '', ...words] = enter
  execFileSync(program, [...words, 'nft', '-f', '-'], {
    input: `table ip fault {\nchain input { type filter hook input priority -10; ${rule}; }\n}`,
  })
}

function ip({ enter }: Host, words: string): void {
  const [program = '', ...more] = [...enter, 'ip', ...words.split(' ')]
  execFileSync(program, more)
}

describe('doctor', () => {
  test('finds nothing wrong where two nodes see each other, beside one of them', async () => {
    using lan = new Lan(['a', 'b'])
    const { start, diagnose } = await onHosts(lan)
    const a = await start('a')
    await start('b')
    await a.printed(/"event":"connected"/)
    await until('they have met', async () => (await diagnose('a')).kinds.length === 0)
    const { exitCode, findings, find } = await diagnose('a', '--peer', lan.host('b').address)
    expect(exitCode).toBe(0)
    expect(find('multicast-heard')).toMatchObject({
      answers: [{ address: expect.stringContaining('/10.7.0.2/') as string }],
    })
    expect(find('port-reached')).toMatchObject({ verdict: 'pass' })
    expect(find('clock-good')).toMatchObject({ verdict: 'pass', peersCount: 1 })
    expect(find('namespace-held')).toMatchObject({ topic: 'users', peersCount: 1 })
    const way = findings.filter(({ check }) => check === 'peer').map(({ kind }) => kind)
    expect(way).toEqual(['peer-reached', 'peer-met', 'peer-speaks', 'peer-answers', 'peer-shares'])
  })

  test('without a node goes the way to those that answer, and tells that nobody does', async () => {
    using lan = new Lan(['a', 'b'])
    const { start, diagnose } = await onHosts(lan)
    expect(await diagnose('a', '--topic', 'users')).toMatchObject({
      exitCode: 0,
      kinds: ['warn multicast-quiet', 'warn namespace-unasked'],
    })
    await start('b')
    const found = await diagnose('a', '--topic', 'users')
    expect(found).toMatchObject({ exitCode: 0, kinds: [] })
    expect(found.find('peer-shares')).toMatchObject({ topics: ['users'] })
    expect(await diagnose('a', '--topic', 'user')).toMatchObject({
      exitCode: 1,
      kinds: ['fail peer-shares-none', 'fail namespace-alone'],
    })
  })

  test('names multicast that is dropped on this machine, and which firewall does', async () => {
    using lan = new Lan(['a', 'b'])
    nft(lan.host('a'), 'udp dport 5353 drop')
    const { start, diagnose } = await onHosts(lan)
    await start('a')
    const { exitCode, kinds, find } = await diagnose('a')
    expect(exitCode).toBe(1)
    expect(kinds).toEqual(['fail multicast-deaf', 'warn namespace-unasked'])
    expect(find('multicast-deaf')).toMatchObject({ interfaces: ['eth0 10.7.0.1'] })
    expect(find('firewall-active')).toMatchObject({ firewall: 'nftables' })
  })

  test('names multicast that goes nowhere for want of a route', async () => {
    using lan = new Lan(['a'])
    ip(lan.host('a'), 'route del default')
    const { diagnose } = await onHosts(lan)
    const { exitCode, kinds, find } = await diagnose('a', '--topic', 'users', '--peer', '192.0.2.7')
    expect(exitCode).toBe(1)
    expect(kinds).toEqual(['fail multicast-unsent', 'fail peer-no-route', 'warn namespace-unasked'])
    expect(find('multicast-unsent')).toMatchObject({ why: expect.stringContaining('ENETUNREACH') as string })
  })

  test('names a port that a firewall swallows, one that is closed, and a name that nobody knows', async () => {
    using lan = new Lan(['a', 'b'])
    nft(lan.host('b'), 'tcp dport 4000 drop')
    const { start, diagnose } = await onHosts(lan)
    await start('b')
    const { address } = lan.host('b')
    const { kinds } = await diagnose(
      'a',
      '--topic',
      'users',
      '--no-mdns',
      '--peer',
      `${address},${address}:4999,nobody.invalid`,
    )
    expect(kinds).toEqual(['fail peer-silent', 'fail peer-refused', 'fail peer-unresolved', 'warn namespace-unasked'])
    // Beside the node behind the firewall: it cannot be reached even from there.
    expect((await diagnose('b')).kinds).toEqual([
      'fail port-unreached',
      'warn multicast-alone',
      'warn namespace-unasked',
    ])
  })

  test('names a secret that is another, or lacking, on either side, and takes that of the running node', async () => {
    using lan = new Lan(['a', 'b', 'c'])
    const { start, diagnose } = await onHosts(lan)
    await start('b', [], { RHIZOME_SECRET: 'correct horse' })
    const to = ['--topic', 'users', '--peer', lan.host('b').address, '--no-mdns']
    for (const given of [[], ['--secret', 'wrong horse']]) {
      const { exitCode, kinds, find } = await diagnose('a', ...to, ...given)
      expect({ exitCode, kinds }).toEqual({ exitCode: 1, kinds: ['fail peer-secret', 'warn namespace-unasked'] })
      expect(find('peer-secret')).toMatchObject({ hasSecret: given.length > 0 })
    }
    expect(await diagnose('a', ...to, '--secret', 'correct horse')).toMatchObject({ exitCode: 0, kinds: [] })
    await start('c', [], { RHIZOME_SECRET: 'correct horse' })
    const beside = await diagnose('c', '--peer', lan.host('b').address, '--no-mdns')
    expect(beside).toMatchObject({ exitCode: 0 })
    expect(beside.find('peer-shares')).toBeDefined()
  })

  test('names a clock that differs from those of the peers', async () => {
    using lan = new Lan(['a', 'b'])
    const { start, diagnose } = await onHosts(lan)
    await start('a', [], { NODE_OPTIONS: `--import ${clockAhead(7_200_000)}` })
    await start('b')
    await until('the clocks are compared', async () => (await diagnose('a')).find('clock-differs') !== undefined)
    expect((await diagnose('a')).find('clock-differs')).toMatchObject({ verdict: 'warn' })
  })

  test('names two nodes of one identity, from both sides', async () => {
    using lan = new Lan(['a', 'b'])
    const { folder, start, diagnose } = await onHosts(lan)
    const first = await start('a')
    await first.interrupt()
    await cp(join(folder, 'a'), join(folder, 'b'), { recursive: true })
    await start('b')
    expect((await diagnose('a')).kinds).toContain('fail identity-twin')
    await start('a')
    const { kinds, find } = await diagnose('a')
    expect(kinds).toContain('fail identity-twin')
    expect(find('identity-twin')).toMatchObject({ address: lan.host('b').address })
  })
})

/** A module that moves the process's clock. */
function clockAhead(aheadMs: number): string {
  const code = `const now = Date.now; Date.now = () => now() + ${aheadMs}`
  return `data:text/javascript,${encodeURIComponent(code)}`
}
