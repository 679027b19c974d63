/**
 * A join of 100,000 records with 1,000 by an indexed property: the first page in a process that has just opened the store,
 * the same once the code is warm, and all rows, grouped.
 */

import { join as joinPath } from 'node:path'
import { from, type Namespace, type QueryJson, ref } from '../../../src/index.ts'
import { median, type Row, rowOfFigures } from '../measure.ts'
import { type Bench, inFolder, type Scale, sized } from '../row.ts'
import { Second } from '../second.ts'
import { benchNamespace, openOffline, WAVE } from '../workload.ts'

const PAGE_ROWS = 100
/** The first is cold. */
const REPEATS = 10

const customers = from<{ name: string }, 'customer'>('customer', { as: 'customer', entity: 'self' })
const orders = from<{ customer: string; total: number }, 'order'>('order', { as: 'order' })
const joined = customers.join(orders, ['customer.self', 'order.customer'])
const whole: QueryJson = {
  group: joined.json,
  by: [],
  aggregates: { orders: { count: true }, total: { sum: 'order.total' } },
}

export const join: Bench = {
  name: 'join',
  measure: (scale: Scale) => inFolder((folder) => measureJoin(folder, scale)),
}

async function measureJoin(folder: string, scale: Scale): Promise<readonly Row[]> {
  const orderCount = sized(scale, 100_000, 1_000)
  const customerCount = sized(scale, 1_000, 10)
  const { data, buildMs } = await build(folder, orderCount, customerCount)
  const pages: (readonly number[])[] = []
  for (let run = 0; run < scale.runs; run++)
    pages.push(await ask(data, joined.limit(PAGE_ROWS).json, REPEATS, PAGE_ROWS))
  const all = await ask(data, whole, 1, 1)
  const [many, few] = [orderCount, customerCount].map((count) => count.toLocaleString('en'))
  const first = `a join of ${many} with ${few} by an index, the first ${PAGE_ROWS} rows, in a fresh process`
  return [
    rowOfFigures(
      { what: first, unit: 'ms', atMost: 50, runs: scale.runs },
      pages.map(([cold = 0]) => ({ value: cold })),
    ),
    rowOfFigures(
      { what: '… again', unit: 'ms', atMost: 50, runs: scale.runs },
      pages.map(([, ...warm]) => ({ value: median(warm.toSorted((a, b) => a - b)) })),
    ),
    rowOfFigures(
      { what: '… all rows, grouped', unit: 'ms', runs: 1 },
      all.map((value) => ({ value })),
    ),
    rowOfFigures({ what: '… building the index anew', unit: 'ms', runs: 1 }, [{ value: buildMs }]),
  ]
}

async function build(folder: string, orderCount: number, customerCount: number) {
  await using node = await openOffline(folder)
  const shop = benchNamespace(node)
  await inWaves(customerCount, (index) => shop.put('customer', `${index}`, { name: `Customer ${index}` }))
  await inWaves(orderCount, (index) => {
    const customer = ref(`customer/${(index * 7_919) % customerCount}`, 'orders')
    return shop.put('order', `${index}`, { customer, total: index % 1_000, item: `item ${index % 100}` })
  })
  await shop.schema('order', { collection: 'order', schema: true, indexes: ['customer'] })
  const startedMs = performance.now()
  while (!isIndexUsed(shop)) await new Promise((resolve) => setTimeout(resolve, 5))
  return { data: joinPath(folder, 'node'), buildMs: performance.now() - startedMs }
}

/** It begins to be built when it is asked for. */
function isIndexUsed(shop: Namespace): boolean {
  return JSON.stringify(shop.explainQuery(joined)).includes('by the index of')
}

async function inWaves(count: number, put: (index: number) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < count; start += WAVE) {
    await Promise.all(Array.from({ length: Math.min(WAVE, count - start) }, (_, index) => put(start + index)))
  }
}

async function ask(data: string, query: QueryJson, repeats: number, rowsWanted: number): Promise<readonly number[]> {
  await using second = new Second({ kind: 'query', data, query, repeats })
  const { tookMs, rows } = await second.told('answered')
  if (rows !== rowsWanted) throw new Error(`${rows} rows instead of ${rowsWanted}`)
  return tookMs
}
