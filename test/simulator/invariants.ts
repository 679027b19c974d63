/**
 * Everything that must hold in every history. A new promise is one row here: a function that looks at the world after every
 * action, or in the end. What the nodes were told by their cursors is in `member.follower.told`, what was promised to whom in
 * `world.witness`.
 */

import type { Invariant } from './invariant.ts'
import { equalFrontiers, equalViews, keptViews } from './invariants/agreement.ts'
import { clockOrder, cursorOrder, cursorTellsAll } from './invariants/cursor.ts'
import { deliveryOfAll, deliveryOrder, uniformAgreement } from './invariants/delivery.ts'
import { naiveViews } from './invariants/naive.ts'
import { statusNeverFlatters, statusTellsTheEnd } from './invariants/status.ts'
import { carried, moved, reading, shardAgreement, shardSurvival } from './invariants/shards.ts'
import { honestLogs, nothingForged, survival } from './invariants/survival.ts'

export const INVARIANTS: readonly Invariant[] = [
  equalFrontiers,
  equalViews,
  keptViews,
  naiveViews,
  survival,
  honestLogs,
  nothingForged,
  statusNeverFlatters,
  statusTellsTheEnd,
  cursorOrder,
  cursorTellsAll,
  clockOrder,
  deliveryOrder,
  deliveryOfAll,
  uniformAgreement,
  shardAgreement,
  shardSurvival,
  carried,
  reading,
  moved,
]
