/**
 * CSV, a line at a time (RFC 4180; a quote inside an unquoted cell is itself, as spreadsheets write it). Written here
 * because a broken quote must cost its own line alone: parsers at hand read on inside it, and lose the rest of the file.
 */

export type Fed =
  | { readonly kind: 'cells'; readonly cells: readonly string[] }
  /** The record goes on in the next line: a quoted cell has a line break in it. */
  | { readonly kind: 'open' }
  | { readonly kind: 'broken'; readonly why: string }

const QUOTE = '"'

/** One record, of one line or several. */
export class CsvRecord {
  readonly #delimiter: string
  readonly #cells: string[] = []
  /** Of the quoted cell that the last line left open. */
  #open: string | undefined

  constructor(delimiter: string) {
    this.#delimiter = delimiter
  }

  /** Takes a line without its line feed; a carriage return at the end belongs to the line break. */
  feed(line: string): Fed {
    let at = 0
    if (this.#open !== undefined) {
      const quoted = this.#quoted(line, 0, `${this.#open}\n`)
      if (quoted.kind !== 'at') return quoted
      at = quoted.at
    }
    while (at <= line.length) {
      if (line[at] === QUOTE) {
        const quoted = this.#quoted(line, at + 1, '')
        if (quoted.kind !== 'at') return quoted
        at = quoted.at
        continue
      }
      const next = line.indexOf(this.#delimiter, at)
      const end = next < 0 ? lineEnd(line) : next
      this.#cells.push(line.slice(at, end))
      if (next < 0) break
      at = next + 1
    }
    return { kind: 'cells', cells: this.#cells }
  }

  /** Reads on inside quotes; answers where the cell after it begins: past the line's length when there is none. */
  #quoted(line: string, from: number, begun: string): Fed | { readonly kind: 'at'; readonly at: number } {
    let cell = begun
    for (let at = from; ; at += 2) {
      const quote = line.indexOf(QUOTE, at)
      if (quote < 0) {
        this.#open = cell + line.slice(at)
        return { kind: 'open' }
      }
      cell += line.slice(at, quote)
      at = quote
      if (line[at + 1] !== QUOTE) return this.#close(line, at + 1, cell)
      cell += QUOTE
    }
  }

  #close(line: string, at: number, cell: string): Fed | { readonly kind: 'at'; readonly at: number } {
    this.#open = undefined
    this.#cells.push(cell)
    if (line[at] === this.#delimiter) return { kind: 'at', at: at + 1 }
    if (at >= lineEnd(line)) return { kind: 'at', at: line.length + 1 }
    return { kind: 'broken', why: `text behind the closing quote of cell ${this.#cells.length}` }
  }
}

/** The delimiter that the header has most of. */
export function delimiterOf(header: string): string {
  const counts = [',', '\t', ';', '|'].map((delimiter) => [delimiter, header.split(delimiter).length] as const)
  return counts.sort(([, a], [, b]) => b - a)[0]?.[0] ?? ','
}

function lineEnd(line: string): number {
  return line.endsWith('\r') ? line.length - 1 : line.length
}
