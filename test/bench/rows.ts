/** All rows, in the order of design.md 7. */

import type { Bench } from './row.ts'
import { catchUp } from './rows/catch-up.ts'
import { delivery } from './rows/delivery.ts'
import { join } from './rows/join.ts'
import { latency, live } from './rows/live.ts'
import { members } from './rows/members.ts'
import { peers } from './rows/peers.ts'
import { reconcile } from './rows/reconcile.ts'
import { start } from './rows/start.ts'
import { stored } from './rows/stored.ts'
import { text } from './rows/text.ts'
import { views } from './rows/views.ts'
import { watch } from './rows/watch.ts'
import { writeAwaited } from './rows/write-awaited.ts'
import { writeBulk } from './rows/write-bulk.ts'

export const BENCHES: readonly Bench[] = [
  writeAwaited,
  peers,
  writeBulk,
  live,
  latency,
  catchUp,
  reconcile,
  stored,
  views,
  join,
  watch,
  members,
  text,
  delivery,
  start,
]
