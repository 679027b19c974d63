/** What lies in a shard is answered over HTTP by any node, byte for byte as its holder answers. */
import { expect, it, onTestFinished } from 'vitest'
import { openHttp } from '../../src/http/server.ts'
import { ref, type RhizomeNode, SHIPPED_RESOLVERS, trustOnly, verifyProof } from '../../src/index.ts'
import type { Cluster } from '../../src/testing/cluster.ts'
import { shardedCluster, within } from '../support/sharded.ts'

interface Answer {
  readonly status: number
  readonly answeredBy: string | null
  /** Shards that the answer goes without. */
  readonly unheld: string | null
  readonly body: string
}

type Ask = (method: string, path: string, body?: unknown, accept?: string) => Promise<Answer>

/** Asks a node of the cluster over TCP. */
async function asking(cluster: Cluster, node: RhizomeNode): Promise<Ask> {
  const face = await openHttp(node, { port: 0, socketPath: false })
  onTestFinished(() => face.close())
  const ask: Ask = async (method, path, body, accept = 'application/json') => {
    const told = body !== undefined && { body: JSON.stringify(body) }
    const headers = { accept, ...(body !== undefined && { 'content-type': 'application/json' }) }
    const response = await fetch(`http://127.0.0.1:${face.port}/api/ns/shop/${path}`, { method, headers, ...told })
    const answeredBy = response.headers.get('rhizome-answered-by')
    const unheld = response.headers.get('rhizome-unheld')
    return { status: response.status, answeredBy, unheld, body: await response.text() }
  }
  return (...asked) => within(cluster, ask(...asked), 3_600_000)
}

/** A holder of orders, a holder of houses, and a client that holds neither, with records that have all there is to tell. */
async function shop() {
  const cluster = await shardedCluster([['shop:*:o-u'], ['shop:*:h-n'], ['shop:none']])
  const [holder, other, client] = cluster.nodes.map(({ node }) => node)
  if (holder === undefined || other === undefined || client === undefined) throw new Error('three nodes')
  const rules = holder.namespace('shop')
  await rules.context('nobody', trustOnly([]))
  await rules.resolver('sum', { collection: 'order', property: 'parts', rule: SHIPPED_RESOLVERS.sum })
  await rules.resolver('all', { collection: 'order', property: 'all', rule: SHIPPED_RESOLVERS.all })
  await rules.resolver('bad', { collection: 'order', property: 'bad', rule: { '+': [{ var: 'nothing' }, {}] } })
  await rules.storeQuery('sizes', { query: { collection: 'order', columns: ['size', 'a', 'longer'] } })
  await rules.put('advice', 'x', { text: 'in the parent' })
  const orders = holder.everywhere('shop')
  const put = (id: string, properties: Parameters<typeof orders.put>[2]) => orders.put('order', id, properties)
  const first = await put('17', { size: 1, a: 'first', '2': 'two', '10': 'ten', bytes: Uint8Array.of(0, 255) })
  await cluster.advance(1_000)
  const middleMs = cluster.nowMs()
  await cluster.advance(1_000)
  await put('17', {
    size: 2,
    longer: { zz: 1, b: [{ y: 1, x: 2 }] },
    house: ref('order/18', 'orders'),
    bad: 1,
    __proto__x: null,
  })
  for (const part of [1, 2, 3]) await put('17', { parts: part, all: part })
  await put('18', { size: 3 })
  const shard = holder.namespace('shop:*:o-u')
  const raw = await shard.append([
    { localContext: 'order', target: 'order/17', targetContext: 'history' },
    { localContext: 'zz', target: 1 },
    { localContext: 'b', target: 'order/18', targetContext: 'seen' },
  ])
  const negated = first.deltas[0] ?? ''
  const negation = (await shard.negate(negated)).deltas[0] ?? ''
  await shard.negate(negation)
  await shard.negate(first.deltas[1] ?? '')
  await within(cluster, client.everywhere('shop').put('house', '1', { rooms: 3 }))
  await cluster.settle()
  await rules.append([{ localContext: 'raw', target: 'raw', targetContext: 'said' }])
  await cluster.settle()
  const [here, elsewhere] = [await asking(cluster, holder), await asking(cluster, client)]
  return { cluster, holder, client, here, elsewhere, deltas: { raw: raw.deltas[0] ?? '', negated, negation }, middleMs }
}

const record = 'collections/order/entities/17'

