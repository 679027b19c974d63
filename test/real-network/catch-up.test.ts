/** A connection that breaks in the middle of a long catch-up: it goes on where it was. Counted in bytes on the wire. */
import { expect, test } from 'vitest'
import { expectEqual, Cluster, report, eventually } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import type { ProcessNode } from '../support/process-node.ts'

const BLOCKS = 8_000
const VALUE = 'x'.repeat(500)
/** So slow that the breaks come in the middle: the whole takes some five seconds. */
const KILOBITS = 10_000
/** Without resumption each break would send again what had come before it: 25 %, then 50 %, then 75 %. */
const BREAK_AT = [0.25, 0.5, 0.75]
/** Handshakes, mDNS, and what was under way in buffers when the connection broke. */
const OVERHEAD = 1.3

test('a catch-up that is broken three times sends little twice', async () => {
  using lan = new Lan(['a', 'whole', 'broken'])
  await using cluster = await Cluster.open(lan)
  const a = await cluster.start('a')
  await a.putMany('user', BLOCKS, VALUE)
  lan.slow('a', KILOBITS)

  const whole = await cluster.start('whole')
  await expectEqual([a, whole], a.acknowledged)
  const wholeBytes = lan.receivedBytes('whole')
  await whole.stop()

  const broken = await cluster.start('broken')
  for (const share of BREAK_AT) {
    const blocks = Math.round(share * BLOCKS)
    await eventually(`${blocks} blocks are there`, async () => (await broken.run('counts')).blocks >= blocks)
    const disconnections = disconnectionsOf(broken)
    lan.resetTcp('a', 'broken')
    await eventually('the connection breaks', () => disconnectionsOf(broken) > disconnections)
    lan.allowTcp('a', 'broken')
  }
  expect((await broken.run('counts')).blocks).toBeLessThan(BLOCKS)
  await expectEqual([a, broken], a.acknowledged)
  const brokenBytes = lan.receivedBytes('broken')
  report(`whole ${wholeBytes} bytes, broken three times ${brokenBytes} bytes`)
  expect(brokenBytes).toBeLessThan(OVERHEAD * wholeBytes)
})

function disconnectionsOf(node: ProcessNode): number {
  return node.networkEvents('disconnected').length
}
