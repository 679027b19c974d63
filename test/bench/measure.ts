/**
 * Figures of one row: repeated runs, their median, and the raw limit measured next to each run. Timings of shared machines
 * are noise: the ratio to the raw limit of the same run and the rate per second of CPU time are what can be compared.
 */

import { cpus, totalmem, release } from 'node:os'

/** What design.md 7 asks for. With neither bound the row only informs. */
export interface Wanted {
  readonly what: string
  readonly unit: string
  readonly atLeast?: number
  readonly atMost?: number
}

/** What one run measured. */
export interface Figure {
  readonly value: number
  /** The same work per second of this process's CPU time, for rates. */
  readonly perCpuSecond?: number
  /** What the bare means reach with the same bytes, in the same unit. */
  readonly raw?: number
}

export interface Row extends Wanted {
  /** Medians over the runs. */
  readonly value: number
  readonly perCpuSecond?: number
  readonly raw?: number
  readonly rawWhat?: string
  /** `value` over `raw`, median of the pairs. */
  readonly ratio?: number
  readonly lowest: number
  readonly highest: number
  readonly runs: number
  /** Whether the number is met; absent where it only informs. */
  readonly met?: boolean
}

export interface RowOptions extends Wanted {
  readonly runs: number
  /** Says what `raw` is. */
  readonly rawWhat?: string
}

/** Runs `measure` so many times. Throws when a figure is no positive number: then the row is broken, not slow. */
export async function rowOf(options: RowOptions, measure: (run: number) => Promise<Figure> | Figure): Promise<Row> {
  const figures: Figure[] = []
  for (let run = 0; run < options.runs; run++) figures.push(await measure(run))
  return rowOfFigures(options, figures)
}

/** As `rowOf`, for figures that are there already. */
export function rowOfFigures({ runs: _, rawWhat, ...wanted }: RowOptions, figures: readonly Figure[]): Row {
  for (const { value } of figures) {
    if (!Number.isFinite(value) || value <= 0)
      throw new Error(`${wanted.what}: ${value} ${wanted.unit} is no measurement`)
  }
  const values = figures.map(({ value }) => value).sort((a, b) => a - b)
  const value = median(values)
  const perCpuSecond = medianOf(figures.map((figure) => figure.perCpuSecond))
  const raw = medianOf(figures.map((figure) => figure.raw))
  const ratio = medianOf(figures.map((figure) => (figure.raw === undefined ? undefined : figure.value / figure.raw)))
  const { atLeast, atMost } = wanted
  return {
    ...wanted,
    value,
    lowest: values[0] ?? value,
    highest: values.at(-1) ?? value,
    runs: figures.length,
    ...(perCpuSecond === undefined ? {} : { perCpuSecond }),
    ...(raw === undefined || ratio === undefined ? {} : { raw, ratio }),
    ...(rawWhat === undefined ? {} : { rawWhat }),
    ...(atLeast === undefined && atMost === undefined
      ? {}
      : { met: value >= (atLeast ?? 0) && value <= (atMost ?? Infinity) }),
  }
}

/** The rate of `count` things done by `step`, by the wall clock and by this process's CPU time. */
export async function rate(count: number, step: () => unknown): Promise<Figure> {
  const cpuBefore = process.cpuUsage()
  const seconds = await secondsOf(step)
  return { value: count / seconds, perCpuSecond: count / cpuSecondsSince(cpuBefore) }
}

/** Seconds that `step` takes. */
async function secondsOf(step: () => unknown): Promise<number> {
  const started = performance.now()
  await step()
  return (performance.now() - started) / 1_000
}

export function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function machine(): string {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `Node ${process.version}, ${cpus().length} × ${first?.model.trim() ?? 'unknown'}, ${memory} GiB, ${process.platform} ${release()}`
}

export function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  return known.length === 0 ? undefined : median(known)
}