it('every reading of a record is byte for byte that of its holder', async () => {
  const { holder, here, elsewhere, deltas, middleMs } = await shop()
  const properties = ['size', 'a', '2', 'bytes', 'longer', 'house', 'bad', 'parts', 'all', 'history', 'absent']
  const readings = [
    record,
    'collections/order/entities/absent',
    `${record}?expand=2`,
    'collections/order/ids',
    'collections/order/ids?limit=1',
    'entities/order%2F17',
    'entities/order%2Fabsent',
    'entities/order%2F17/lossless',
    'entities/order%2Fabsent/lossless',
    ...properties.map((property) => `${record}/explain/${property}`),
    ...properties.map((property) => `${record}/history/${property}`),
    `${record}/history/size?limit=2`,
    `${record}/diff?from=${middleMs}`,
    `${record}/diff?from=0&to=${middleMs}`,
    `${record}/diff?from=never`,
    'queries/sizes/rows',
    'queries/absent/rows',
    ...Object.values(deltas).flatMap((id) => [
      `deltas/${id}`,
      `entities/${encodeURIComponent(id)}`,
      `entities/${encodeURIComponent(id)}/lossless`,
    ]),
  ]
  const narrowed = [record, 'entities/order%2F17/lossless', `${record}/explain/size`, `${record}/history/size`].flatMap(
    (path) =>
      ['context=nobody', 'context=unknown', `asOf=${middleMs}`, 'asOf=never'].map((asked) => `${path}?${asked}`),
  )
  const refused: string[] = []
  for (const path of [...readings, ...narrowed]) {
    const told = await here('GET', path)
    expect({ path, ...(await elsewhere('GET', path)) }).toEqual({ path, ...told })
    if (told.status === 200) expect({ path, by: told.answeredBy }).toEqual({ path, by: holder.peerId })
    else if (!narrowed.includes(path) && !path.includes('absent')) refused.push(`${told.status} ${path}`)
  }
  // Nothing is claimed of the one, and of the other nothing stands.
  const [raw, negated] = [deltas.raw, deltas.negated].map(encodeURIComponent)
  expect(refused).toEqual([
    `400 ${record}/diff?from=never`,
    `404 entities/${raw}`,
    `404 entities/${raw}/lossless`,
    `404 entities/${negated}`,
  ])
  expect((await elsewhere('GET', 'collections')).body).toEqual((await here('GET', 'collections')).body)
  for (const query of [
    { collection: 'order', columns: ['size', 'a', '2', 'id', 'longer'] },
    { group: { collection: 'order' }, by: { longer: { var: 'longer' } }, aggregates: { zz: { count: true } } },
  ]) {
    expect(await elsewhere('POST', 'query', query)).toEqual(await here('POST', 'query', query))
  }
})

it('views of several entities and of all are brought together, each from where it lies', async () => {
  const { here, elsewhere, holder, deltas } = await shop()
  const ids = async (ask: Ask, path: string, body?: unknown) => {
    const answer = await ask(body === undefined ? 'GET' : 'POST', path, body)
    expect(answer.status).toBe(200)
    return (JSON.parse(answer.body) as readonly { readonly id: string }[]).map(({ id }) => id)
  }
  const all = await ids(elsewhere, 'entities')
  expect(all.filter((id) => !id.startsWith('placement/'))).toEqual([
    'advice/x',
    'context/nobody',
    'house/1',
    'order/17',
    'order/18',
    'query/sizes',
    'raw',
    ...['all', 'bad', 'sum'].map((id) => `resolver/${id}`),
  ])
  expect(await ids(elsewhere, 'entities?limit=3&after=house%2F1')).toEqual([
    'order/17',
    'order/18',
    all[all.indexOf('order/18') + 1],
  ])
  expect((await ids(elsewhere, 'lossless')).filter((id) => id === deltas.negated)).toHaveLength(1)
  for (const path of [
    'entities',
    'lossless',
    'entities?prefix=order%2F',
    'lossless?prefix=order%2F18',
    'lossless?prefix=o',
  ]) {
    expect((await elsewhere('GET', path)).body).toBe((await here('GET', path)).body)
    const lines = (await elsewhere('GET', path, undefined, 'application/x-ndjson')).body
    expect(lines).toBe((await here('GET', path, undefined, 'application/x-ndjson')).body)
    expect(lines.trimEnd().split('\n')).toHaveLength((await ids(elsewhere, path)).length)
  }
  const named = { ids: ['order/18', 'absent', deltas.negated, 'advice/x', 'order/17'] }
  expect(await ids(elsewhere, 'lossless', named)).toEqual(named.ids.filter((id) => id !== 'absent'))
  expect((await elsewhere('POST', 'lossless', named)).body).toBe((await here('POST', 'lossless', named)).body)
  const narrowed = { filter: { '==': [{ var: 'creator' }, holder.peerId] } }
  expect((await elsewhere('POST', 'entities', narrowed)).body).toBe((await here('POST', 'entities', narrowed)).body)
})

