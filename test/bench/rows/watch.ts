/**
 * Queries that are watched over 100,000 records: how long one delta takes from being written to the watcher's next item, and
 * how long the beginning takes and keeps the rest of the node waiting, beside the same query run once.
 */

import type { Namespace, QueryJson } from '../../../src/index.ts'
import { percentile, type Row, rowOfFigures } from '../measure.ts'
import { type Bench, inFolder, type Scale, sized } from '../row.ts'
import { benchNamespace, openOffline, putGathered } from '../workload.ts'

const QUERIES: Readonly<Record<string, QueryJson>> = {
  'where, order and limit': {
    limit: {
      order: {
        select: { collection: 'user', columns: ['id', 'age'] },
        where: { '>': [{ var: 'age' }, 30] },
      },
      by: [{ descending: 'age' }],
    },
    count: 20,
  },
  'a join': {
    join: [
      { collection: 'user', as: 'user' },
      { collection: 'decade', as: 'decade' },
    ],
    on: [['user.age', 'decade.age']],
  },
  'a group': {
    group: { collection: 'user' },
    by: ['age'],
    aggregates: { people: { count: true }, first: { min: 'name' } },
  },
}

/** More than any record of the workload is old. */
const YEARS = 100

export const watch: Bench = {
  name: 'watch',
  measure: (scale: Scale) => inFolder((folder) => measureQueries(folder, scale)),
}

async function measureQueries(folder: string, scale: Scale): Promise<readonly Row[]> {
  const records = sized(scale, 100_000, 500)
  const deltas = sized(scale, 500, 20)
  await using node = await openOffline(folder)
  const users = benchNamespace(node)
  await putGathered(users, 0, records)
  const agesPerQuery = scale.runs * deltas
  const ages = Array.from({ length: YEARS + Object.keys(QUERIES).length * agesPerQuery }, (_, age) => age)
  await Promise.all(ages.map((age) => users.put('decade', `${age}`, { age, decade: Math.floor(age / 10) })))
  const rows: Row[] = []
  for (const [index, [name, query]] of Object.entries(QUERIES).entries()) {
    // Older than all before: every delta changes what every query shows.
    const fromAge = YEARS + index * agesPerQuery
    const measured = await measureQuery(users, query, { records, deltas, runs: scale.runs, fromAge })
    const { beginMs, pauseMs, latenciesMs } = measured
    const what = `a live query over ${records.toLocaleString('en')} records, ${name}`
    const figures = (share: number) => latenciesMs.map((run) => ({ value: percentile(run, share) }))
    rows.push(
      rowOfFigures({ what: `${what}, a delta, p50`, unit: 'ms', atMost: 5, runs: scale.runs }, figures(0.5)),
      rowOfFigures({ what: '… p99', unit: 'ms', runs: scale.runs }, figures(0.99)),
      rowOfFigures({ what: '… its beginning', unit: 'ms', runs: 1 }, [{ value: beginMs }]),
      rowOfFigures({ what: '… the longest pause of the node in that', unit: 'ms', runs: 1 }, [{ value: pauseMs }]),
    )
  }
  return rows
}

interface Measuring {
  readonly records: number
  readonly deltas: number
  readonly runs: number
  readonly fromAge: number
}

async function measureQuery(users: Namespace, query: QueryJson, { records, deltas, runs, fromAge }: Measuring) {
  const pauses = new Pauses()
  const startedMs = performance.now()
  const items = users.watch(query)[Symbol.asyncIterator]()
  await items.next()
  const beginMs = performance.now() - startedMs
  const pauseMs = pauses.end()
  const latenciesMs: number[][] = []
  for (let run = 0; run < runs; run++) {
    const latencies: number[] = []
    for (let index = 0; index < deltas; index++) {
      const next = items.next()
      const writtenMs = performance.now()
      await users.put('user', `${(index * 7_919) % records}`, { age: fromAge + run * deltas + index })
      await next
      latencies.push(performance.now() - writtenMs)
    }
    latenciesMs.push(latencies)
  }
  await items.return?.()
  return { beginMs, pauseMs, latenciesMs }
}

/** Measures how long nothing else has its turn. */
class Pauses {
  #lastMs = performance.now()
  #longestMs = 0
  readonly #timer = setInterval(() => this.#note(), 1)

  /** The longest, in milliseconds. */
  end(): number {
    clearInterval(this.#timer)
    this.#note()
    return this.#longestMs
  }

  #note(): void {
    const nowMs = performance.now()
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs)
    this.#lastMs = nowMs
  }
}
