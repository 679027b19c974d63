/** Whether another holder has everything of a shard, by its signed receipts, before this node lets go of it. */

import type { PeerId } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { Store } from '../../store/store.ts'
import type { Holder } from '../../sync/delivery/holdings.ts'
import type { HeldDurability } from '../../sync/delivery/message.ts'
import type { Environment } from '../environment.ts'
import { readReceipt } from './carrying.ts'
import type { Holders } from './holders.ts'
import { DROP_AGAIN_MS, HOLD_LOGS_MAX } from './limits.ts'
import type { Shard } from './shard.ts'
import { waitFor } from './waiting.ts'
import { bytesIn } from './words.ts'

export interface DroppingParts {
  readonly store: Store
  readonly environment: Environment
  readonly holders: Holders
  /** This node as a holder. */
  readonly self: Holder
  readonly closing: AbortSignal
}

const DURABILITIES: readonly HeldDurability[] = ['memory', 'process', 'disk']

/** Resolves when one other holder has given its receipts for everything that is here. Throws RZ_SHARD_LAST_COPY. */
export async function untilElsewhere(shard: Shard, deadlineMs: number, parts: DroppingParts): Promise<void> {
  const { environment, holders, closing } = parts
  const endMs = environment.steadyMs() + deadlineMs
  let why = 'no other node that is there holds it'
  for (;;) {
    for (const holder of holders.of(shard)) {
      try {
        if (await isHeldBy(shard, holder, parts)) return
        why = `${holder} does not hold everything yet`
      } catch (error) {
        if (!(error instanceof RhizomeError)) throw error
        why = error.message
      }
    }
    if (environment.steadyMs() >= endMs) break
    await waitFor(DROP_AGAIN_MS, environment, closing)
  }
  throw new RhizomeError(
    'RZ_SHARD_LAST_COPY',
    `"${shard.name}" is not dropped, because this node may be the only one that has all of it: ${why}. Have another hold it, or force it`,
  )
}

async function isHeldBy(shard: Shard, holder: PeerId, { store, self, holders }: DroppingParts): Promise<boolean> {
  const heads = store.frontier(shard.id).flatMap(({ log, seq }) => (seq === undefined ? [] : [{ log, seq }]))
  for (let start = 0; start < heads.length; start += HOLD_LOGS_MAX) {
    const asked = heads.slice(start, start + HOLD_LOGS_MAX)
    const content = asked.map(({ log, seq }) => [log, seq])
    const heard = await holders.ask(shard, 'hold', content, holder)
    const receipt = readReceipt(bytesIn(heard.end), heard, shard)
    // A copy that goes with its process is none, unless this one is no better.
    if (DURABILITIES.indexOf(receipt.durability) < Math.min(1, DURABILITIES.indexOf(self.durability))) return false
    const words = new Map(receipt.held.map(({ log, seq, hash }) => [`${log} ${seq}`, hash]))
    for (const { log, seq } of asked) {
      const own = store.readRun(shard.id, log, seq, 1)?.blocks[0]?.hash
      if (own !== undefined && words.get(`${log} ${seq}`) !== own) return false
    }
  }
  return true
}