it('what is of one namespace alone says so', async () => {
  const { here, elsewhere } = await shop()
  for (const [method, path, body] of [
    ['GET', 'violations', undefined],
    ['GET', 'violations?collection=order', undefined],
    ['POST', 'query/plan', { collection: 'order' }],
  ] as const) {
    expect(await elsewhere(method, path, body)).toMatchObject({
      status: 422,
      body: expect.stringContaining('RZ_SHARD_ACROSS'),
    })
  }
  expect(await here('GET', 'violations?collection=order')).toMatchObject({ status: 200 })
  expect(await here('POST', 'query/plan', { collection: 'order' })).toMatchObject({ status: 200 })
  expect(await elsewhere('GET', 'violations?collection=advice')).toMatchObject({ status: 200 })
})

it('a proof is that of the holder, signed by it', async () => {
  const { cluster, holder, client, here, elsewhere } = await shop()
  const path = 'entities/order%2F17/proof?property=size'
  const { status, answeredBy, body } = await elsewhere('GET', path)
  expect({ status, answeredBy }).toEqual({ status: 200, answeredBy: holder.peerId })
  const { completeness, ...proven } = verifyProof(body)
  expect(completeness.peer).toBe(holder.peerId)
  expect(proven).toMatchObject({ namespace: 'shop:*:o-u', entity: 'order/17', property: 'size' })
  expect(proven.values.map(({ property, verdict }) => [property, verdict])).toEqual([['size', 'equal']])
  expect(verifyProof((await here('GET', path)).body)).toMatchObject(proven)
  const absent = await elsewhere('GET', 'entities/order%2Fabsent/proof')
  expect(absent).toEqual(await here('GET', 'entities/order%2Fabsent/proof'))
  expect(absent).toMatchObject({ status: 404, answeredBy: holder.peerId })
  // The rule lies in the parent, and a proof is of one namespace.
  for (const ask of [here, elsewhere]) {
    const ruled = await ask('GET', 'entities/order%2F17/proof?property=parts')
    expect(ruled).toMatchObject({ status: 422, body: expect.stringContaining('RZ_SHARD_ACROSS') })
    const inContext = await ask('GET', `${path}&context=nobody`)
    expect(inContext.body).toContain('RZ_SHARD_ACROSS')
  }
  const large = 'x'.repeat(400_000)
  for (const each of ['a', 'b', 'c']) await holder.everywhere('shop').put('order', 'large', { text: each + large })
  await cluster.settle()
  const proof = await within(cluster, client.everywhere('shop').proof('order/large'))
  expect(verifyProof(proof.value ?? '').deltas).toHaveLength(3)
})

it('a delta is found wherever it lies, and negated there', async () => {
  const { cluster, holder, client, here, elsewhere } = await shop()
  const put = async (collection: string) => {
    const written = await within(cluster, client.everywhere('shop').put(collection, '2', { size: 4 }))
    return written.deltas[0]
  }
  const [house, advice, order] = [await put('house'), await put('advice'), await put('order')]
  await cluster.settle()
  const [holderOfHouses = ''] = (await within(cluster, client.everywhere('shop').get('house', '2'))).answeredBy
  for (const [delta = '', answeredBy] of [
    [house, holderOfHouses],
    [order, holder.peerId],
    [advice, client.peerId],
  ] as const) {
    expect(await elsewhere('GET', `deltas/${delta}`)).toMatchObject({ status: 200, answeredBy })
    expect(await here('GET', `deltas/${delta}`)).toMatchObject({ status: 200 })
    const negated = await elsewhere('DELETE', `deltas/${delta}`)
    expect(negated).toMatchObject({ status: 200, answeredBy })
  }
  for (const ask of [here, elsewhere]) {
    expect(await ask('GET', 'collections/house/entities/2')).toMatchObject({ status: 404 })
    expect(await ask('GET', 'collections/order/entities/2')).toMatchObject({ status: 404 })
    expect(await ask('GET', 'collections/advice/entities/2')).toMatchObject({ status: 404 })
  }
  const nobodys = `deltas/${'a'.repeat(52)}/0`
  expect(await elsewhere('GET', nobodys)).toMatchObject({ status: 404 })
  expect(await elsewhere('DELETE', nobodys)).toMatchObject({ status: 404 })
  expect(await elsewhere('GET', 'deltas/nothing/0')).toMatchObject({ status: 400 })
  const negated = within(cluster, client.everywhere('shop').negate(nobodys.slice(7)))
  await expect(negated).rejects.toMatchObject({ code: 'RZ_SHARD_ACROSS' })
})

