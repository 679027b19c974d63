/**
 * Histories from seeds: nodes that hold, drop, crash, come back and are cut off while all of them write everywhere. In the end
 * every record that was written is there, once, with its last value by its writer, whoever is asked.
 */
import { expect, it, onTestFinished } from 'vitest'
import { RhizomeError } from '../../../src/index.ts'
import { type Cluster, createCluster } from '../../../src/testing/cluster.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { within } from '../../support/sharded.ts'

const RANGES = ['*:a-m', '*:n-z', 'order:0-4'] as const
const COLLECTIONS = ['apple', 'pear'] as const
const NODES = 5
const STEPS = 60

interface Written {
  readonly collection: string
  readonly id: string
  readonly step: number
}

async function history(seed: number): Promise<{ cluster: Cluster; written: readonly Written[] }> {
  const random = seededRandom(seed)
  const topicsOf = [
    [`shop:${RANGES[0]}`],
    [`shop:${RANGES[1]}`],
    [`shop:${RANGES[0]}`, `shop:${RANGES[1]}`],
    ['shop:none'],
    ['shop'],
  ]
  const cluster = createCluster({ nodes: NODES, seed, topics: ['shop'], topicsOf })
  onTestFinished(() => cluster.close())
  await cluster.advance(12_000)
  const written: Written[] = []
  const open: Promise<void>[] = []
  let partitioned = false
  for (let step = 0; step < STEPS; step++) {
    const index = random.below(NODES)
    const machine = cluster.nodes[index]
    if (machine === undefined) continue
    const chance = random.next()
    if (chance < 0.06 && machine.isUp) cluster.crash(index)
    else if (chance < 0.14 && !machine.isUp) cluster.restart(index)
    else if (chance < 0.18) {
      if (partitioned) cluster.heal()
      else
        cluster.partition(
          [index],
          [0, 1, 2, 3, 4].filter((each) => each !== index),
        )
      partitioned = !partitioned
    } else if (machine.isUp) {
      const shard = `shop:${RANGES[random.below(2)] ?? ''}`
      if (chance < 0.24) open.push(settled(machine.node.hold(shard)))
      else if (chance < 0.3) open.push(settled(machine.node.drop(shard, { deadlineMs: 2_000 })))
      else {
        const collection = COLLECTIONS[random.below(COLLECTIONS.length)] ?? 'apple'
        const id = `by-${index}-${random.below(4)}`
        const put = machine.node.everywhere('shop').put(collection, id, { step })
        // What was acknowledged counts, whether a holder has it yet or not.
        open.push(settled(put.then(() => void written.push({ collection, id, step }))))
      }
    }
    await cluster.advance(random.below(1_500))
  }
  cluster.heal()
  for (const [index, machine] of cluster.nodes.entries()) if (!machine.isUp) cluster.restart(index)
  for (let ms = 0; ms < 60_000; ms += 1_000) await cluster.advance(1_000)
  await Promise.all(open)
  return { cluster, written }
}

/** A crash ends what was under way, and a shard that is nobody else's is not dropped. */
async function settled(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
  }
}

it.each(Array.from({ length: 16 }, (_, index) => index + 1))(
  'seed %i: nothing is lost, nothing comes twice',
  async (seed) => {
    const { cluster, written } = await history(seed)
    expect(written.length).toBeGreaterThan(5)
    const latest = new Map<string, Written>()
    // A writer writes its records one after the other, so the later one is later wherever it is read.
    for (const each of written.toSorted((a, b) => a.step - b.step)) latest.set(`${each.collection}/${each.id}`, each)
    for (const { node } of cluster.nodes) {
      const shop = node.everywhere('shop')
      expect(node.shards('shop').map(({ waitingBlocks }) => waitingBlocks)).toEqual([0, 0])
      for (const collection of COLLECTIONS) {
        const { value: ids } = await within(cluster, shop.ids(collection))
        const wanted = [...latest.values()].filter((each) => each.collection === collection).map(({ id }) => id)
        expect(ids, `${node.name} lists ${collection}`).toEqual(wanted.toSorted())
      }
      for (const { collection, id, step } of latest.values()) {
        const { value } = await within(cluster, shop.get(collection, id))
        expect(value?.properties['step'], `${node.name} reads ${collection}/${id}`).toBe(step)
      }
    }
  },
  // Many seconds of virtual time for each, on a machine that may be busy.
  120_000,
)
