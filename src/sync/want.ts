/** What a node that holds one entry of a log asks of a peer that claims another. Pure. design.md 3 and 4. */

import { type FrontierEntry, lengthOf } from '../log/frontier.ts'
import type { Want } from './wire.ts'

/**
 * Undefined when the claim holds nothing for us. What lies past the lower of both cuts is never asked for. Heads of one
 * number and different hashes are a fork that neither knows: the peer's block is the evidence.
 */
export function wantOf(held: FrontierEntry | undefined, claimed: FrontierEntry): Want | undefined {
  const cut = Math.min(held?.cut ?? Infinity, claimed.cut ?? Infinity)
  const heldLength = Math.min(lengthOf(held), cut)
  const claimedLength = Math.min(lengthOf(claimed), cut)
  const proof = claimed.cut !== undefined && claimed.cut < (held?.cut ?? Infinity)
  const conflict = heldLength > 0 && held?.seq === claimed.seq && held?.hash !== claimed.hash
  if (!proof && !conflict && claimedLength <= heldLength) return undefined
  return {
    log: claimed.log,
    fromSeq: conflict ? heldLength - 1 : heldLength,
    ...(held?.cut === undefined ? {} : { cut: held.cut }),
  }
}
