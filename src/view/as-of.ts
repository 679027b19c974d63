/**
 * Time travel: which deltas belong to a moment. A frontier names exactly what a node had; a time means what is dated up
 * to then, as it is known now. design.md 5.
 */

import { compareTime, type Time } from '../delta/clock.ts'
import type { Delta } from '../delta/delta.ts'

export type AsOf =
  | { readonly kind: 'time'; readonly time: Time }
  /** Of each log, named `<creator>/<log id>`, the sequence number of the last block that counts. */
  | { readonly kind: 'frontier'; readonly heads: ReadonlyMap<string, number> }

/** Whether a delta is part of the moment. */
export function belongsTo(asOf: AsOf): (delta: Delta) => boolean {
  switch (asOf.kind) {
    case 'time':
      return (delta) => compareTime(delta.time, asOf.time) <= 0
    case 'frontier':
      return (delta) => delta.seq <= (asOf.heads.get(`${delta.creator}/${delta.log}`) ?? -1)
  }
}
