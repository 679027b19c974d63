/**
 * mDNS for real, with multicast on loopback alone: `test/real-network/alone.sh npx vitest run -c test/real-network/vitest.config.ts`.
 * It refuses to run where any other interface is up, so that nothing of a test leaves the machine.
 */
import { networkInterfaces } from 'node:os'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Net } from '../../src/net/net.ts'
import type { MdnsChoice } from '../../src/net/options.ts'
import { openOnLoopback } from '../net/libp2p-cluster.ts'
import { connected, eventsOf, knows, until } from '../net/until.ts'

const INTERVAL_MS = 200

describe('mDNS on loopback', () => {
  beforeAll(() => {
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
    const outside = addresses.filter(({ internal }) => !internal).map(({ address }) => address)
    if (addresses.length === 0) throw new Error('loopback is down: ip link set lo up')
    if (outside.length > 0) throw new Error(`this namespace can reach beyond itself: ${outside.join(', ')}`)
  })

  /** A tag of its own keeps a test apart from the others. */
  const tagOf = (name: string): string => `_rhizome-${name}-${process.pid}._udp.local`

  const open = (name: string, mdns: MdnsChoice): Promise<Net> =>
    openOnLoopback(name, { listen: ['/ip4/0.0.0.0/tcp/0'], mdns: { intervalMs: INTERVAL_MS, ...mdns } })

  test('three nodes find each other and say by what', async () => {
    const serviceTag = tagOf('three')
    await using a = await open('a', { serviceTag })
    const events = eventsOf(a)
    await using b = await open('b', { serviceTag })
    await using c = await open('c', { serviceTag })
    await connected(a, b, c)
    const found = events.filter((event) => event.kind === 'discovered')
    expect(new Set(found.map(({ peer }) => peer))).toEqual(new Set([b.self, c.self]))
    expect(found.every(({ by }) => by === 'mdns')).toBe(true)
  })

  test('with the default interval two nodes are connected within two seconds of the second one', async () => {
    const serviceTag = tagOf('default')
    await using a = await open('a', { serviceTag, intervalMs: 10_000 })
    await using b = await open('b', { serviceTag, intervalMs: 10_000 })
    await until('they connect', () => knows(a, b) && knows(b, a), 2_000)
  })

  test('five nodes are fully connected, and each pair agrees on who dialled', async () => {
    const serviceTag = tagOf('once')
    const nets = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => open(name, { serviceTag })))
    await connected(...nets)
    const directions = nets.flatMap((net) => net.peers().map(({ direction }) => direction))
    expect(directions.filter((direction) => direction === 'inbound').length).toBe(10)
    expect(directions.filter((direction) => direction === 'outbound').length).toBe(10)
    await Promise.all(nets.map((net) => net.close()))
  })

  test('a peer that was killed and comes back on another port is found again', async () => {
    const serviceTag = tagOf('again')
    await using a = await open('a', { serviceTag })
    const b = await open('b', { serviceTag })
    await connected(a, b)
    await b.close()
    await until('a learns that b is gone', () => !knows(a, b))
    await using again = await open('b', { serviceTag })
    await connected(a, again)
  })

  test('another service tag is another LAN', async () => {
    await using a = await open('a', { serviceTag: tagOf('one') })
    await using b = await open('b', { serviceTag: tagOf('two') })
    await using c = await open('c', { serviceTag: tagOf('two') })
    await connected(b, c)
    expect(a.peers()).toEqual([])
  })

  test('a second node with the same identity is told as such', async () => {
    const serviceTag = tagOf('twin')
    await using a = await open('a', { serviceTag })
    const events = eventsOf(a)
    await using twin = await open('a', { serviceTag })
    await until('a notices', () => events.some(({ kind }) => kind === 'dial-failed'))
    expect(events).toContainEqual(
      expect.objectContaining({ code: 'self', message: expect.stringContaining('identity') }),
    )
    expect(twin.self).toBe(a.self)
  })

  test('a node that is alone says after a while how often it asked, what it heard and where', async () => {
    await using a = await open('a', { serviceTag: tagOf('alone') })
    const events = eventsOf(a)
    await until('a says it is alone', () => events.some(({ kind }) => kind === 'alone'), 15_000)
    const alone = events.find((event) => event.kind === 'alone')
    expect(alone).toMatchObject({ interfaces: ['lo 127.0.0.1'], answersHeard: 0 })
    expect(alone?.queriesSent).toBeGreaterThan(10)
  })

  test('a node keeps finding others when nothing was heard for many intervals before', async () => {
    const serviceTag = tagOf('late')
    const lines: string[] = []
    await using a = await openOnLoopback('a', {
      listen: ['/ip4/0.0.0.0/tcp/0'],
      mdns: { intervalMs: INTERVAL_MS, serviceTag },
      log: (line) => void (line.startsWith('mdns: restarting') && lines.push(line)),
    })
    await until('mDNS is restarted', () => lines.length > 1)
    await using b = await open('b', { serviceTag })
    await connected(a, b)
  })
})
