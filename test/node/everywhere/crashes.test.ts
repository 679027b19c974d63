/** Shards on machines that lose power, die and have disks that fail, while records are carried and shards are taken over. */
import { expect, it, onTestFinished } from 'vitest'
import { openNamespaceId } from '../../../src/log/namespace.ts'
import { createMemoryNetwork } from '../../../src/net/memory.ts'
import { Machine } from '../../../src/testing/machine.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { VirtualTime } from '../../../src/testing/virtual-time.ts'

const SHARD = 'shop:*:a-g'

/** Machines that have been up for so long that they know of each other. */
async function started(...topics: readonly (readonly string[])[]) {
  const time = new VirtualTime(Date.UTC(2026, 0, 1))
  const random = seededRandom(1)
  const network = createMemoryNetwork({
    schedule: (delayMs, run) => void time.schedule(delayMs, run),
    random: () => random.next(),
    nowMs: () => time.nowMs(),
  })
  const machines = topics.map(
    (held, index) =>
      new Machine({ name: `node-${index}`, topics: held, time, network, random: seededRandom(index + 2) }),
  )
  for (const machine of machines) machine.start()
  onTestFinished(async () => void (await Promise.all(machines.map((machine) => machine.stop()))))
  await time.advance(10_000)
  const within = async <Answer>(answer: Answer | Promise<Answer>): Promise<Answer> => {
    let isOver = false
    const watched = Promise.resolve(answer).finally(() => (isOver = true))
    watched.catch(() => undefined)
    for (let ms = 0; !isOver && ms < 60_000; ms += 10) await time.advance(10)
    return watched
  }
  return { time, network, machines, within }
}

const shopOf = ({ node }: Machine) => {
  if (node === undefined) throw new Error('it is down')
  return node.everywhere('shop')
}
const stateOf = ({ node }: Machine) => node?.shards('shop').find(({ name }) => name === SHARD)?.state

it('what a power cut took from the only holder comes back from who wrote it', async () => {
  const { time, machines, within } = await started([SHARD], ['shop:none'])
  const [holder, writer] = machines as [Machine, Machine]
  holder.disk.sync()
  for (const id of ['x', 'y', 'z'])
    expect((await within(shopOf(writer).put('apple', id, { id }))).fault).toBeUndefined()
  holder.powerCut(Infinity)
  holder.start()
  expect(shopOf(holder).ids('apple')).toBeInstanceOf(Promise)
  await time.advance(10_000)
  expect((await within(shopOf(holder).ids('apple'))).value).toEqual(['x', 'y', 'z'])
})

it('a node that gave a receipt while it was taking a shard over holds it after a crash', async () => {
  const { time, machines, within } = await started(['shop:none'], ['shop:none'])
  const [holder, writer] = machines as [Machine, Machine]
  await holder.node?.hold(SHARD)
  await time.advance(1_500)
  expect(stateOf(holder)).toBe('taking')
  expect((await within(shopOf(writer).put('apple', 'x', { a: 1 }))).fault).toBeUndefined()
  expect(stateOf(holder)).toBe('taking')
  holder.kill()
  holder.start()
  await time.advance(10_000)
  expect((await within(shopOf(writer).get('apple', 'x'))).value?.properties).toEqual({ a: 1 })
})

it('a node whose disk fails while it takes a shard over goes on, and is a holder once the disk is sound', async () => {
  const { time, machines, within } = await started(['shop'], ['shop:none'])
  const [holder, other] = machines as [Machine, Machine]
  await within(other.node?.namespace('shop').place('*:a-g'))
  holder.disk.fault = 'failed'
  await time.advance(10_000)
  expect(stateOf(other)).toBe('unheld')
  holder.disk.fault = 'none'
  await time.advance(10_000)
  expect(stateOf(holder)).toBe('held')

  // And in the very moment in which it would become one.
  await within(other.node?.namespace('shop').place('*:h-n'))
  await time.advance(2_000)
  holder.disk.fault = 'failed'
  await time.advance(10_000)
  const states = () => holder.node?.shards('shop').map(({ state }) => state)
  expect(states()).toEqual(['held', 'taking'])
  holder.disk.fault = 'none'
  expect(states()).toEqual(['held', 'held'])
})

