/** Many writes at once: acknowledged for five seconds, and until the index has caught up with them. */

import { type Figure, rate, type Row, rowOfFigures } from '../measure.ts'
import { sqliteInsertsPerSecond } from '../raw.ts'
import { type Bench, inFolder, type Scale, sized } from '../row.ts'
import { benchNamespace, openOffline, putGathered, RECORD_DELTAS, WAVE } from '../workload.ts'

export const writeBulk: Bench = {
  name: 'write-bulk',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const ms = sized(scale, 5_000, 100)
    const figures: { readonly acknowledged: Figure; readonly indexed: Figure }[] = []
    for (let run = 0; run < scale.runs; run++) figures.push(await inFolder((folder) => write(folder, ms)))
    const rawWhat = 'bare SQLite inserts of as many bytes, in blocks'
    return [
      rowOfFigures(
        {
          what: 'write, concurrent, acknowledged for 5 s',
          unit: 'deltas/s',
          atLeast: 100_000,
          runs: scale.runs,
          rawWhat,
        },
        figures.map(({ acknowledged }) => acknowledged),
      ),
      rowOfFigures(
        { what: 'write, sustained until all is indexed', unit: 'deltas/s', atLeast: 60_000, runs: scale.runs, rawWhat },
        figures.map(({ indexed }) => indexed),
      ),
    ]
  },
}

/** Bytes and number of the deltas of one gathered block, in round numbers. */
const BLOCK = { bytes: 50_000, deltas: 500 }

async function write(folder: string, ms: number) {
  const node = await openOffline(folder)
  try {
    const users = benchNamespace(node)
    let acknowledged: Figure | undefined
    let records = 0
    const indexed = await rate(1, async () => {
      acknowledged = await rate(1, async () => {
        const end = performance.now() + ms
        for (; performance.now() < end; records += WAVE) await putGathered(users, records, records + WAVE)
      })
      if (users.counts().deltas !== records * RECORD_DELTAS) throw new Error('deltas are missing')
      await node.close()
    })
    const raw =
      sqliteInsertsPerSecond(folder, BLOCK.bytes, Math.max(10, Math.ceil((records * RECORD_DELTAS) / BLOCK.deltas))) *
      BLOCK.deltas
    if (acknowledged === undefined) throw new Error('nothing was written')
    const of = (figure: Figure): Figure => times(figure, records * RECORD_DELTAS, raw)
    return { acknowledged: of(acknowledged), indexed: of(indexed) }
  } finally {
    await node.close()
  }
}

function times(figure: Figure, count: number, raw: number): Figure {
  return { value: figure.value * count, perCpuSecond: (figure.perCpuSecond ?? Number.NaN) * count, raw }
}
