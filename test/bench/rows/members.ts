/**
 * Membership: how soon a killed process is down for others (real processes on loopback), how often one that lives is
 * suspected where packets are lost (a model on virtual time), and what presence costs as members grow.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { DETECTORS, type PhiOptions } from '../../../src/sync/members/detector.ts'
import { Arrivals } from '../../../src/sync/members/phi.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { Cluster } from '../../support/cluster.ts'
import { expectAllAlive, stateOf } from '../../support/members.ts'
import { until } from '../../support/nodes.ts'
import { degreesOf, presencesPerSecond } from '../../support/presence-traffic.ts'
import { type Row, rowOf, rowOfFigures } from '../measure.ts'
import { type Bench, fewer, type Scale, sized } from '../row.ts'

const LOSS = 0.1
/** TCP's least time to send again, and doubled with each loss of the same packet (RFC 6298; Linux has 200 ms). */
const RETRANSMIT_MS = 200

export const members: Bench = {
  name: 'members',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const detector = DETECTORS.lan
    if (detector.kind !== 'phi') throw new Error('it is of that kind')
    const detection = await rowOf(
      { what: 'a killed process is down for others (preset lan)', unit: 'ms', atMost: 3_000, runs: fewer(scale, 3) },
      async () => ({ value: await detectionMs(sized(scale, 20_000, 2_000)) }),
    )
    const suspicions = await rowOf(
      { what: 'suspicions of one neighbour that lives, at 10 % loss, before it refutes', unit: 'in 1,000 h', runs: 1 },
      () => ({ value: falseSuspicions(detector, sized(scale, 400, 100)) }),
    )
    const costs = [10, 100, sized(scale, 1_000, 300)].flatMap((count) => [
      rowOfFigures({ what: `presences told to a node of ${count}`, unit: 'a second', atMost: 6, runs: 1 }, [
        { value: presencesPerSecond({ members: count, detector, seconds: sized(scale, 3_600, 300) }) },
      ]),
      rowOfFigures({ what: `heartbeats sent by a node of ${count}`, unit: 'a second', atMost: 40, runs: 1 }, [
        { value: (mean(degreesOf(count)) * 1_000) / detector.heartbeatMs },
      ]),
    ])
    return [detection, suspicions, ...costs]
  },
}

/** `steadyMs`: how long heartbeats are seen before. */
async function detectionMs(steadyMs: number): Promise<number> {
  await using cluster = await Cluster.open()
  const [victim, ...others] = await cluster.startAll('a', 'b', 'c')
  if (victim === undefined) throw new Error('three nodes were started')
  await expectAllAlive([victim, ...others])
  await sleep(steadyMs)
  const killedMs = performance.now()
  await victim.kill()
  await until('it is down', () => others.every((node) => stateOf(node, victim) === 'down'), 30_000)
  return performance.now() - killedMs
}

/** Heartbeats over TCP: a lost packet comes later, and what was sent after it waits for it. */
function falseSuspicions(detector: PhiOptions, hours: number): number {
  const random = seededRandom(1)
  const arrivals = new Arrivals(detector)
  let count = 0
  let lastMs = 0
  for (let sentMs = 0; sentMs < hours * 3_600_000; sentMs += detector.heartbeatMs) {
    let atMs = sentMs + 1 + random.next() * 20
    for (let waitMs = RETRANSMIT_MS; random.next() < LOSS; waitMs *= 2) atMs += waitMs
    const arrivedMs = Math.max(atMs, lastMs)
    if (arrivals.phi(arrivedMs) >= detector.phi) count++
    arrivals.arrived(arrivedMs, detector.heartbeatMs)
    lastMs = arrivedMs
  }
  return (count * 1_000) / hours
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