it('what lies in the parent twice is moved once, and none of it is left there', async () => {
  const { time, network, machines, within } = await started(['shop'], [SHARD])
  const [early, holder] = machines as [Machine, Machine]
  const placed = holder.node?.namespace('shop').placements.ranges.length
  expect(placed).toBe(1)
  early.kill()
  early.disk.powerCut(Infinity)
  network.partition([early.peerId], [holder.peerId])
  early.start()
  for (const size of [1, 2]) await within(shopOf(early).put('apple', 'x', { size }))
  network.heal()
  await time.advance(20_000)
  expect(early.node?.namespace('shop').ids('apple')).toEqual([])
  expect((await within(shopOf(early).get('apple', 'x'))).value?.properties).toEqual({ size: 2 })
  expect(early.store?.counts(openNamespaceId(SHARD)).deltas).toBe(1)
})

it('what was lost to a power cut, and comes back from others after the placement, is moved', async () => {
  const { time, network, machines, within } = await started(['shop'], ['shop:none'])
  const [early, witness] = machines as [Machine, Machine]
  const holder = new Machine({ name: 'holder', topics: [SHARD], time, network, random: seededRandom(9) })
  await within(shopOf(early).put('house', 'x', { rooms: 1 }))
  early.disk.sync()
  await within(shopOf(early).put('apple', 'x', { size: 1 }))
  await time.advance(1_000)
  early.powerCut(Infinity)
  network.partition([early.peerId, holder.peerId], [witness.peerId])
  holder.start()
  early.start()
  onTestFinished(() => holder.stop())
  await time.advance(10_000)
  expect(early.node?.namespace('shop').ids('apple')).toEqual([])
  network.heal()
  await time.advance(20_000)
  expect(early.node?.namespace('shop').ids('apple')).toEqual([])
  expect((await within(shopOf(witness).get('apple', 'x'))).value?.properties).toEqual({ size: 1 })
})

it('what cannot be moved, since nobody holds its shard, keeps nothing else from being moved', async () => {
  const { time, network, machines, within } = await started(['shop:none'], ['shop:none'])
  const [early, holder] = machines as [Machine, Machine]
  network.partition([early.peerId], [holder.peerId])
  for (const collection of ['apple', 'house']) await within(shopOf(early).put(collection, 'x', { in: collection }))
  await within(holder.node?.namespace('shop').place('*:a-g'))
  await within(holder.node?.hold('shop:*:h-n'))
  network.heal()
  await time.advance(30_000)
  expect(early.node?.namespace('shop').ids('apple')).toEqual(['x'])
  expect((await within(shopOf(holder).get('house', 'x'))).value?.properties).toEqual({ in: 'house' })
})

it('what is written while an older value is moved is the later of the two', async () => {
  const run = async (writesAfterMs: number): Promise<{ readonly movedAfterMs: number; readonly size: unknown }> => {
    const { time, network, machines, within } = await started(['shop'], ['shop:none'])
    const [early, reader] = machines as [Machine, Machine]
    const holder = new Machine({ name: 'holder', topics: [SHARD], time, network, random: seededRandom(9) })
    network.partition([early.peerId], [reader.peerId, holder.peerId])
    await within(shopOf(early).put('apple', 'x', { size: 1 }))
    holder.start()
    onTestFinished(() => holder.stop())
    await time.advance(10_000)
    // It does not hold what is placed, so that it asks.
    early.node?.drop(SHARD, { force: true }).catch(() => undefined)
    network.heal()
    const startMs = time.nowMs()
    let movedAfterMs = Infinity
    early.node?.onEvent(({ kind }) => {
      if (kind === 'records-moved') movedAfterMs = time.nowMs() - startMs
    })
    time.schedule(writesAfterMs, () => void shopOf(early).put('apple', 'x', { size: 2 }))
    await time.advance(20_000)
    return { movedAfterMs, size: (await within(shopOf(reader).get('apple', 'x'))).value?.properties['size'] }
  }
  const { movedAfterMs } = await run(19_000)
  for (let beforeMs = 16; beforeMs >= -2; beforeMs--) {
    expect({ beforeMs, ...(await run(movedAfterMs - beforeMs)) }).toMatchObject({ beforeMs, size: 2 })
  }
})
