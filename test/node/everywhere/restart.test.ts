/** Real nodes that are started again with other topics than before. */
import { expect, it } from 'vitest'
import type { RhizomeNode } from '../../../src/index.ts'
import { openLoopbackNode, temporaryFolder, until } from '../../support/nodes.ts'

const SHARD = 'shop:*:a-g'
const stateOf = (node: RhizomeNode) => node.shards('shop').find(({ name }) => name === SHARD)?.state

it('a shard that is no topic any more is held until another holder has everything', async () => {
  const data = await temporaryFolder()
  const before = await openLoopbackNode([], { topics: [SHARD], data })
  await until('it is held', () => stateOf(before) === 'held')
  for (const id of ['1', '2', '3']) await before.everywhere('shop').put('apple', id, { id })
  await before.close()

  const node = await openLoopbackNode([], { topics: ['shop:none'], data })
  await until('it is held on', () => stateOf(node) === 'dropping')
  expect(node.everywhere('shop').ids('apple')).toMatchObject({ value: ['1', '2', '3'], answeredBy: [node.peerId] })

  // A copy in memory is none where this one is on a disk.
  const other = await openLoopbackNode([node], { topics: [SHARD], data: await temporaryFolder() })
  await until('it is dropped', () => stateOf(node) === 'elsewhere', 30_000)
  expect(await node.everywhere('shop').ids('apple')).toMatchObject({
    value: ['1', '2', '3'],
    answeredBy: [other.peerId],
  })
  expect(node.namespaces().map(({ name }) => name)).toEqual(['shop'])
})
