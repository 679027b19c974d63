/** Lossy views: kept, after a change, by queries; and the memory that reading a million deltas takes. */

import { join } from 'node:path'
import type { Namespace } from '../../../src/index.ts'
import { type Figure, rate, type Row, rowOf } from '../measure.ts'
import { type Bench, inFolder, type Scale, sized } from '../row.ts'
import { Second } from '../second.ts'
import { appendBlocks, benchNamespace, openOffline } from '../workload.ts'

const DELTAS_PER_ENTITY = 20

export const views: Bench = {
  name: 'views',
  measure: async (scale: Scale) => [
    ...(await inFolder((folder) => measureViews(folder, scale))),
    await inFolder((folder) => measureMemory(folder, scale)),
  ],
}

async function measureViews(folder: string, scale: Scale): Promise<readonly Row[]> {
  const entities = sized(scale, 5_000, 100)
  await using node = await openOffline(folder)
  const users = benchNamespace(node)
  await appendBlocks(users, entities * DELTAS_PER_ENTITY, 10, entities)
  const { runs } = scale
  const of = `of an entity of ${DELTAS_PER_ENTITY} deltas`
  const reads = sized(scale, 300_000, 1_000)
  const changes = sized(scale, 2_000, 50)
  return [
    await rowOf({ what: `lossy view ${of}, kept`, unit: 'views/s', atLeast: 300_000, runs }, () =>
      rate(reads, () => readAgain(users, reads)),
    ),
    await rowOf({ what: `lossy view ${of}, after a change of it`, unit: 'views/s', atLeast: 10_000, runs }, (run) =>
      readChanged(users, entities, run * changes, changes),
    ),
    await rowOf({ what: `a query over ${entities} of them, kept`, unit: 'records/s', runs }, () =>
      rate(entities, () => count(users, entities)),
    ),
  ]
}

function readAgain(users: Namespace, times: number): void {
  for (let index = 0; index < times; index++) {
    const { properties } = users.get('item', `${index % 10}`) ?? { properties: {} }
    if (!('p0' in properties)) throw new Error('a view without its property')
  }
}

/** A claim about an entity, and its view, one entity after the other, so that none grows much. Only the reading is timed. */
async function readChanged(users: Namespace, entities: number, from: number, times: number): Promise<Figure> {
  let ms = 0
  for (let index = 0; index < times; index++) {
    const id = `${(from + index) % entities}`
    await users.put('item', id, { p1: index })
    const startedMs = performance.now()
    const view = users.get('item', id)
    ms += performance.now() - startedMs
    if (view?.properties['p1'] !== index) throw new Error('a view older than its deltas')
  }
  return { value: (times / ms) * 1_000 }
}

function count(users: Namespace, entities: number): void {
  const { rows } = users.query({ group: { collection: 'item' }, by: [], aggregates: { n: { count: true } } })
  if (rows[0]?.['n'] !== entities) throw new Error('a query that misses records')
}

async function measureMemory(folder: string, scale: Scale): Promise<Row> {
  const deltas = sized(scale, 1_000_000, 4_000)
  const entities = deltas / 10
  {
    await using node = await openOffline(folder)
    await appendBlocks(benchNamespace(node), deltas, 10, entities)
  }
  const what = `memory at most, all views of ${deltas.toLocaleString('en')} deltas over ${entities.toLocaleString('en')} entities read`
  return await rowOf({ what, unit: 'MB', atMost: 400, runs: 1 }, async () => {
    await using second = new Second({ kind: 'read-all', data: join(folder, 'node'), entities })
    const { rssBytesMost } = await second.told('read')
    return { value: rssBytesMost / 1_000_000 }
  })
}
