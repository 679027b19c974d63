/** What a subscription is made of, as applications write it, with the defaults together. */

import type { Delta, PeerId } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { Position } from '../../store/store.ts'
import { type FunctionOptions, type Settings, settingsOf } from '../functions/options.ts'
import { membersMissing, parseMembers } from './declared.ts'
import { parseDeadline } from './until.ts'

/**
 * When a delta is handed out. Names and properties as in Cachin, Guerraoui, Rodrigues, "Introduction to Reliable and Secure
 * Distributed Programming" (2011). All of them hand out only what was asserted and signed ("no creation"), by handlers that are
 * called again after a crash: "no duplication" is meant but for the delta at hand when this process was killed.
 *
 * - `best-effort` (best-effort broadcast, Module 3.1): from now on, as it comes, with a cursor in memory. What comes while the
 *   process is down is not handed out.
 * - `reliable` (regular reliable broadcast, Module 3.2): from a durable cursor. If a correct node hands it out, every correct
 *   node does, even if the author died after reaching one; assumes that correct nodes are connected now and again, by
 *   whatever detour, and no failure detector. Nodes that crash may have handed out what nobody else will.
 * - `causal` (causal-order broadcast, Module 3.9, upon the above): nothing before what its author had seen. What it depends on
 *   is waited for; if that is nowhere, for ever: past the deadline it is told, and what does not depend on it goes on. An
 *   author that had seen more than 64 other heads states the newest 64 alone.
 * - `uniform` (uniform reliable broadcast, Module 3.3, "Majority-Ack", Algorithm 3.5): not before more than half of the declared
 *   members hold it durably, by receipts that they have signed. If any node hands it out, correct or not, every correct
 *   node does, though any minority of the members crash; assumes that a majority is correct, and that members do not
 *   lie. Without a majority it waits, in the order in which this node took blocks in, and past the deadline tells who
 *   holds it.
 */
export type Delivery = 'best-effort' | 'reliable' | 'causal' | 'uniform'

export interface SubscribeOptions extends Pick<FunctionOptions, 'filter' | 'signal'> {
  readonly delivery: Delivery
  /**
   * Under which the cursor is kept: the same after a restart. `[a-z0-9][a-z0-9._-]{0,63}`, one at a time in a namespace.
   * Default: that of the delivery.
   */
  readonly name?: string
  /** Where it begins the first time; `best-effort` begins now. Default `start`: with the first delta held. */
  readonly from?: 'start' | 'now'
  /** Of `uniform`: the declared list, 1 to 64 peer ids. Default: that of `openNode`. */
  readonly members?: readonly string[]
  /** Of `causal` and `uniform`: after so long what is still waited for is told, milliseconds, 1 to 3,600,000. Default 10,000. */
  readonly deadlineMs?: number
  /** Of a delta on which the handler throws. */
  readonly retry?: RetryOptions
}

export interface RetryOptions {
  /** How often it is handed out. 1 to Infinity. Default 8, over some 13 seconds. */
  readonly attemptsMax?: number
  /** Wait before the second attempt; it doubles for each further one, up to 30 s. 1 to 30,000. Default 100. */
  readonly retryMs?: number
  /**
   * After the last: `skip` lists the delta among the failures and goes on, `stop` ends the subscription, which begins with the
   * same delta when it is begun again. Default `skip`.
   */
  readonly onFailure?: 'skip' | 'stop'
}

/** Beside the delta. */
export interface DeliveryOccasion {
  /** Of the block in which this node learnt of it. */
  readonly position: Position
  /** 1, and more for a delta on which the handler has thrown. */
  readonly attempt: number
  /** Ends when the subscription does: what the handler does after that is not waited for. */
  readonly signal: AbortSignal
}

export type DeliveryHandler = (delta: Delta, occasion: DeliveryOccasion) => void | Promise<void>

export interface SubscriptionSettings extends Settings {
  readonly delivery: Delivery
  readonly members: readonly PeerId[]
  readonly deadlineMs: number
}

const DELIVERIES: ReadonlySet<unknown> = new Set<Delivery>(['best-effort', 'reliable', 'causal', 'uniform'])

/** Throws RZ_SUBSCRIPTION_INVALID, RZ_DELIVERY_INVALID, RZ_DELIVERY_MEMBERS, and RZ_RULE_… for a filter that cannot be read. */
export function subscriptionSettings(
  options: SubscribeOptions,
  declared: readonly PeerId[] | undefined,
): SubscriptionSettings {
  const { delivery, name = delivery, members, deadlineMs, from, filter, retry = {} } = options
  if (!DELIVERIES.has(delivery)) throw invalid('"delivery" is "best-effort", "reliable", "causal" or "uniform"')
  if (members !== undefined && delivery !== 'uniform') throw invalid('"members" belongs to uniform delivery')
  if (deadlineMs !== undefined && delivery !== 'uniform' && delivery !== 'causal') {
    throw invalid(`"deadlineMs" belongs to causal and uniform delivery: ${delivery} waits for nobody`)
  }
  if (from === 'start' && delivery === 'best-effort') {
    throw invalid('best-effort delivery begins now: take "reliable" to begin with the first delta')
  }
  const settings = settingsOf(
    {
      name,
      from: delivery === 'best-effort' ? 'now' : (from ?? 'start'),
      ...(filter === undefined ? {} : { filter }),
      ...retry,
    },
    invalid,
  )
  const listed = members === undefined ? declared : parseMembers(members)
  if (delivery === 'uniform' && listed === undefined) throw membersMissing()
  return { ...settings, delivery, members: listed ?? [], deadlineMs: parseDeadline(deadlineMs) }
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_SUBSCRIPTION_INVALID', `not a subscription: ${why}`)
}
