/** The failure detector on a LAN whose packets are lost: nobody who lives is down, and who dies is. Times are printed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Cluster, expectConnected, report } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import { expectAllAlive, stateOf, toldBy } from '../support/members.ts'
import { until } from '../support/nodes.ts'
import type { ProcessNode } from '../support/process-node.ts'

const NAMES = ['a', 'b', 'c', 'd'] as const
const LOSSY_MS = 60_000

test('where every host loses a tenth of its packets, nobody who lives is down, and a host that is cut off is', async () => {
  using lan = new Lan(NAMES)
  await using cluster = await Cluster.open(lan)
  const nodes = await cluster.startAll(...NAMES)
  await expectConnected(nodes)
  await expectAllAlive(nodes)
  for (const name of NAMES) lan.lose(name, 10)
  await sleep(LOSSY_MS)
  const told = nodes.flatMap(toldBy)
  report(`with 10 % loss: ${told.filter(({ state }) => state === 'suspect').length} suspicions, all refuted`)
  expect(told.filter(({ state }) => state === 'down')).toEqual([])

  const [, , , last] = nodes as [ProcessNode, ProcessNode, ProcessNode, ProcessNode]
  const cutMs = performance.now()
  lan.cut('d')
  await until('it is down', () => nodes.slice(0, 3).every((node) => stateOf(node, last) === 'down'), 30_000)
  report(`a host cut off was down after ${Math.round(performance.now() - cutMs)} ms`)
  lan.heal('d')
  await until('it is back', () => nodes.slice(0, 3).every((node) => stateOf(node, last) === 'alive'), 60_000)
})
