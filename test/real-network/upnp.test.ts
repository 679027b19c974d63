/** A node behind a router that maps ports by UPnP is reached from outside by the address that it tells; without the mapping by none. */
import { expect, test } from 'vitest'
import { Cluster, eventually, expectConnected, expectEqual, report } from '../support/cluster.ts'
import { FakeGateway } from '../support/gateway.ts'
import { Lan } from '../support/lan.ts'
import { Nat } from '../support/nat.ts'

/** A public one: a router whose own address is private has another before it. */
const PUBLIC_NETWORK = '5.7.0'

async function open() {
  const lan = new Lan(['router', 'outside'], PUBLIC_NETWORK)
  const router = lan.host('router')
  const nat = new Nat(router, 'home', 'scattering')
  const cluster = await Cluster.open(lan)
  return {
    cluster,
    startGateway: () => FakeGateway.start(router, '192.168.1.1'),
    startInside: () => cluster.start('inside', { enter: nat.inside.enter, network: { mdns: false, upnp: true } }),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      nat[Symbol.dispose]()
      lan[Symbol.dispose]()
    },
  }
}

test('a node outside reaches the one whose port the router maps, until that one is closed', async () => {
  await using site = await open()
  const { cluster } = site
  await using gateway = await site.startGateway()
  const inside = await site.startInside()
  const [event] = await eventually('the port is mapped', () => {
    const events = inside.networkEvents('upnp')
    return events.length > 0 && events
  })
  // Another machine has port 4000 outside.
  expect(event).toEqual({ kind: 'upnp', isMapped: true, address: '/ip4/5.7.0.1/tcp/4001' })
  expect(gateway.mapped).toContainEqual([4_001, '192.168.1.2:4000'])
  const address = `/ip4/5.7.0.1/tcp/4001/p2p/${inside.peerId}`
  expect(await inside.run('addresses')).toContain(address)
  const outside = await cluster.start('outside', { network: { mdns: false, peers: [address] } })
  await Promise.all([inside.putMany('inside', 50), outside.putMany('outside', 50)])
  report(`a node behind UPnP was reached in ${await expectConnected([inside, outside])} ms`)
  report(`they were equal in ${await expectEqual([inside, outside], cluster.acknowledged())} ms`)
  await inside.stop()
  await eventually('the mapping is gone, and that of the other machine is not', () => gateway.mapped.length === 1)
  expect(gateway.mapped).toEqual([[4_000, '192.168.1.99:4000']])
})

test('where no router answers the node says so, works on, and is reached once one answers', async () => {
  await using site = await open()
  const inside = await site.startInside()
  const told = await eventually('it says so', () => inside.networkEvents('upnp')[0])
  expect(told).toMatchObject({ isMapped: false, message: expect.stringContaining('answers UPnP') as string })
  await inside.putMany('alone', 5)
  expect(await inside.run('addresses')).toEqual([`/ip4/192.168.1.2/tcp/4000/p2p/${inside.peerId}`])
  await using gateway = await site.startGateway()
  await eventually('the port is mapped', () => gateway.mapped.length === 2)
})
