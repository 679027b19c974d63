/** Derived rows without a disk: gone with the process, as all that is derived may be. */

import { compareUtf8 } from '../delta/order.ts'
import { RhizomeError } from '../errors.ts'
import type { DerivedRange, DerivedRow, DerivedTables } from './derived.ts'

interface MemoryTable {
  position: number
  /** The rows of each key. */
  readonly rows: Map<string, Set<string>>
  /** Keys in order; undefined when one came since. */
  keys: readonly string[] | undefined
}

export class MemoryDerived implements DerivedTables {
  readonly #tables = new Map<string, MemoryTable>()
  #isClosed = false

  tables(): readonly string[] {
    return [...this.#open().keys()]
  }

  position(table: string): number | undefined {
    return this.#open().get(table)?.position
  }

  apply(name: string, position: number, rows: readonly DerivedRow[]): void {
    const tables = this.#open()
    const table = tables.get(name) ?? { position, rows: new Map<string, Set<string>>(), keys: [] }
    for (const { key, row } of rows) {
      const held = table.rows.get(key)
      if (held !== undefined) {
        held.add(row)
        continue
      }
      table.rows.set(key, new Set([row]))
      table.keys = undefined
    }
    table.position = position
    tables.set(name, table)
  }

  read(name: string, { from, before, after, countMax }: DerivedRange): readonly DerivedRow[] {
    const table = this.#open().get(name)
    const found: DerivedRow[] = []
    if (table === undefined) return found
    const keys = (table.keys ??= [...table.rows.keys()].sort(compareUtf8))
    const start = after !== undefined && compareUtf8(after.key, from) > 0 ? after.key : from
    for (let index = firstAtOrAfter(keys, start); index < keys.length; index++) {
      const key = keys[index] as string
      if (compareUtf8(key, before) >= 0) break
      for (const row of [...(table.rows.get(key) ?? [])].sort(compareUtf8)) {
        if (after?.key === key && compareUtf8(row, after.row) <= 0) continue
        if (found.length === countMax) return found
        found.push({ key, row })
      }
    }
    return found
  }

  drop(table: string): void {
    this.#open().delete(table)
  }

  close(): void {
    this.#isClosed = true
  }

  #open(): Map<string, MemoryTable> {
    if (this.#isClosed) throw new RhizomeError('RZ_STORE_CLOSED', 'the store is closed')
    return this.#tables
  }
}

function firstAtOrAfter(keys: readonly string[], from: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareUtf8(keys[middle] as string, from) >= 0) high = middle
    else low = middle + 1
  }
  return low
}