it('a raw delta is written where the first entity lies that it points at', async () => {
  const { cluster, holder, client, here, elsewhere } = await shop()
  const about = (target: string) => ({ localContext: 'x', target, targetContext: 'raw' })
  const write = (...targets: readonly string[]) =>
    elsewhere('POST', 'deltas', { pointers: [...targets.map(about), { localContext: 'y', target: 1 }] })
  for (const [target, answeredBy] of [
    ['order/20', holder.peerId],
    ['advice/z', client.peerId],
    ['anything', client.peerId],
  ] as const) {
    const written = await write(target, 'house/1')
    expect(written).toMatchObject({ status: 201, answeredBy })
    await cluster.settle()
    for (const ask of [here, elsewhere]) {
      const path = `entities/${encodeURIComponent(target)}/lossless`
      expect(JSON.parse((await ask('GET', path)).body)).toMatchObject({ properties: { raw: [{ standing: true }] } })
    }
    // A negation goes with its delta.
    const [delta = ''] = (JSON.parse(written.body) as { deltas: string[] }).deltas
    const negates = { pointers: [{ localContext: 'negates', target: delta, targetContext: 'negated_by' }] }
    expect(await elsewhere('POST', 'deltas', negates)).toMatchObject({ status: 201, answeredBy })
    await cluster.settle()
    expect(await here('GET', `entities/${encodeURIComponent(target)}`)).toMatchObject({ status: 404 })
  }
  const both = [{ pointers: [about('order/20')] }, { pointers: [about('house/20')] }]
  const refused = await elsewhere('POST', 'deltas', both)
  expect(refused).toMatchObject({ status: 409, body: expect.stringContaining('RZ_PLACEMENT_TRANSACTION') })
})

it('nothing is told to be absent that cannot be asked for', async () => {
  const { cluster, client, elsewhere, deltas } = await shop()
  const [holder] = cluster.nodes
  cluster.crash(0)
  await cluster.advance(10_000)
  for (const path of [
    record,
    'collections/order/ids',
    'entities/order%2F17',
    'entities/order%2F17/lossless',
    'entities/order%2F17/proof',
    `${record}/explain/size`,
    `${record}/history/size`,
    `${record}/diff?from=0`,
    `deltas/${deltas.raw}`,
    `entities/${encodeURIComponent(deltas.negated)}/lossless`,
    'queries/sizes/rows',
    'entities',
    'lossless?prefix=order',
    'entities?id=order%2F17',
  ]) {
    const { status, body } = await elsewhere('GET', path)
    expect({ path, status, code: (JSON.parse(body) as { code: string }).code }).toEqual({
      path,
      status: 503,
      code: 'RZ_SHARD_UNHELD',
    })
  }
  expect(holder?.isUp).toBe(false)
  const lines = await elsewhere('GET', 'entities', undefined, 'application/x-ndjson')
  expect(lines).toMatchObject({ status: 503, body: expect.stringContaining('RZ_SHARD_UNHELD') })
  // The names of collections are told as far as they are known, and what could not be asked beside them.
  const { status, unheld, body } = await elsewhere('GET', 'collections')
  expect({ status, unheld }).toEqual({ status: 200, unheld: 'shop:*:o-u' })
  expect(JSON.parse(body)).toEqual(['advice', 'context', 'house', 'placement', 'query', 'resolver'])
  // What lies in no shard is here, whoever is gone.
  expect(await elsewhere('GET', 'entities/advice%2Fx')).toMatchObject({ status: 200, answeredBy: client.peerId })
  expect(await elsewhere('GET', 'entities/raw/lossless')).toMatchObject({ status: 200, answeredBy: client.peerId })
})

it('a shard by its own name is read as it lies on this node', async () => {
  const { cluster, holder } = await shop()
  const face = await openHttp(holder, { port: 0, socketPath: false })
  onTestFinished(() => face.close())
  const path = `http://127.0.0.1:${face.port}/api/ns/shop:*:o-u/${record}`
  for (const each of [path, `${path}/explain/size`]) {
    const response = await within(cluster, fetch(each), 3_600_000)
    expect(response.status).toBe(200)
    expect(response.headers.get('rhizome-answered-by')).toBe(holder.peerId)
    expect(response.headers.get('rhizome-frontier')).toMatch(/^f0/)
  }
})
