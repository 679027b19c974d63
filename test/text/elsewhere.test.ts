import { expect, it } from 'vitest'
import { shardedCluster, within } from '../support/sharded.ts'
import { serveNode } from './client.ts'

it('buckets of a shard that nobody holds are told to be missing, behind those that are known', async () => {
  const cluster = await shardedCluster([['shop:*:o-u'], ['shop:*:h-n'], ['shop:none']])
  const [, , client] = cluster.nodes
  if (client === undefined) throw new Error('three nodes')
  const telnet = await (await serveNode(client.node)).client()
  const ask = (line: string) => within(cluster, telnet.ask(line), 3_600_000)
  for (const bucket of ['advice', 'house', 'order']) {
    expect(await ask(`CREATE ${bucket}`)).toEqual(['OK'])
    expect(await ask(`PUT ${bucket} x 1`)).toEqual(['OK'])
  }
  // One that has records and no mark is known to its holder alone.
  await within(cluster, client.node.everywhere('shop').put('pear', 'x', { value: 1 }))
  expect(await ask('BUCKETS')).toEqual(['advice', 'house', 'order', 'pear', 'placement', 'OK'])

  cluster.crash(0)
  await cluster.advance(10_000)
  expect(await within(cluster, client.node.everywhere('shop').collections())).toEqual({
    value: ['advice', 'house', 'order', 'placement'],
    answeredBy: [client.peerId, cluster.nodes[1]?.peerId],
    unheld: ['shop:*:o-u'],
  })
  const [error = '', ...buckets] = (await ask('BUCKETS')).toReversed()
  expect(buckets.toReversed()).toEqual(['advice', 'house', 'order', 'placement'])
  expect(error).toBe('ERROR RZ_SHARD_UNHELD 1 there may be more in shop:*:o-u, which nobody who answers holds')
  expect(await ask('KEYS house')).toEqual(['x', 'OK'])
  expect((await ask('KEYS order'))[0]).toContain('ERROR RZ_SHARD_UNHELD')
})

it('what is written to a bucket that nobody holds waits here, whether or not the bucket is known', async () => {
  const cluster = await shardedCluster([['shop:*:o-u'], ['shop:none']])
  const [, client] = cluster.nodes
  if (client === undefined) throw new Error('two nodes')
  const telnet = await (await serveNode(client.node)).client()
  const ask = (line: string) => within(cluster, telnet.ask(line), 3_600_000)
  cluster.crash(0)
  await cluster.advance(10_000)
  expect(await ask('PUT pear x 1')).toEqual(['OK'])
  expect(await ask('CREATE tools')).toEqual(['OK'])
  expect((await ask('insert {"a":1} into plum as p')).at(-1)).toBe('OK')
  expect((await ask('GET pear x'))[0]).toContain('ERROR RZ_SHARD_UNHELD')
  cluster.restart(0)
  await cluster.advance(20_000)
  expect(await ask('GET pear x')).toEqual(['1', 'OK'])
  expect(await ask('BUCKETS')).toContain('tools')
  expect((await ask('select from plum'))[0]).toContain('"a":1')
})
