/** A data directory that was copied or restored: the logs must not fork, and where they do nothing is lost. design.md 3. */
import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { allEqual, Cluster } from '../support/cluster.ts'
import { until } from '../support/nodes.ts'
import type { ProcessNode } from '../support/process-node.ts'

const OFFLINE = { node: { network: false } } as const

test('both copies of a directory write beside a third node: all stay equal and nothing forks', async () => {
  await using cluster = await Cluster.open()
  const third = await cluster.start('third')
  const first = await cluster.start('original')
  await first.putMany('before-', 50)
  await allEqual([third, first], cluster.acknowledged())
  await first.stop()
  await cluster.copyData('original', 'copy')

  const [original, copy] = await cluster.startAll('original', 'copy')
  if (original === undefined || copy === undefined) throw new Error('two nodes were started')
  expect(copy.peerId).toBe(original.peerId)
  await Promise.all([original.putMany('original-', 50), copy.putMany('copy-', 50), third.putMany('third-', 50)])
  await allEqual([third, original, copy], cluster.acknowledged())
  for (const node of [third, original, copy]) expect(forksOf(node)).toEqual([])
})

test('a directory restored from a backup goes on in a new log, and gets back what the backup lacks', async () => {
  await using cluster = await Cluster.open()
  const third = await cluster.start('third')
  const first = await cluster.start('a')
  await first.putMany('before-', 20)
  await first.stop()
  await cluster.copyData('a', 'backup')
  const second = await cluster.start('a')
  await second.putMany('after-', 20)
  await allEqual([third, second], cluster.acknowledged())
  await second.stop()
  await rm(cluster.dataOf('a'), { recursive: true })
  await cluster.copyData('backup', 'a')

  const restored = await cluster.start('a', OFFLINE)
  await restored.putMany('restored-', 20)
  await restored.stop()
  const again = await cluster.start('a')
  await allEqual([third, again], cluster.acknowledged())
  for (const node of [third, again]) expect(forksOf(node)).toEqual([])
})

test('a log that really forked is cut on every node, and both branches are there again in new logs', async () => {
  await using cluster = await Cluster.open()
  const third = await cluster.start('third')
  const first = await cluster.start('a')
  await first.putMany('before-', 20)
  await allEqual([third, first], cluster.acknowledged())
  await first.stop()
  await cluster.copyData('a', 'backup')
  const second = await cluster.start('a')
  await second.putMany('one-', 20)
  await allEqual([third, second], cluster.acknowledged())
  await second.stop()
  await cluster.overwriteData('backup', 'a')

  const forking = await cluster.start('a', OFFLINE)
  await forking.putMany('two-', 20)
  await forking.stop()
  const again = await cluster.start('a')
  await until('the fork is known to both', () => forksOf(third).length > 0 && forksOf(again).length > 0)
  await allRecords([third, again], ['before-', 'one-', 'two-'], 20)
  await allEqual([third, again], [])
})

function forksOf(node: ProcessNode) {
  return node.events.filter((event) => event.kind === 'replication' && event.event.kind === 'forked')
}

/** Ids change when deltas are asserted again; what they say must not. */
async function allRecords(nodes: readonly ProcessNode[], prefixes: readonly string[], count: number): Promise<void> {
  const wanted = prefixes.flatMap((prefix) => Array.from({ length: count }, (_, index) => prefix + index))
  for (const node of nodes) {
    await until(`${node.name} has all records`, async () => {
      const ids = new Set(await node.run('ids', 'user'))
      return wanted.every((id) => ids.has(id))
    }).catch(async (error: unknown) => {
      const ids = new Set(await node.run('ids', 'user'))
      throw new Error(`${node.name} lacks ${wanted.filter((id) => !ids.has(id)).join(' ')}`, { cause: error })
    })
  }
}
