/** Real data sets, whole, as in the README: imported by the command line on one node, read and asked on another. */

import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder, until } from '../support/nodes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** As the README names it. */
const COUNTRIES = 'node_modules/world-countries/countries.json'
const COUNTRY_LIST = createRequire(import.meta.url)('world-countries') as readonly {
  readonly cca3: string
  readonly name: { readonly common: string }
}[]
const DEADLINE_MS = 240_000

/** Cities that are looked at one by one. */
const SAMPLES = 200

interface City {
  readonly cityId: number
  readonly name: string
  readonly country: string
  readonly population: number
  readonly capital: boolean
}

it('countries and over 100,000 cities are imported on one node, read and asked on another, and not added twice', async () => {
  const folder = await temporaryFolder()
  const printed = spawnSync(process.execPath, ['fixtures/geo/cities.mjs'], { cwd: ROOT, maxBuffer: 67_108_864 })
  const file = join(folder, 'cities.ndjson')
  await writeFile(file, printed.stdout)
  const cities = printed.stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as City)
  expect(cities.length).toBeGreaterThan(100_000)
  const one = { directory: ROOT, home: join(folder, 'one') }
  const two = { directory: ROOT, home: join(folder, 'two') }
  const first = startRhizome(['--topic', 'geo'], one)
  const [, address = ''] = await first.printed(/^ {2}at +(127\.0\.0\.1:\d+)$/m)
  const [firstUrl = ''] = await first.printed(/http:\/\/127\.0\.0\.1:\d+/)
  const second = startRhizome(['--topic', 'geo', '--peer', address], two)
  const [url = ''] = await second.printed(/http:\/\/127\.0\.0\.1:\d+/)

  const countries = await importRecords(one, COUNTRIES, 'country', 'cca3')
  expect(countries).toMatchObject({ records: 250, rejectedCount: 0 })
  const imported = await importRecords(one, file, 'city', 'cityId')
  expect(imported).toMatchObject({ records: cities.length, unchanged: 0, rejectedCount: 0 })
  console.log(`${imported.records} cities, ${imported.deltas} deltas, imported in ${imported.elapsedMs} ms`)
  for (const collection of ['country', 'city']) {
    await run(['schema', 'put', collection, `fixtures/geo/${collection}.schema.json`], one)
  }

  const importedMs = performance.now()
  const countAt = async (at: string) => (await answer(`${at}/api/deltas/count`)) as number
  const count = await countAt(firstUrl)
  await until('the other node holds all', async () => (await countAt(url)) === count, DEADLINE_MS)
  console.log(`all of them on the other node ${Math.round(performance.now() - importedMs)} ms later`)
  expect((await run(['ids', 'city'], two)).split('\n').length).toBe(cities.length)
  for (let index = 0; index < cities.length; index += Math.floor(cities.length / SAMPLES)) {
    const city = cities[index]
    const record = (await answer(`${url}/api/city/${city?.cityId}`)) as { readonly properties: City }
    expect(record.properties).toEqual(city)
  }
  expect(await run(['violations', '--json'], two)).toBe('')

  const bordering = await ask('bordering-france', two)
  expect(bordering.map(({ country }) => country)).toEqual(
    expect.arrayContaining(['Spain', 'Switzerland', 'Belgium', 'Germany', 'Italy', 'Luxembourg', 'Monaco', 'Andorra']),
  )
  const reached = (await ask('by-land-from-portugal', two)).map(({ country }) => country)
  expect(reached).toEqual(expect.arrayContaining(['Portugal', 'China', 'South Africa']))
  expect(reached).not.toContain('United Kingdom')
  expect(await ask('largest-capitals', two)).toEqual(largestCapitals(cities))

  expect(await importRecords(one, file, 'city', 'cityId')).toMatchObject({ deltas: 0, unchanged: imported.records })
  expect(await countAt(url)).toBe(count)
})

interface Imported {
  readonly records: number
  readonly deltas: number
  readonly unchanged: number
  readonly rejectedCount: number
  readonly elapsedMs: number
}

async function importRecords(at: CommandOptions, file: string, into: string, id: string): Promise<Imported> {
  const words = ['import', file, '--into', into, '--id', id, '--json']
  return JSON.parse(await run(words, at)) as Imported
}

/** By a connection of its own: one that lay idle while so much was imported may be closed just as it is used again. */
async function answer(url: string): Promise<unknown> {
  return (await fetch(url, { headers: { connection: 'close' } })).json()
}

async function ask(name: string, at: CommandOptions): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const startedMs = performance.now()
  const words = ['query', `fixtures/geo/${name}.query.json`, '--json']
  // On stderr it may tell that there are more rows than were asked for.
  const { exitCode, out } = await startRhizome(words, at).finished(DEADLINE_MS)
  expect(exitCode).toBe(0)
  console.log(`${name}: ${Math.round(performance.now() - startedMs)} ms, the command's start included`)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

/** What it prints, which is all that it may say. */
async function run(words: readonly string[], at: CommandOptions): Promise<string> {
  const { exitCode, out, err } = await startRhizome(words, at).finished(DEADLINE_MS)
  expect({ words, exitCode, err }).toEqual({ words, exitCode: 0, err: '' })
  return out.trim()
}

/** Told by the data alone. */
function largestCapitals(cities: readonly City[]) {
  const names = new Map(COUNTRY_LIST.map(({ cca3, name }) => [cca3, name.common]))
  return cities
    .filter(({ capital, country }) => capital && names.has(country))
    .sort((a, b) => b.population - a.population)
    .slice(0, 10)
    .map(({ name, country, population }) => ({ capital: name, country: names.get(country), people: population }))
}
