/** What a node shows is what the plainest reading of its log says: held against `test/naive`, which shares no code with src. */

import { deltasOf } from '../../../src/log/block-bytes.ts'
import { POSITION_START } from '../../../src/store/store.ts'
import { naiveLossless } from '../../naive/lossless.ts'
import type { Invariant } from '../invariant.ts'

/** The naive view is quadratic. */
const DELTAS_MAX = 200

export const naiveViews: Invariant = {
  name: 'naive views',
  inTheEnd: (world) => {
    const [member] = world.members
    const store = member?.machine.store
    if (member === undefined || store === undefined) return []
    const changes = store.changesNow({ after: POSITION_START, countMax: 10_000, bytesMax: Infinity })
    const blocks = changes.flatMap((change) =>
      change.kind === 'committed' && change.namespace === world.namespace ? [{ deltas: deltasOf(change.block) }] : [],
    )
    if (blocks.reduce((sum, { deltas }) => sum + deltas.length, 0) > DELTAS_MAX) return []
    return [...world.namespaceOf(member).losslessAll()].flatMap((view) => {
      const naive = naiveLossless(view.id, blocks)
      return sorted(view) === sorted(naive) ? [] : [`${view.id} is shown otherwise than its log says`]
    })
  },
}

function sorted(view: unknown): string {
  return JSON.stringify(view, (_, value: unknown) =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))),
  )
}
