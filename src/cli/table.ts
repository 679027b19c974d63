/** Rows for people as a table, for programs as tab-separated lines with one header line. */

import Table from 'cli-table3'
import { type Terminal, visible } from './terminal.ts'

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

/** Prints a header and rows; control characters of cells are written out. */
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
  for (const line of table.toString().split('\n')) terminal.out(line.trimEnd())
}
