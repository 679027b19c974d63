/** What a row, or a group of rows measured together, is: a name for the command line and a function. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Row } from './measure.ts'

export interface Bench {
  /** For `--row`. */
  readonly name: string
  /** Left out unless asked for by name or by `--peers`. */
  readonly onDemand?: boolean
  measure(scale: Scale): Promise<readonly Row[]>
}

/** How much of it: the full sizes of design.md 7, or tiny ones that only show that every row runs. */
export interface Scale {
  readonly smoke: boolean
  /** Runs of a row, unless it is a long one. */
  readonly runs: number
}

/** `full`, or the tiny size of `--smoke`. */
export function sized({ smoke }: Scale, full: number, tiny: number): number {
  return smoke ? tiny : full
}

/** Fewer runs for a row that takes long. */
export function fewer({ runs }: Scale, runsMax: number): number {
  return Math.min(runs, runsMax)
}

/** Runs `work` in a folder that is gone afterwards. */
export async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'rhizome-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
