/** A shard's rules lie in its parent: where they change there, what is watched in the shard is told anew. */
import { expect, it, onTestFinished } from 'vitest'
import { type RhizomeNode, SHIPPED_RESOLVERS } from '../../../src/index.ts'
import { createCluster } from '../../../src/testing/cluster.ts'

const SHARD = 'shop:*:a-g'

/** A node that holds a shard, and one that holds the parent alone. */
async function holderAndOther() {
  const cluster = createCluster({ nodes: 2, topics: ['shop'], topicsOf: [[SHARD], ['shop:none']] })
  onTestFinished(() => cluster.close())
  await cluster.advance(6_000)
  await cluster.settle()
  const [holder, other] = cluster.nodes.map(({ node }) => node) as [RhizomeNode, RhizomeNode]
  const apples = holder.namespace(SHARD)
  for (const n of [1, 2]) await apples.put('apple', 'x', { n })
  await apples.put('beer', 'x', { n: 1 })
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  return { cluster, apples, parent: other.namespace('shop'), signal: stop.signal }
}

const sum = { collection: 'apple', property: 'n', rule: SHIPPED_RESOLVERS.sum }

it('records of a shard are told again when a resolver of their collection comes to its parent', async () => {
  const { cluster, apples, parent, signal } = await holderAndOther()
  const told = apples.watch('apple', { signal })[Symbol.asyncIterator]()
  const next = told.next()
  await parent.resolver('beers', { ...sum, collection: 'beer' })
  await parent.resolver('sum', sum)
  await cluster.settle()
  expect((await next).value).toMatchObject({ id: 'x', view: { properties: { n: 3 } } })
})

it('records of a shard are told again when the context in which they are watched changes in its parent', async () => {
  const { cluster, apples, parent, signal } = await holderAndOther()
  await parent.context('audit', { negations: 'everyone' })
  await cluster.settle()
  const told = apples.watch('apple', { context: 'audit', signal })[Symbol.asyncIterator]()
  const next = told.next()
  await parent.context('audit', { filter: { '==': [1, 2] } })
  await cluster.settle()
  expect((await next).value).toEqual({ id: 'x', position: apples.position() })
})

it('a live query of a shard tells what a context of its parent makes of its rows', async () => {
  const { cluster, apples, parent, signal } = await holderAndOther()
  await parent.context('audit', { negations: 'everyone' })
  await cluster.settle()
  const told = apples.watch({ collection: 'apple' }, { context: 'audit', signal })[Symbol.asyncIterator]()
  expect((await told.next()).value).toMatchObject({ added: [{ id: 'x', n: 2 }] })
  const next = told.next()
  await parent.context('audit', { filter: { '==': [1, 2] } })
  await cluster.settle()
  expect((await next).value).toMatchObject({ added: [], removed: [{ id: 'x', n: 2 }] })
})
