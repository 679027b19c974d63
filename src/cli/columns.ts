/**
 * What the columns of an import hold. CSV knows only text, so a column becomes numbers or booleans when every cell of it
 * that is not empty says so and nothing is lost: `007` and `1e5` stay text. JSON has its types already.
 */

import type { Json } from '../delta/json.ts'

export type ColumnType = 'number' | 'boolean' | 'text'

/** A number in the one form that it would be printed in, a few trailing zeros of a fraction aside. */
const NUMBER = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,17})?$/

export interface ColumnSummary {
  readonly name: string
  /** Such as `number`, or `text or list` where rows differ; `empty` when no row has it. */
  readonly types: string
  readonly filledCount: number
  /** Undefined when no row has it. */
  readonly example: Json | undefined
}

export class Columns {
  readonly #isText: boolean
  readonly #columns = new Map<string, { types: Set<string>; filledCount: number; example: Json | undefined }>()

  /** `isText`: cells are texts whose types must be found out. */
  constructor(isText: boolean) {
    this.#isText = isText
  }

  /** Takes one row into account. */
  add(properties: Readonly<Record<string, Json>>): void {
    for (const [name, value] of Object.entries(properties)) {
      const type = this.#isText ? cellType(textOf(value)) : jsonType(value)
      let column = this.#columns.get(name)
      if (column === undefined)
        this.#columns.set(name, (column = { types: new Set(), filledCount: 0, example: undefined }))
      if (type === undefined) continue
      column.types.add(type)
      if (column.filledCount === 0) column.example = value
      column.filledCount++
    }
  }

  summaries(): readonly ColumnSummary[] {
    return [...this.#columns].map(([name, { types, filledCount, example }]) => {
      const shown = filledCount === 0 ? 'empty' : this.#isText ? this.#typeOf(name) : [...types].sort().join(' or ')
      return { name, types: shown, filledCount, example }
    })
  }

  /** The row with its types; empty cells of CSV are left out, for nothing was said. */
  convert(properties: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
    if (!this.#isText) return properties
    const filled = Object.entries(properties).filter(([, cell]) => cell !== '')
    return Object.fromEntries(filled.map(([name, cell]) => [name, convertCell(this.#typeOf(name), textOf(cell))]))
  }

  #typeOf(name: string): ColumnType {
    const types = this.#columns.get(name)?.types ?? new Set()
    if (types.size !== 1) return 'text'
    return types.has('number') ? 'number' : types.has('boolean') ? 'boolean' : 'text'
  }
}

/** Cells of CSV are texts, whatever they mean. */
function textOf(cell: Json): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell)
}

/** Undefined for an empty cell. */
function cellType(cell: string): ColumnType | undefined {
  if (cell === '') return undefined
  if (cell === 'true' || cell === 'false') return 'boolean'
  // A negative zero would be read back as 0.
  if (!NUMBER.test(cell) || Object.is(Number(cell), -0)) return 'text'
  const isWhole = !cell.includes('.')
  return isWhole && !Number.isSafeInteger(Number(cell)) ? 'text' : 'number'
}

function convertCell(type: ColumnType, cell: string): Json {
  if (type === 'number') return Number(cell)
  return type === 'boolean' ? cell === 'true' : cell
}

function jsonType(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  return typeof value === 'string' ? 'text' : typeof value
}
