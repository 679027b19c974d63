/** An overlay that is closed by a secret: who has another one, or none, is told so, on both sides. */
import { describe, expect, test } from 'vitest'
import { expectEqual, Cluster, eventually } from '../support/cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'

describe.concurrent('an overlay with a secret', () => {
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
      for (const node of [inside, outside]) await eventually(`${node.name} names the secret`, () => namesSecret(node))
      await Promise.all([inside.putMany('inside-', 5), outside.putMany('outside-', 5)])
      expect(await inside.connected()).toEqual([])
      expect(await outside.connected()).toEqual([])
      expect(await outside.run('status')).toEqual({ kind: 'alone' })
      expect(await outside.run('get', 'user', 'inside-0')).toBeUndefined()
    })
  }

  test('nodes with the same secret connect and are equal', async () => {
    await using cluster = await Cluster.open()
    const nodes = await Promise.all(
      ['a', 'b', 'c'].map((name) => cluster.start(name, { network: { secret: 'the same' } })),
    )
    await Promise.all(nodes.map((node) => node.putMany(`${node.name}-`, 10)))
    await expectEqual(nodes, cluster.acknowledged())
  })

  test('a directory that was shared under one secret is not opened under another, nor without any', async () => {
    await using cluster = await Cluster.open()
    const first = await cluster.start('a', { network: { secret: 'first' } })
    await first.putMany('a-', 10)
    await first.stop()
    for (const network of [{ secret: 'second' }, {}]) {
      await expect(cluster.start('a', { network })).rejects.toMatchObject({ code: 'RZ_NODE_SECRET_DIFFERS' })
    }
    const again = await cluster.start('a', { network: { secret: 'first' } })
    expect(await again.run('missing', first.acknowledged)).toEqual([])
  })
})

function namesSecret(node: ProcessNode): boolean {
  return node.networkEvents('dial-failed').some(({ code }) => code === 'secret-mismatch')
}
