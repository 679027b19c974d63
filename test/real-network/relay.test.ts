/**
 * Two nodes behind two NATs, and a relay between them that both can reach: they sync through it, and directly from then on where
 * the NATs let them. The addresses of the LAN between are public ones, since libp2p punches holes to no others.
 */
import { expect, test } from 'vitest'
import type { NetworkOptions } from '../../src/index.ts'
import { DEAF_AFTER_MS } from '../../src/net/limits.ts'
import { Cluster, eventually, expectConnected, expectEqual, report } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import { Nat, type NatKind } from '../support/nat.ts'
import type { ProcessNode } from '../support/process-node.ts'

const PUBLIC_NETWORK = '5.7.0'

async function open(kinds: { readonly a: NatKind; readonly b: NatKind }) {
  const lan = new Lan(['relay', 'router-a', 'router-b'], PUBLIC_NETWORK)
  const nats = { a: new Nat(lan.host('router-a'), 'a', kinds.a), b: new Nat(lan.host('router-b'), 'b', kinds.b) }
  const cluster = await Cluster.open(lan)
  return {
    cluster,
    relayAddress: `${lan.host('relay').address}:4000`,
    /** It holds another topic than the nodes, or the same. */
    startRelay: (network: NetworkOptions = {}, topic = 'of-the-relay') =>
      cluster.start('relay', { network: { mdns: false, relay: true, ...network }, node: { topics: [topic] } }),
    start: (name: 'a' | 'b', network: NetworkOptions) =>
      cluster.start(name, { enter: nats[name].inside.enter, network: { mdns: false, ...network } }),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      for (const nat of Object.values(nats)) nat[Symbol.dispose]()
      lan[Symbol.dispose]()
    },
  }
}

/** Where others reach the node through its relay. */
function relayedAddress(node: ProcessNode): Promise<string> {
  return eventually(`${node.name} is reached through the relay`, async () =>
    (await node.run('addresses')).find((address) => address.includes('/p2p-circuit/')),
  )
}

async function isRelayed(node: ProcessNode, peer: ProcessNode): Promise<boolean | undefined> {
  return (await node.run('peers')).find(({ id }) => id === peer.peerId)?.isRelayed
}

test('nodes behind NATs that keep ports sync through a relay, and are then connected directly', async () => {
  await using site = await open({ a: 'keeping', b: 'keeping' })
  const { cluster } = site
  // Before the relay is there: it is tried again and again.
  const a = await site.start('a', { via: [site.relayAddress] })
  await eventually('a is told that no relay answers', () => a.networkEvents('dial-failed')[0])
  const relay = await site.startRelay()
  // A public address that nobody has verified is told as well.
  expect(relay.addresses).toEqual([`/ip4/5.7.0.1/tcp/4000/p2p/${relay.peerId}`])
  const b = await site.start('b', { peers: [await relayedAddress(a)] })
  await Promise.all([a.putMany('a', 50), b.putMany('b', 50)])
  report(`two nodes behind NATs were connected in ${await expectConnected([a, b])} ms`)
  report(`they were equal in ${await expectEqual([a, b], cluster.acknowledged())} ms`)
  for (const [node, other] of [
    [a, b],
    [b, a],
  ] as const) {
    await eventually(`${node.name} is connected directly`, async () => (await isRelayed(node, other)) === false)
  }
  await relay.kill()
  await Promise.all([a.putMany('direct-a', 50), b.putMany('direct-b', 50)])
  report(`without the relay they were equal in ${await expectEqual([a, b], cluster.acknowledged())} ms`)
})

test('nodes behind NATs that scatter ports go on through the relay, also when it was away', async () => {
  await using site = await open({ a: 'scattering', b: 'scattering' })
  const { cluster } = site
  const relay = await site.startRelay()
  const a = await site.start('a', { via: [site.relayAddress] })
  const b = await site.start('b', { peers: [await relayedAddress(a)] })
  await Promise.all([a.putMany('a', 50), b.putMany('b', 50)])
  await expectConnected([a, b])
  await expectEqual([a, b], cluster.acknowledged())

  await relay.kill()
  await eventually('a notices', async () => (await isRelayed(a, b)) === undefined)
  await Promise.all([a.putMany('alone-a', 50), b.putMany('alone-b', 50)])
  await site.startRelay()
  report(`with the relay back they were equal in ${await expectEqual([a, b], cluster.acknowledged())} ms`)
  expect(await isRelayed(a, b)).toBe(true)
  expect(await isRelayed(b, a)).toBe(true)
})

test('nodes with a secret are relayed by a node without one, of the same topic, which learns nothing', async () => {
  await using site = await open({ a: 'keeping', b: 'keeping' })
  const { cluster } = site
  const relay = await site.startRelay({}, 'users')
  const secret = 'correct horse battery staple'
  const a = await site.start('a', { via: [site.relayAddress], secret })
  const b = await site.start('b', { peers: [await relayedAddress(a)], secret })
  await Promise.all([a.putMany('a', 50), b.putMany('b', 50)])
  await expectEqual([a, b], cluster.acknowledged())
  await eventually('they are connected directly', async () => (await isRelayed(a, b)) === false)
  await Promise.all([a.putMany('direct-a', 50), b.putMany('direct-b', 50)])
  await expectEqual([a, b], cluster.acknowledged())
  expect(await relay.run('counts')).toEqual({ deltas: 0, blocks: 0, logs: 0 })
  expect(await relay.run('members')).toEqual([])
  for (const node of [a, b]) expect(await node.connected()).not.toContain(relay.peerId)
  // Longer than a node bears a peer without gossip.
  const served = Date.now()
  await eventually('the relay has had time to lose patience', () => Date.now() - served > 3 * DEAF_AFTER_MS)
  expect(a.networkEvents('relay').map(({ isReserved }) => isReserved)).toEqual([true])
})

test('what takes more than a relayed connection may carry goes on over the next one', async () => {
  await using site = await open({ a: 'scattering', b: 'keeping' })
  const { cluster } = site
  await site.startRelay({ relay: { connectionBytesMax: 1_048_576 } })
  const a = await site.start('a', { via: [site.relayAddress] })
  await a.putMany('large', 40, 'x'.repeat(100_000))
  const b = await site.start('b', { peers: [await relayedAddress(a)] })
  report(`four times the limit of a connection took ${await expectEqual([a, b], cluster.acknowledged())} ms`)
  expect(b.networkEvents('disconnected').length).toBeGreaterThan(2)
})

test('a relay that is full refuses one more, who is told so', async () => {
  await using site = await open({ a: 'keeping', b: 'keeping' })
  await site.startRelay({ relay: { nodesMax: 1 } })
  const a = await site.start('a', { via: [site.relayAddress] })
  await relayedAddress(a)
  const b = await site.start('b', { via: [site.relayAddress] })
  const refused = await eventually('b is told', () => b.networkEvents('dial-failed')[0])
  expect(refused).toMatchObject({ code: 'refused', address: '/ip4/5.7.0.1/tcp/4000' })
  expect(refused.message).toContain('no place left')
})
