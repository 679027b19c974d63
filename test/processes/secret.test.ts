/** An overlay that is closed by a secret: who has another one, or none, is told so, on both sides. */
import { expect, test } from 'vitest'
import { allEqual, Cluster } from '../support/cluster.ts'
import { until } from '../support/nodes.ts'
import type { ProcessNode } from '../support/process-node.ts'

for (const [title, secret] of [
  ['another secret', 'wrong'],
  ['no secret', undefined],
] as const) {
  test(`a node with ${title} does not connect, and both sides name the reason`, async () => {
    await using cluster = await Cluster.open()
    const inside = await cluster.start('inside', { network: { secret: 'right', registry: false } })
    const outside = await cluster.start('outside', {
      network: { ...(secret === undefined ? {} : { secret }), peers: inside.addresses, registry: false },
    })
    for (const node of [inside, outside]) await until(`${node.name} names the secret`, () => namesSecret(node))
    await Promise.all([inside.putMany('inside-', 5), outside.putMany('outside-', 5)])
    expect(await inside.connected()).toEqual([])
    expect(await outside.connected()).toEqual([])
    expect(await outside.run('status')).toEqual({ kind: 'alone' })
    expect(await outside.run('get', 'user', 'inside-0')).toBeUndefined()
  })
}

test('nodes with the same secret connect and are equal, and go on when one of them is told it anew', async () => {
  await using cluster = await Cluster.open()
  const a = await cluster.start('a', { network: { secret: 'right' } })
  const wrong = await cluster.start('b', { network: { secret: 'wrong' } })
  await wrong.putMany('b-', 10)
  await until('b names the secret', () => namesSecret(wrong))
  await wrong.stop()
  const right = await cluster.start('b', { network: { secret: 'right' } })
  await a.putMany('a-', 10)
  await allEqual([a, right], cluster.acknowledged())
})

function namesSecret(node: ProcessNode): boolean {
  return node.networkEvents('dial-failed').some(({ code }) => code === 'secret-mismatch')
}
