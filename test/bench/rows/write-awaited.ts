/** One record after the other, each awaited: what a program that writes without thinking gets. */

import { type Figure, rate, type Row, rowOf } from '../measure.ts'
import { sqliteInsertsPerSecond } from '../raw.ts'
import { type Bench, inFolder, type Scale, sized } from '../row.ts'
import { benchNamespace, openOffline, RECORD_DELTAS, recordOf } from '../workload.ts'

export const writeAwaited: Bench = {
  name: 'write-awaited',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const records = sized(scale, 30_000, 300)
    const row = await rowOf(
      {
        what: 'write a record, awaited one by one',
        unit: 'records/s',
        atLeast: 10_000,
        runs: scale.runs,
        rawWhat: 'a bare SQLite commit of as many bytes',
      },
      () => inFolder((folder) => run(folder, records)),
    )
    return [row]
  },
}

/** Bytes of a block of one record, in round numbers. */
const BLOCK_BYTES = 600

async function run(folder: string, records: number): Promise<Figure> {
  await using node = await openOffline(folder)
  const users = benchNamespace(node)
  const figure = await rate(records, async () => {
    for (let index = 0; index < records; index++) await users.put('user', `${index}`, recordOf(index))
  })
  const { deltas, blocks } = users.counts()
  if (deltas !== records * RECORD_DELTAS || blocks !== records) throw new Error(`${deltas} deltas in ${blocks} blocks`)
  if (users.get('user', `${records - 1}`)?.properties['name'] !== `Person ${records - 1}`)
    throw new Error('it reads otherwise')
  return { ...figure, raw: sqliteInsertsPerSecond(folder, BLOCK_BYTES, records) }
}
