/**
 * A namespace that is split over four processes by the first bytes of collections, and a client that holds nothing: every
 * bucket through every node; holders that are killed in the middle of a query; shards that nobody holds, and that are taken
 * over and dropped while others write.
 */
import { expect, it } from 'vitest'
import { Cluster, eventually, report } from '../support/cluster.ts'
import { CommandError, type ProcessNode } from '../support/process-node.ts'

const RANGES = ['*:a-g', '*:h-n', '*:o-u', '*:v-z'] as const
const BUCKETS = ['apple', 'house', 'order', 'zebra'] as const

function start(cluster: Cluster, name: string, held: string): Promise<ProcessNode> {
  return cluster.start(name, { node: { topics: [`shop:${held}`], name } as never })
}

/** Four holders and a client, in this order, that know of each other. */
async function startAll(cluster: Cluster): Promise<ProcessNode[]> {
  const nodes: ProcessNode[] = []
  for (const [index, held] of [...RANGES, 'none'].entries()) nodes.push(await start(cluster, `node-${index}`, held))
  await untilHeld(nodes, 1)
  return nodes
}

/** Each shard is held by so many at least, as every node knows, and its holders answer for it. */
async function untilHeld(nodes: readonly ProcessNode[], count: number): Promise<void> {
  await eventually('all know who holds what', async () => {
    const all = await Promise.all(nodes.map((node) => node.run('shards')))
    return all.every(
      (shards) =>
        shards.length === RANGES.length &&
        shards.every(
          ({ state, holders }) => holders.length + (state === 'held' ? 1 : 0) >= count && state !== 'taking',
        ),
    )
  })
}

async function codeOf(asked: Promise<unknown>): Promise<string | undefined> {
  try {
    await asked
    return undefined
  } catch (error) {
    return error instanceof CommandError ? error.code : String(error)
  }
}

it('every bucket is written and read through every node', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster)
  for (const [writer, node] of nodes.entries()) {
    for (const bucket of BUCKETS) {
      const put = await node.run('everyPut', bucket, `by-${writer}`, { writer })
      expect(put.fault, `${bucket} by ${node.name}`).toBeUndefined()
    }
  }
  const ids = nodes.map((_, writer) => `by-${writer}`)
  for (const node of nodes) {
    for (const [index, bucket] of BUCKETS.entries()) {
      const answeredBy = [nodes[index]?.peerId]
      expect(await node.run('everyIds', bucket)).toEqual({ value: ids, answeredBy })
      expect(await node.run('everyGet', bucket, 'by-4')).toEqual({
        value: { id: 'by-4', properties: { writer: 4 } },
        answeredBy,
      })
    }
  }
})

it('a holder is killed in the middle of a query, and another answers: nothing is doubled, nothing is missing', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster)
  const second = await start(cluster, 'second', '*:o-u')
  nodes.push(second)
  const client = nodes[4] as ProcessNode
  const text = 'x'.repeat(4_000)
  const count = 3_000
  for (let from = 0; from < count; from += 100) {
    const some = Array.from({ length: 100 }, (_, index) => from + index)
    await Promise.all(
      some.map((number) =>
        (nodes[2] as ProcessNode).run('everyPut', 'order', String(10_000 + number), { number, text }),
      ),
    )
  }
  await eventually('the second has everything', async () => {
    const shards = await second.run('shards')
    const isHeld = shards.some(({ range, state }) => range === '*:o-u' && state === 'held')
    return isHeld && (await second.run('everyIds', 'order')).value.length === count
  })
  await eventually('the client knows both', async () => {
    const shards = await client.run('shards')
    return shards.find(({ range }) => range === '*:o-u')?.holders.length === 2
  })
  const query = { collection: 'order', columns: ['number', 'text'] }
  const startedMs = performance.now()
  const { answeredBy } = await client.run('everyQuery', query)
  const tookMs = performance.now() - startedMs
  const asked = nodes.find(({ peerId }) => peerId === answeredBy[0]) as ProcessNode
  const other = [nodes[2], second].find((node) => node !== asked) as ProcessNode

  const rows: unknown[] = []
  const everyone = new Set<string>()
  const read = async (): Promise<void> => {
    for (let after: string | undefined; ;) {
      const page = await client.run('everyQuery', {
        limit: query,
        count: 10_000,
        ...(after !== undefined && { after }),
      })
      rows.push(...page.value.rows.map((row) => row['number']))
      for (const peer of page.answeredBy) everyone.add(peer)
      after = page.value.next
      if (after === undefined) return
    }
  }
  const again = read()
  // Some pages of megabytes each are under way; one breaks off, and what follows comes from the other.
  await new Promise((resolve) => setTimeout(resolve, tookMs / 3))
  await asked.kill()
  await again
  report(`a page of 1,000 took ${Math.round(tookMs)} ms; where its holder was killed, ${everyone.size} answered`)
  expect(rows).toEqual(Array.from({ length: count }, (_, number) => number))
  expect([...everyone]).toContain(other.peerId)
  const after = await client.run('everyIds', 'order')
  expect(after).toMatchObject({ answeredBy: [other.peerId] })
  expect(after.value).toHaveLength(count)
})

