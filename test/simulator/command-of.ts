/** The command that replays a history. */

import type { HistoryOptions } from './history.ts'

export function commandOf({ seed, nodes, steps, only, without, shards }: HistoryOptions): string {
  const parts = [`--seed ${seed} --nodes ${nodes} --steps ${steps}`]
  if (shards === true) parts.push('--shards')
  if (only !== undefined) parts.push(`--only ${only.length === 0 ? "''" : only.join(',')}`)
  if (without !== undefined && without.length > 0) parts.push(`--without ${without.join(',')}`)
  return `npm run simulate -- ${parts.join(' ')}`
}
