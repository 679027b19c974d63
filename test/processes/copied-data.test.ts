/** A data directory that was copied or restored: the logs must not fork, and where they do nothing is lost. design.md 3. */
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectEqual, Cluster, eventually } from '../support/cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'

/** The store's note of when its file was changed last: a copy of a whole disk would agree with it, a copied file does not. */
const TIMES = 'store/closed'
const OFFLINE = { node: { network: false } } as const

describe.concurrent('a data directory', () => {
  test('both copies of a directory write beside a third node: all stay equal and nothing forks', async () => {
    await using cluster = await Cluster.open()
    const third = await cluster.start('third')
    const first = await cluster.start('original')
    await first.putMany('before-', 50)
    await expectEqual([third, first], cluster.acknowledged())
    await first.stop()
    await cluster.copyData('original', 'copy')

    const [original, copy] = await cluster.startAll('original', 'copy')
    if (original === undefined || copy === undefined) throw new Error('two nodes were started')
    expect(copy.peerId).toBe(original.peerId)
    await Promise.all([original.putMany('original-', 50), copy.putMany('copy-', 50), third.putMany('third-', 50)])
    await expectEqual([third, original, copy], cluster.acknowledged())
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
    await expectEqual([third, second], cluster.acknowledged())
    await second.stop()
    await rm(cluster.dataOf('a'), { recursive: true })
    await cluster.copyData('backup', 'a')

    const restored = await cluster.start('a', OFFLINE)
    await restored.putMany('restored-', 20)
    await restored.stop()
    const again = await cluster.start('a')
    await expectEqual([third, again], cluster.acknowledged())
    for (const node of [third, again]) expect(forksOf(node)).toEqual([])
  })

  test('clones of a machine that nothing tells apart fork their log: each asserts again what the fork took', async () => {
    await using cluster = await Cluster.open()
    const third = await cluster.start('third')
    await mkdir(cluster.dataOf('machine'))
    await (await cluster.start('image')).stop()
    const clone = { data: 'machine', enter: machineWith(cluster.dataOf('image'), cluster.dataOf('machine')) }
    const first = await cluster.start('first', clone)
    await first.putMany('before-', 20)
    await expectEqual([third, first], cluster.acknowledged())
    await first.run('close')
    await cp(`/proc/${first.pid}/root${cluster.dataOf('machine')}`, cluster.dataOf('image'), { recursive: true })
    await first.stop()

    const [one, two] = await Promise.all([cluster.start('one', clone), cluster.start('two', clone)])
    await Promise.all([one.putMany('one-', 20), two.putMany('two-', 20)])
    const nodes = [third, one, two]
    for (const node of nodes) await eventually(`${node.name} knows of the fork`, () => forksOf(node).length > 0)
    await allRecords(nodes, ['before-', 'one-', 'two-'], 20)
    await expectEqual(nodes, [])
  })

  test('a log that was restored and written to, and nothing tells, is cut on every node, and goes on in another', async () => {
    await using cluster = await Cluster.open()
    const third = await cluster.start('third')
    const first = await cluster.start('a')
    await first.putMany('before-', 20)
    await expectEqual([third, first], cluster.acknowledged())
    await first.stop()
    await cluster.copyData('a', 'backup')
    const second = await cluster.start('a')
    await second.putMany('one-', 20)
    await expectEqual([third, second], cluster.acknowledged())
    await second.stop()
    await cluster.overwriteData('backup', 'a')
    await rm(join(cluster.dataOf('a'), TIMES))

    const forking = await cluster.start('a', OFFLINE)
    await forking.putMany('two-', 20)
    await forking.stop()
    const again = await cluster.start('a')
    for (const node of [third, again])
      await eventually(`${node.name} knows of the fork`, () => forksOf(node).length > 0)
    await allRecords([third, again], ['before-', 'two-'], 20)
    await again.putMany('after-', 20)
    await expectEqual([third, again], again.acknowledged)
  })
})

/**
 * Runs a command with a disk of its own at `directory`, filled from `image` in the same order each time: the files have the
 * same paths, bytes and inode numbers in every such machine, as on copies of a whole disk.
 */
function machineWith(image: string, directory: string): readonly string[] {
  const script = [
    'mount -t tmpfs tmpfs "$1"',
    'mkdir "$1/store"',
    'cp "$0/store/log.db" "$1/store"',
    'cp -rn "$0/." "$1"',
    `rm -f "$1/${TIMES}"`,
    'shift',
    'exec "$@"',
  ].join('; ')
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script, image, directory]
}

function forksOf(node: ProcessNode) {
  return node.events.filter((event) => event.kind === 'replication' && event.event.kind === 'forked')
}

/** Ids change when deltas are asserted again; what they say must not. */
async function allRecords(nodes: readonly ProcessNode[], prefixes: readonly string[], count: number): Promise<void> {
  const wanted = prefixes.flatMap((prefix) => Array.from({ length: count }, (_, index) => prefix + index))
  for (const node of nodes) {
    await eventually(`${node.name} has all records`, async () => {
      const ids = new Set(await node.run('ids', 'user'))
      return wanted.every((id) => ids.has(id))
    }).catch(async (error: unknown) => {
      const ids = new Set(await node.run('ids', 'user'))
      throw new Error(`${node.name} lacks ${wanted.filter((id) => !ids.has(id)).join(' ')}`, { cause: error })
    })
  }
}
