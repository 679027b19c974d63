/** Rows for people as a table, for programs as tab-separated lines with one header line. */

import Table from 'cli-table3'
import { columnsOf, type Terminal, visible } from './terminal.ts'

/** No borders: two spaces between the columns. */
const LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Prints a header and rows, as a table where it fits; control characters of cells are written out. */
export function printTable(terminal: Terminal, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const cells = rows.map((row) => row.map(visible))
  if (!terminal.isTty) {
    for (const row of [header, ...cells]) terminal.out(row.join('\t'))
    return
  }
  const table = new Table({
    head: header.map((cell) => terminal.style('dim', cell)),
    chars: LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...cells)
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
  if (lines.every((line) => columnsOf(line) <= terminal.columns)) for (const line of lines) terminal.out(line)
  else printRecords(terminal, header, cells)
}

/** For a screen too narrow for the table: a line per cell, and rows apart from each other. */
function printRecords(terminal: Terminal, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const labelColumns = Math.max(...header.map(columnsOf))
  for (const [index, row] of rows.entries()) {
    if (index > 0) terminal.out('')
    for (const [column, label] of header.entries()) {
      terminal.out(`${terminal.style('dim', label.padEnd(labelColumns))}  ${row[column] ?? ''}`)
    }
  }
}
