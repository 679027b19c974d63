/** Rows as people read them. */

import type { Row } from './measure.ts'

const HEADER = ['what', 'wanted', 'median', 'lowest – highest', 'unit', 'per CPU second', 'to the raw limit', '']

export function tableOf(rows: readonly Row[]): string {
  const lines = [HEADER, ...rows.map(cellsOf)]
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cellsOf(row: Row): readonly string[] {
  return [
    row.what,
    row.atLeast === undefined ? (row.atMost === undefined ? '' : `≤ ${shown(row.atMost)}`) : `≥ ${shown(row.atLeast)}`,
    shown(row.value),
    row.runs === 1 ? 'one run' : `${shown(row.lowest)} – ${shown(row.highest)}, ${row.runs} runs`,
    row.unit,
    row.perCpuSecond === undefined ? '' : shown(row.perCpuSecond),
    row.ratio === undefined ? '' : `${shown(row.ratio)} × ${row.rawWhat ?? ''} (${shown(row.raw ?? Number.NaN)})`,
    row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
  ]
}

function shown(figure: number): string {
  if (!Number.isFinite(figure)) return '–'
  return figure >= 100 ? Math.round(figure).toLocaleString('en') : String(Number(figure.toPrecision(3)))
}
