/** A live query over collections held in lists, driven as a node drives it, and the set of rows that its changes add up to. */

import { expect } from 'vitest'
import { compareUtf8 } from '../../../src/delta/order.ts'
import { LiveQuery, type LiveQueryOptions } from '../../../src/query/live/live-query.ts'
import { Meter } from '../../../src/query/limits.ts'
import type { LiveSource, ClaimRow } from '../../../src/query/source.ts'
import { keyOf, type Row } from '../../../src/query/row.ts'
import { type Collections, ListSource } from '../list-source.ts'

class LiveListSource extends ListSource implements LiveSource {
  readonly #lists: Collections

  constructor(collections: Collections) {
    super(collections)
    this.#lists = collections
  }

  ids(collection: string, prefix: string, after: string | undefined, countMax: number): readonly string[] {
    const ids = (this.#lists[collection] ?? []).map(({ id }) => id).filter((id) => id.startsWith(prefix))
    const sorted = ids.sort(compareUtf8).filter((id) => after === undefined || compareUtf8(id, after) > 0)
    return sorted.slice(0, countMax)
  }

  claim(): ClaimRow | undefined {
    return undefined
  }
}

/** Applies changes and checks each: what comes was not there, what goes was. */
export class Mirror {
  readonly #rows = new Map<string, Row>()

  apply({ added, removed }: { readonly added: readonly Row[]; readonly removed: readonly Row[] }): void {
    for (const row of removed) expect(this.#rows.delete(keyOf(row)), `${keyOf(row)} was not there`).toBe(true)
    for (const row of added) {
      expect(this.#rows.has(keyOf(row)), `${keyOf(row)} was there`).toBe(false)
      this.#rows.set(keyOf(row), row)
    }
  }

  rows(): readonly Row[] {
    return [...this.#rows.values()]
  }
}

export class LiveList {
  readonly query: LiveQuery
  readonly mirror = new Mirror()
  /** Records that were read. */
  readCount = 0
  readonly #sliceRows: number
  #state: Collections = {}

  constructor(json: unknown, { sliceRows = 3, ...options }: LiveQueryOptions & { readonly sliceRows?: number } = {}) {
    this.query = new LiveQuery(json, options)
    this.#sliceRows = sliceRows
  }

  /** What differs between the state before and this one is read a little at a time, then told. */
  become(state: Collections): { readonly added: readonly Row[]; readonly removed: readonly Row[] } {
    const concerned = differingEntities(this.#state, state)
    this.#state = state
    this.query.concern(concerned, [])
    const source = new LiveListSource(state)
    const run = () => ({ source, meter: new Meter() })
    while (!this.query.read(run(), this.#sliceRows)) continue
    const change = this.query.changed(run())
    this.readCount += source.lookedUp
    this.mirror.apply(change)
    return change
  }
}

function differingEntities(before: Collections, after: Collections): readonly string[] {
  const entities: string[] = []
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const textsOf = (state: Collections) =>
      new Map((state[name] ?? []).map((record) => [record.id, JSON.stringify(record)] as const))
    const [old, now] = [textsOf(before), textsOf(after)]
    for (const id of new Set([...old.keys(), ...now.keys()]))
      if (old.get(id) !== now.get(id)) entities.push(`${name}/${id}`)
  }
  return entities
}