it('a holder is killed while it is followed, and what is written to the next is told', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster)
  const second = await start(cluster, 'second', '*:o-u')
  const [first, client] = [nodes[2], nodes[4]] as [ProcessNode, ProcessNode]
  await eventually('the second holds it, and the client knows both', async () => {
    const isHeld = (await second.run('shards')).some(({ range, state }) => range === '*:o-u' && state === 'held')
    return isHeld && (await client.run('shards')).find(({ range }) => range === '*:o-u')?.holders.length === 2
  })
  await client.run('everyWatch', 'order')
  const isTold = (id: string) => async () => (await client.run('everyTold')).some(([told]) => told === id)
  await first.run('everyPut', 'order', 'before', { number: 1 })
  await eventually('what is written is told', isTold('before'))
  await eventually('both have it', async () => (await second.run('everyIds', 'order')).value.length === 1)
  const { answeredBy } = await client.run('everyIds', 'order')
  const [killed, left] = answeredBy[0] === first.peerId ? [first, second] : [second, first]
  await killed.kill()
  await left.run('everyPut', 'order', 'after', { number: 2 })
  await eventually('what is written to the other is told', isTold('after'))
  expect(await client.run('everyTold')).toContainEqual(['after', { number: 2 }])
})

it('what nobody holds is a code and a warning, and what is written to it arrives when a holder appears', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster)
  const [, , , holder, client] = nodes as [ProcessNode, ProcessNode, ProcessNode, ProcessNode, ProcessNode]
  await client.run('everyPut', 'zebra', 'early', { stripes: 1 })
  await holder.kill()
  const shardOf = async () => (await client.run('shards')).find(({ range }) => range === '*:v-z')
  await eventually('the client knows that nobody holds it', async () => (await shardOf())?.state === 'unheld')
  expect(await codeOf(client.run('everyGet', 'zebra', 'early'))).toBe('RZ_SHARD_UNHELD')
  expect(await client.run('everyPut', 'zebra', 'late', { stripes: 2 })).toMatchObject({
    achieved: false,
    fault: { code: 'RZ_SHARD_UNHELD' },
  })
  expect(await shardOf()).toMatchObject({ waitingBlocks: 1 })
  await eventually('it is told', () =>
    Promise.resolve(client.events.some((event) => event.kind === 'shard' && event.change === 'unheld')),
  )

  // The writer dies and comes back before anybody holds it: what waits is on its disk.
  await client.kill()
  const back = await start(cluster, 'node-4', 'none')
  await start(cluster, 'node-3', '*:v-z')
  await eventually('it has arrived', async () => {
    const ids = await back.run('everyIds', 'zebra').catch(() => undefined)
    return ids?.value.join() === 'early,late'
  })
  await eventually('nothing waits', async () =>
    (await back.run('shards')).every(({ waitingBlocks }) => waitingBlocks === 0),
  )
})

it('a shard is taken over and dropped while others write, and nothing is lost or doubled', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster)
  const [first, next, , , client] = nodes as [ProcessNode, ProcessNode, ProcessNode, ProcessNode, ProcessNode]
  let written = 0
  let isOver = false
  const write = async (node: ProcessNode): Promise<void> => {
    while (!isOver) {
      const number = written++
      const { fault } = await node.run('everyPut', 'apple', String(100_000 + number), { number })
      // Who has not heard of the next holder yet waits with it.
      expect([undefined, 'RZ_DELIVERY_DEADLINE', 'RZ_SHARD_UNANSWERED', 'RZ_SHARD_UNHELD']).toContain(fault?.code)
    }
  }
  const writers = Promise.all([client, nodes[2] as ProcessNode, first].map(write))
  await next.run('hold', 'shop:*:a-g')
  await eventually('the next holds it', async () => {
    const shards = await next.run('shards')
    return shards.some(({ range, state }) => range === '*:a-g' && state === 'held')
  })
  const atHold = written
  await first.run('drop', 'shop:*:a-g')
  const atDrop = written
  await eventually('writing goes on', () => Promise.resolve(written > atDrop + 50))
  isOver = true
  await writers
  report(
    `${atHold} records written until the next held it, ${atDrop} until the first had dropped it, ${written} in all`,
  )
  const ids = Array.from({ length: written }, (_, number) => String(100_000 + number))
  for (const node of nodes) {
    await eventually(`${node.name} sees all`, async () => {
      const { value, answeredBy } = await node.run('everyIds', 'apple')
      return value.join() === ids.join() && answeredBy[0] === next.peerId
    })
  }
  expect(await codeOf(next.run('drop', 'shop:*:a-g'))).toBe('RZ_SHARD_LAST_COPY')
})
