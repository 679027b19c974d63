/**
 * Nodes that find each other by names: without multicast, by a host name, a `dnsaddr` or a seed whose records change while they
 * run. The name server is one of the hosts.
 */
import { expect, test } from 'vitest'
import { Cluster, eventually, expectConnected, expectEqual, report } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import { NameServer } from '../support/name-server.ts'

/** A cluster on a LAN with a name server, whose nodes know no multicast. */
async function open(names: readonly string[]) {
  const lan = new Lan([...names, 'names'])
  const cluster = await Cluster.open(lan)
  const server = await NameServer.start(lan.host('names'), cluster.folder)
  return {
    cluster,
    server,
    address: (host: string) => lan.host(host).address,
    readdress: (host: string, address: string) => lan.readdress(host, address),
    start: (name: string, network: object, { host = name, data = name } = {}) =>
      cluster.start(name, { host, data, enter: server.enter(lan.host(host)), network: { mdns: false, ...network } }),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      lan[Symbol.dispose]()
    },
  }
}

test('a peer named by its host is found again when the host comes back with another address, and with another identity', async () => {
  await using site = await open(['a', 'b'])
  const { cluster, server } = site
  const a = await site.start('a', { peers: ['b.example:4000'] })
  await a.putMany('early', 10)
  const failed = await eventually('a is told that nobody is there', () => a.networkEvents('dial-failed')[0])
  expect(failed).toMatchObject({ address: '/dns/b.example/tcp/4000', code: 'unreachable' })

  await server.say({ 'b.example': { addresses: [site.address('b')] } })
  const b = await site.start('b', {})
  await expectEqual([a, b], cluster.acknowledged())

  await b.stop()
  await a.putMany('meanwhile', 10)
  site.readdress('b', '10.7.0.77')
  await server.say({ 'b.example': { addresses: ['10.7.0.77'] } })
  const again = await site.start('b', {})
  expect(again.peerId).toBe(b.peerId)
  report(`a host with another address was equal in ${await expectEqual([a, again], cluster.acknowledged())} ms`)

  await again.kill()
  const other = await site.start('b', {}, { data: 'of-another' })
  expect(other.peerId).not.toBe(b.peerId)
  report(`a host with another identity was equal in ${await expectEqual([a, other], cluster.acknowledged())} ms`)
})

test('a dnsaddr leads to every peer that its records name, through another name as well, whatever else they hold', async () => {
  await using site = await open(['a', 'b', 'c', 'd'])
  const { cluster, server } = site
  const [b, c] = await Promise.all([site.start('b', {}), site.start('c', {})])
  const addressOf = (node: { readonly name: string; readonly peerId: string }) =>
    `dnsaddr=/ip4/${site.address(node.name)}/tcp/4000/p2p/${node.peerId}`
  await server.say({
    '_dnsaddr.example.org': {
      texts: ['v=spf1 -all', 'dnsaddr=/nonsense', addressOf(b), 'dnsaddr=/dnsaddr/more.example.org'],
    },
    '_dnsaddr.more.example.org': { texts: [addressOf(c), 'dnsaddr=/dnsaddr/example.org'] },
  })
  const a = await site.start('a', { peers: ['/dnsaddr/example.org'] })
  await a.putMany('a', 10)
  await Promise.all([expectConnected([a, b]), expectConnected([a, c])])
  await expectEqual([a, b, c], cluster.acknowledged())

  const d = await site.start('d', { peers: [`/dnsaddr/example.org/p2p/${c.peerId}`] })
  await expectConnected([c, d])
  await expectEqual([a, b, c, d], cluster.acknowledged())
  const dialled = d.networkEvents('connected').map(({ peer }) => peer)
  expect(dialled).toEqual([c.peerId])
})

test('nodes of one seed find each other once its records name them, and follow them when they change', async () => {
  await using site = await open(['a', 'b', 'c', 'd'])
  const { cluster, server } = site
  const network = { seeds: ['nodes.example'] }
  const [a, b, c] = await Promise.all([site.start('a', network), site.start('b', network), site.start('c', network)])
  await Promise.all([a.putMany('a', 10), b.putMany('b', 10), c.putMany('c', 10)])
  const failed = await eventually('a is told that the name has no records', () => a.networkEvents('dial-failed')[0])
  expect(failed).toMatchObject({ seed: '/dns/nodes.example/tcp/4000', code: 'unreachable' })
  expect(failed.message).toContain('nodes.example has no records')

  await server.say({ 'nodes.example': { addresses: ['a', 'b', 'c'].map(site.address) } })
  report(`three nodes of a seed were connected in ${await expectConnected([a, b, c])} ms`)
  await expectEqual([a, b, c], cluster.acknowledged())
  // Its own address is among the records, and nobody is told of it.
  expect(a.networkEvents('dial-failed').filter(({ code }) => code === 'self')).toEqual([])

  // All of them come back elsewhere, as pods do: only the records lead to them, and one has learnt them before.
  await Promise.all([b.stop(), c.kill()])
  await a.putMany('meanwhile', 10)
  site.readdress('b', '10.7.0.66')
  const moved = await site.start('b', network)
  const fresh = await site.start('d', network)
  await server.say({ 'nodes.example': { addresses: [site.address('a'), '10.7.0.66', site.address('d')] } })
  await moved.putMany('moved', 10)
  report(`nodes that moved were connected in ${await expectConnected([a, moved, fresh])} ms`)
  await expectEqual([a, moved, fresh], cluster.acknowledged())
})
