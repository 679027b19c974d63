/** A node that holds nothing meets one that holds it all: from opening to everything stored and readable. */

import { type Figure, type Row, rowOf } from '../measure.ts'
import { sqliteInsertsPerSecond } from '../raw.ts'
import { type Bench, fewer, inFolder, type Scale, sized } from '../row.ts'
import { Second } from '../second.ts'
import { appendBlocks, benchNamespace, openOnLoopback } from '../workload.ts'

const ENTITIES = 10_000
/** Bytes of a delta of the workload within its block. */
const DELTA_BYTES = 280

export const catchUp: Bench = {
  name: 'catch-up',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const rows: Row[] = []
    for (const [perBlock, atLeast] of [
      [10, 60_000],
      [1, 30_000],
      [100, undefined],
    ] as const) {
      const deltas = sized(scale, perBlock === 1 ? 100_000 : 300_000, 600)
      rows.push(await inFolder((folder) => rowOfBlocks(folder, scale, perBlock, deltas, atLeast)))
    }
    return rows
  },
}

async function rowOfBlocks(
  folder: string,
  scale: Scale,
  perBlock: number,
  deltas: number,
  atLeast: number | undefined,
): Promise<Row> {
  await using node = await openOnLoopback(`${folder}/full`)
  await appendBlocks(benchNamespace(node), deltas, perBlock, ENTITIES)
  const row = await rowOf(
    {
      what: `catch-up of an empty node, blocks of ${perBlock}`,
      unit: 'deltas/s',
      runs: fewer(scale, 3),
      rawWhat: 'bare SQLite inserts of as many bytes',
      ...(atLeast === undefined ? {} : { atLeast }),
    },
    (run) => catchUpOnce(`${folder}/empty-${run}`, node.addresses(), deltas),
  )
  return row
}

async function catchUpOnce(folder: string, peers: readonly string[], deltas: number): Promise<Figure> {
  await using second = new Second({ kind: 'hold', folder, peers, deltas })
  const { atMs: startedMs } = await second.told('ready')
  const { atMs, cpuSeconds } = await second.told('held')
  return {
    value: (deltas * 1_000) / (atMs - startedMs),
    perCpuSecond: deltas / cpuSeconds,
    raw: sqliteInsertsPerSecond(folder, DELTA_BYTES, deltas, 1_000),
  }
}
