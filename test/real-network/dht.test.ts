/** Nodes that know nothing of each other, without multicast, and meet in the DHT of a third that has not their topic. */
import { expect, test } from 'vitest'
import { Cluster, expectConnected, expectEqual, report } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import { Nat } from '../support/nat.ts'

const TOPICS_OF_THIRD = { topics: ['of-the-third'] }

test.each([undefined, 'correct horse'])(
  'nodes that know a third alone find each other, and need it no more (secret: %s)',
  async (secret) => {
    using lan = new Lan(['a', 'b', 'c'])
    await using cluster = await Cluster.open(lan)
    const network = { mdns: false, dht: true, ...(secret === undefined ? {} : { secret }) }
    const a = await cluster.start('a', { network, node: TOPICS_OF_THIRD })
    const peers = [`${lan.host('a').address}:4000`]
    const b = await cluster.start('b', { network: { ...network, peers } })
    const c = await cluster.start('c', { network: { ...network, peers } })
    await Promise.all([b.putMany('b', 50), c.putMany('c', 50)])
    report(`two nodes that know a third were connected in ${await expectConnected([b, c])} ms`)
    report(`they were equal in ${await expectEqual([b, c], cluster.acknowledged())} ms`)

    await a.kill()
    await Promise.all([b.putMany('alone-b', 50), c.putMany('alone-c', 50)])
    await expectEqual([b, c], cluster.acknowledged())
  },
)

test('nodes behind NATs find each other at their relay, and again when it has lost all word of them', async () => {
  using lan = new Lan(['relay', 'router-b', 'router-c'], '5.7.0')
  using b1 = new Nat(lan.host('router-b'), 'b', 'scattering')
  using c1 = new Nat(lan.host('router-c'), 'c', 'scattering')
  await using cluster = await Cluster.open(lan)
  const ofRelay = { network: { mdns: false, relay: true, dht: true }, node: TOPICS_OF_THIRD }
  const network = { mdns: false, dht: true, via: [`${lan.host('relay').address}:4000`] }
  const relay = await cluster.start('relay', ofRelay)
  const b = await cluster.start('b', { enter: b1.inside.enter, network })
  await b.putMany('b', 50)
  await relay.kill()
  await cluster.start('relay', ofRelay)
  const c = await cluster.start('c', { enter: c1.inside.enter, network })
  await c.putMany('c', 50)
  report(`two nodes behind NATs were connected in ${await expectConnected([b, c])} ms`)
  report(`they were equal in ${await expectEqual([b, c], cluster.acknowledged())} ms`)
  expect((await c.run('peers')).find(({ id }) => id === b.peerId)?.isRelayed).toBe(true)
})
