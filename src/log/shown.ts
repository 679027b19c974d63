/** Which blocks have deltas that readers may see. design.md 3. */

import type { Header } from './block.ts'

/** A critical extension that this release does not know: the block is kept and forwarded, but not shown. */
export function isShown(header: Header): boolean {
  if (header.payloadKind !== 'plain') return false
  for (const key in header.extensions) if (key.startsWith('!')) return false
  return true
}
