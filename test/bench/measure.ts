/** Measuring in one process: repeated runs, medians, and what machine it was. Timings of shared machines are noise: read ratios. */

import { cpus, totalmem } from 'node:os'

export interface Row {
  readonly what: string
  /** The design's number, as text. */
  readonly wanted: string
  /** Median over the runs. */
  readonly measured: number
  readonly unit: string
  /** Lowest and highest of the runs. */
  readonly spread: readonly [number, number]
  /** Whether the number is met; undefined where it only informs. */
  readonly met?: boolean
}

export interface Wanted {
  readonly what: string
  readonly unit: string
  readonly atLeast?: number
  readonly atMost?: number
}

/** Runs `measure` `runs` times and answers the row of its median. */
export async function rowOf(wanted: Wanted, runs: number, measure: () => Promise<number> | number): Promise<Row> {
  const figures: number[] = []
  for (let run = 0; run < runs; run++) figures.push(await measure())
  figures.sort((a, b) => a - b)
  const median = figures[figures.length >> 1] ?? Number.NaN
  const { what, unit, atLeast, atMost } = wanted
  return {
    what,
    unit,
    wanted: atLeast !== undefined ? `≥ ${show(atLeast)}` : atMost !== undefined ? `≤ ${show(atMost)}` : '',
    measured: median,
    spread: [figures[0] ?? median, figures.at(-1) ?? median],
    ...(atLeast === undefined && atMost === undefined ? {} : { met: median >= (atLeast ?? 0) && median <= (atMost ?? Infinity) }),
  }
}

/** Seconds that `step` takes. */
export async function seconds(step: () => Promise<unknown> | unknown): Promise<number> {
  const started = performance.now()
  await step()
  return (performance.now() - started) / 1_000
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function machine(): string {
  const [first] = cpus()
  return `Node ${process.version}, ${cpus().length} × ${first?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.wanted,
    show(row.measured),
    `${show(row.spread[0])} – ${show(row.spread[1])}`,
    row.unit,
    row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
  ])
  const all = [['what', 'wanted', 'median', 'lowest – highest', 'unit', ''], ...cells]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
  return all.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

function show(figure: number): string {
  if (!Number.isFinite(figure)) return '–'
  return figure >= 100 ? Math.round(figure).toLocaleString('en') : String(Number(figure.toPrecision(3)))
}
