/** Runs one row, named in the arguments, and hands its figures to `bench.ts`. */

import type { Scale } from './row.ts'
import { BENCHES } from './rows.ts'

const [name = '', scale = ''] = process.argv.slice(2)
const bench = BENCHES.find((candidate) => candidate.name === name)
if (bench === undefined) throw new Error(`there is no row "${name}"`)
const rows = await bench.measure(JSON.parse(scale) as Scale)
if (process.send === undefined) console.log(rows)
else process.send(rows, () => process.disconnect())
