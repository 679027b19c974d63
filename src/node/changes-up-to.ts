/** What a store has committed, read in pages by whoever does not wait for more: `Store.changes` is for those who do. */

import type { Change, Position, Store } from '../store/store.ts'

const PAGE = { countMax: 1_024, bytesMax: 4_194_304 }

/** Changes after `after` up to `until`, oldest first. Blocks that are voided while it is walked may come, or not. */
export function* changesUpTo(
  store: Store,
  { after, until }: { readonly after: Position; readonly until: Position },
): Generator<Change> {
  for (let from = after; from < until;) {
    const page = store.changesNow({ after: from, ...PAGE })
    const last = page.at(-1)
    if (last === undefined) return
    for (const change of page) if (change.position <= until) yield change
    from = last.position
  }
}
