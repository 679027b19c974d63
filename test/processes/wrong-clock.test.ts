/** A node whose clock is in the year 2100: it does not move ours, nothing of the future is shown, and both are told. */
import { expect, test } from 'vitest'
import { expectConnected, expectEqual, Cluster, eventually } from '../support/cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'

const YEAR_2100_MS = Date.UTC(2100, 0, 1)
const MINUTE_MS = 60_000

/** A module that moves the process's clock. */
function clockAt(startMs: number): string {
  const code = `const now = Date.now; const ahead = ${startMs} - now(); Date.now = () => now() + ahead`
  return `data:text/javascript,${encodeURIComponent(code)}`
}

test('a node from the year 2100 does not move our clock, and both sides are told', async () => {
  await using cluster = await Cluster.open()
  const future = await cluster.start('future', { preload: [clockAt(YEAR_2100_MS)] })
  const [a, b] = await cluster.startAll('a', 'b')
  if (a === undefined || b === undefined) throw new Error('two nodes were started')
  expect(await future.run('nowMs')).toBeGreaterThanOrEqual(YEAR_2100_MS)
  await expectConnected([future, a, b])
  await future.putMany('future-', 10)
  await a.putMany('a-', 10)

  await eventually('a is told of a block from the future', () => told(a, 'future-block'))
  for (const node of [a, b, future])
    await eventually(`${node.name} is told of the clock`, () => told(node, 'clock-off'))
  const past = future.events.find((event) => event.kind === 'replication' && event.event.kind === 'clock-off')
  expect(past).toMatchObject({ event: { offsetMs: expect.any(Number) as number } })

  // What we write is dated by our own clock, after all that came from the future.
  await b.putMany('b-', 10)
  await expectEqual([a, b], [...a.acknowledged, ...b.acknowledged])
  for (const node of [a, b]) {
    expect((await node.run('ids', 'user')).filter((id) => id.startsWith('future-'))).toEqual([])
    const newestMs = await node.run('newestMs')
    expect(newestMs).toBeLessThan(Date.now() + MINUTE_MS)
  }
  // It takes part all the same: what we write reaches it.
  await eventually('the node from the future has ours', async () => {
    const missing = await future.run('missing', [...a.acknowledged, ...b.acknowledged])
    return missing.length === 0
  })
})

function told(node: ProcessNode, kind: 'clock-off' | 'future-block'): boolean {
  return node.events.some((event) => event.kind === 'replication' && event.event.kind === kind)
}
