/** A store of a million deltas: its size, opening it in a fresh process, and views of its entities from disk. */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeBlock } from '../../../src/log/block-bytes.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { POSITION_START, type Position } from '../../../src/store/store.ts'
import { rate, type Row, rowOf, rowOfFigures } from '../measure.ts'
import { type Bench, inFolder, type Scale, sized } from '../row.ts'
import { Second } from '../second.ts'
import { appendBlocks, benchNamespace, openOffline } from '../workload.ts'

const DELTAS_PER_BLOCK = 10
const DELTAS_PER_ENTITY = 20

export const stored: Bench = {
  name: 'stored',
  measure: (scale: Scale) => inFolder((folder) => measureStore(folder, scale)),
}

async function measureStore(folder: string, scale: Scale): Promise<readonly Row[]> {
  const deltas = sized(scale, 1_000_000, 4_000)
  const entities = deltas / DELTAS_PER_ENTITY
  const data = await build(folder, deltas, entities)
  const size = await rowOf(
    { what: 'disk, with all indexes, to the encoded blocks', unit: '×', atMost: 1.8, runs: 1 },
    async () => ({ value: (await bytesIn(join(data, 'store'))) / (await encodedBytesOf(data)) }),
  )
  const openings: { readonly ms: number; readonly startMs: number; readonly megabytes: number }[] = []
  for (let run = 0; run < scale.runs; run++) openings.push(await open(data, `item/${run * 7 + 1}`))
  const what = `open a store of ${deltas.toLocaleString('en')} deltas in a fresh process and read an entity`
  return [
    size,
    rowOfFigures(
      { what, unit: 'ms', atMost: 300, runs: scale.runs },
      openings.map(({ ms }) => ({ value: ms })),
    ),
    rowOfFigures(
      { what: '… from the start of that process, modules included', unit: 'ms', runs: scale.runs },
      openings.map(({ startMs }) => ({ value: startMs })),
    ),
    rowOfFigures(
      { what: '… its memory, with the network up', unit: 'MB', atMost: 180, runs: scale.runs },
      openings.map(({ megabytes }) => ({ value: megabytes })),
    ),
    await views(folder, scale, entities),
  ]
}

async function build(folder: string, deltas: number, entities: number): Promise<string> {
  await using node = await openOffline(folder)
  await appendBlocks(benchNamespace(node), deltas, DELTAS_PER_BLOCK, entities)
  return join(folder, 'node')
}

async function open(data: string, entity: string) {
  await using second = new Second({ kind: 'open', data, entity })
  const { tookMs, sinceStartMs, rssBytes } = await second.told('opened')
  return { ms: tookMs, startMs: sinceStartMs, megabytes: rssBytes / 1_000_000 }
}

async function views(folder: string, scale: Scale, entities: number): Promise<Row> {
  await using node = await openOffline(folder)
  const users = benchNamespace(node)
  const count = sized(scale, 20_000, 200)
  return await rowOf(
    {
      what: `lossless view of an entity of ${DELTAS_PER_ENTITY} deltas, from disk`,
      unit: 'views/s',
      atLeast: 20_000,
      runs: scale.runs,
    },
    (run) =>
      rate(count, () => {
        for (let index = 0; index < count; index++) {
          // A stride that is prime to the number of entities visits each once, in no order.
          const view = users.lossless(`item/${((index + run * count) * 7_919) % entities}`)
          const claims = Object.values(view?.properties ?? {}).reduce((sum, each) => sum + each.length, 0)
          if (claims !== DELTAS_PER_ENTITY) throw new Error(`a view of ${claims} claims`)
        }
      }),
  )
}

async function encodedBytesOf(data: string): Promise<number> {
  await using store = await openStore(join(data, 'store'), { durability: 'normal', repair: false })
  let bytes = 0
  let after: Position = POSITION_START
  for (;;) {
    const changes = store.changesNow({ after, countMax: 1_024, bytesMax: 4_194_304 })
    for (const change of changes) {
      after = change.position
      if (change.kind === 'committed') bytes += encodeBlock(change.block).length
    }
    if (changes.length === 0) return bytes
  }
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder)
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
