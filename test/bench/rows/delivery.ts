/**
 * What each kind of delivery costs in time: five nodes in processes of their own, on loopback, each connected to all. One
 * writes single records, and all kinds are subscribed to at once; what counts is when the last of the four others was handed
 * each. For `uniform` three of five have to tell first that they hold it.
 */

import { setTimeout as after } from 'node:timers/promises'
import type { Delivery } from '../../../src/index.ts'
import { Cluster, expectConnected } from '../../support/cluster.ts'
import { expectAllAlive } from '../../support/members.ts'
import { until } from '../../support/nodes.ts'
import type { ProcessNode } from '../../support/process-node.ts'
import { sharedMs } from '../../support/shared-clock.ts'
import { percentile, type Row, rowOfFigures } from '../measure.ts'
import { type Bench, fewer, type Scale, sized } from '../row.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const
const DELIVERIES: readonly Delivery[] = ['best-effort', 'reliable', 'causal', 'uniform']

type Latencies = Record<Delivery, readonly number[]>

export const delivery: Bench = {
  name: 'delivery',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const runs: Latencies[] = []
    for (let run = 0; run < fewer(scale, 3); run++) runs.push(await latenciesOf(sized(scale, 500, 20)))
    return DELIVERIES.flatMap((kind) =>
      [0.5, 0.99].map((share) =>
        rowOfFigures(
          { what: `${kind}: handed out on all of 5 nodes, p${share * 100}`, unit: 'ms', runs: runs.length },
          runs.map((latencies) => ({ value: percentile(latencies[kind], share) })),
        ),
      ),
    )
  },
}

async function latenciesOf(writes: number): Promise<Latencies> {
  await using cluster = await Cluster.open()
  const nodes = await cluster.startAll(...NAMES)
  await expectConnected(nodes)
  await expectAllAlive(nodes)
  const [writer, ...others] = nodes as [ProcessNode, ...ProcessNode[]]
  const members = nodes.map(({ peerId }) => peerId)
  for (const node of nodes) {
    for (const kind of DELIVERIES) {
      await node.run('subscribe', { delivery: kind, ...(kind === 'uniform' ? { members } : {}) })
    }
  }
  const sentMs: number[] = []
  for (let index = 0; index < writes; index++) {
    sentMs.push(sharedMs())
    await writer.put(`${index}`)
    // Not in step with anything: as single writes come.
    await after(5 + (index % 7))
  }
  const answer: Record<Delivery, readonly number[]> = { 'best-effort': [], reliable: [], causal: [], uniform: [] }
  for (const kind of DELIVERIES) {
    const handed = await until(
      `${kind} has handed out all`,
      async () => {
        const all = await Promise.all(others.map((node) => node.run('handed', kind)))
        return all.every(({ length }) => length === writes) && all
      },
      60_000,
    )
    const times = handed.map((each) => new Map(each.map(({ id, atMs }) => [id, atMs])))
    answer[kind] = writer.acknowledged.map((id, index) => {
      const last = Math.max(...times.map((of) => of.get(id) ?? Number.NaN))
      return last - (sentMs[index] ?? Number.NaN)
    })
  }
  return answer
}
