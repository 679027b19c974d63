/** Buckets in shards that the answering node does not hold. */
import { expect, it, onTestFinished } from 'vitest'
import { createCluster } from '../../src/testing/cluster.ts'
import { openClient, serveNode } from './client.ts'

it('are watched wherever they are held, by one or by several', async () => {
  const topicsOf = [['shop:order:a-g'], ['shop:order:h-n'], ['shop:none']]
  const cluster = createCluster({ nodes: 3, topics: ['shop'], topicsOf })
  onTestFinished(() => cluster.close())
  await cluster.settle()
  await cluster.advance(6_000)
  await cluster.settle()
  const [first, second, client] = cluster.nodes.map(({ node }) => node)
  if (first === undefined || second === undefined || client === undefined) throw new Error('three nodes')
  await first.everywhere('shop').put('order', 'a', { value: 0 })
  const watcher = await openClient((await serveNode(client)).face.port)
  const line = async (): Promise<string> => {
    let heard: string | undefined
    void watcher.line().then((each) => (heard = each))
    for (let ms = 0; heard === undefined && ms < 60_000; ms += 10) await cluster.advance(10)
    return heard ?? 'nothing'
  }
  watcher.send('WATCH order\r\n')
  expect(await line()).toBe('')
  await first.everywhere('shop').put('order', 'b', { value: 1 })
  expect(await line()).toBe('{"id":"b","properties":{"value":1}}')
  await second.everywhere('shop').put('order', 'h', { value: 2 })
  expect(await line()).toBe('{"id":"h","properties":{"value":2}}')
  await first.everywhere('shop').delete('order', 'b')
  expect(await line()).toBe('{"id":"b","gone":true}')
  watcher.send('\r\n')
  expect(await line()).toBe('OK')
  cluster.crash(1)
  await cluster.advance(30_000)
  watcher.send('WATCH order\r\n')
  expect(await line()).toMatch(/RZ_SHARD_UNHELD/)
})
