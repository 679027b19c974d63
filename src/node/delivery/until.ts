/**
 * How long a write waits after it is committed, and what its result says of who holds it then. Nothing is taken back when
 * the deadline passes: the write stays and goes on spreading; the answer says what was achieved. design.md 4.
 */

import type { PeerId } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { type BlockHash, logKeyOfHeader } from '../../log/block.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Store } from '../../store/store.ts'
import type { Holder } from '../../sync/delivery/holdings.ts'
import { WANT_HOLDERS_MAX } from '../../sync/delivery/limits.ts'
import type { HeldDurability } from '../../sync/delivery/message.ts'
import type { Receipts } from '../../sync/delivery/receipts.ts'
import type { Replication } from '../../sync/replication.ts'
import type { Fault } from '../../view/fault.ts'
import type { Environment } from '../environment.ts'
import { type BlockPlace, invalidDelivery, isDurable, Majority, membersMissing, parseMembers } from './declared.ts'

/**
 * What a write waits for. `local`: this node has committed it. `uniform`: more than half of the declared members hold it
 * durably, by their signed receipts; so it outlives the crash of any minority of them (uniform agreement, Cachin, Guerraoui,
 * Rodrigues, Module 3.3; as in their "Majority-Ack", Algorithm 3.5, this assumes that a majority is correct, and no failure
 * detector). `alive`: every member that the failure detector does not hold down holds it ("All-Ack", Algorithm 3.4, which
 * assumes a perfect detector: ours is none, so a member that was held down by mistake may lack it). `copies`: so many nodes hold
 * it durably, this one among them.
 */
export type Until = 'local' | 'uniform' | 'alive' | { readonly copies: number }

export interface UntilOptions {
  /** Default: the result comes with the commit, and names no holders. */
  readonly until?: Until
  /** How long is waited after the commit, milliseconds, 1 to 3,600,000. Default 10,000. */
  readonly deadlineMs?: number
  /** The declared members for `uniform`: 1 to 64 peer ids. Default: those of `openNode`. */
  readonly members?: readonly string[]
}

/** What was achieved by the deadline. Present when `until` was given. */
export interface HeldResult {
  /** Whether what was waited for has come about. The write stays either way. */
  readonly achieved?: boolean
  /** Who holds it, this node among them, each by its signed receipt; of `uniform`, members alone. */
  readonly holders?: readonly Holder[]
  /** Why it was not achieved: RZ_DELIVERY_DEADLINE, or RZ_STORE_CLOSED when the node was closed meanwhile. */
  readonly fault?: Fault
}

/** What waiting needs of the node. */
export interface DeliveryParts {
  readonly store: Store
  readonly namespace: NamespaceId
  /** Undefined for a node without a network. */
  readonly replication: () => Replication | undefined
  /** This node as a holder. */
  readonly self: Holder
  /** The declared list; undefined when none is. */
  readonly members: readonly PeerId[] | undefined
  /** Whether the failure detector is on. */
  readonly detects: boolean
  readonly environment: Environment
  /** Ends when the node closes. */
  readonly closing: AbortSignal
}

const DEADLINE_MS_DEFAULT = 10_000
const DEADLINE_MS_MAX = 3_600_000

type Wait = (block: BlockHash | undefined) => Promise<HeldResult>

/** What is waited for, as it can be asked about. */
interface Goal {
  readonly from: () => readonly PeerId[]
  readonly holders: (place: BlockPlace) => readonly Holder[]
  readonly isReached: (place: BlockPlace) => boolean
  /** For a person: who was to hold it. */
  readonly wanted: string
}

/**
 * Checks what is asked for before anything is written. Throws RZ_DELIVERY_INVALID, RZ_DELIVERY_MEMBERS,
 * RZ_DELIVERY_DETECTOR, RZ_NODE_OFFLINE. Answers how to wait; undefined where nothing is to be waited for.
 */
export function prepareWait(parts: DeliveryParts, options: UntilOptions): Wait | undefined {
  const { until, members } = options
  if (until === undefined) {
    if (options.deadlineMs !== undefined || members !== undefined) {
      throw invalidDelivery('"deadlineMs" and "members" belong to "until", which is not given')
    }
    return undefined
  }
  const deadlineMs = parseDeadline(options.deadlineMs)
  if (members !== undefined && until !== 'uniform') throw invalidDelivery('"members" belongs to "until": "uniform"')
  const here = { achieved: true, holders: [parts.self] }
  if (until === 'local') return async () => here
  const goalOf = goalFor(parts, until, members)
  const receipts = receiptsOf(parts)
  const goal = goalOf(receipts)
  return async (block) => (block === undefined ? here : waitFor({ parts, receipts, goal, deadlineMs }, block))
}

/** Milliseconds. Throws RZ_DELIVERY_INVALID. */
export function parseDeadline(deadlineMs: number = DEADLINE_MS_DEFAULT): number {
  if (Number.isInteger(deadlineMs) && deadlineMs >= 1 && deadlineMs <= DEADLINE_MS_MAX) return deadlineMs
  throw invalidDelivery(`"deadlineMs" is a whole number from 1 to ${DEADLINE_MS_MAX}`)
}

/** Throws RZ_NODE_OFFLINE for a node without a network. */
export function receiptsOf({ replication, namespace }: DeliveryParts): Receipts {
  const receipts = replication()?.receipts(namespace)
  if (receipts !== undefined) return receipts
  throw new RhizomeError('RZ_NODE_OFFLINE', 'the node has no network: nobody else can hold what it writes')
}

function goalFor(
  parts: DeliveryParts,
  until: Exclude<Until, 'local'>,
  listed: readonly string[] | undefined,
): (receipts: Receipts) => Goal {
  if (until === 'uniform') {
    const members = listed === undefined ? parts.members : parseMembers(listed)
    if (members === undefined) throw membersMissing()
    return (receipts) => uniformGoal(new Majority(receipts, members))
  }
  if (until === 'alive') {
    if (parts.detects) return (receipts) => aliveGoal(parts, receipts)
    throw new RhizomeError(
      'RZ_DELIVERY_DETECTOR',
      '"until": "alive" goes by the failure detector, which is off on this node: use "uniform" or { copies }',
    )
  }
  const count = copiesOf(until)
  return (receipts) => copiesGoal(parts, receipts, count)
}

function copiesOf(until: unknown): number {
  const copies = typeof until === 'object' && until !== null && 'copies' in until ? until.copies : undefined
  if (typeof copies === 'number' && Number.isInteger(copies) && copies >= 1 && copies <= WANT_HOLDERS_MAX) return copies
  throw invalidDelivery(`"until" is "local", "uniform", "alive" or { copies: 1 to ${WANT_HOLDERS_MAX} }`)
}

function uniformGoal(majority: Majority): Goal {
  const { members, neededCount } = majority
  return {
    from: () => members,
    holders: (place) => majority.holdersOf(place),
    isReached: (place) => majority.isReached(place),
    wanted: `${neededCount} of ${members.length} declared members hold it durably`,
  }
}

function aliveGoal({ replication, namespace }: DeliveryParts, receipts: Receipts): Goal {
  const alive = () =>
    (replication()?.members(namespace) ?? [])
      .filter(({ state }) => state === 'alive' || state === 'suspect')
      .map(({ peer }) => peer)
  const holders = ({ log, seq }: BlockPlace) => [receipts.self, ...receipts.holdersOf(log, seq)]
  return {
    from: alive,
    holders,
    isReached: (place) => {
      const holding = new Set(holders(place).map(({ peer }) => peer))
      return alive().every((peer) => holding.has(peer))
    },
    wanted: 'all members that are not held down hold it',
  }
}

function copiesGoal({ replication, namespace }: DeliveryParts, receipts: Receipts, count: number): Goal {
  const holders = ({ log, seq }: BlockPlace) => [receipts.self, ...receipts.holdersOf(log, seq)]
  return {
    from: () => likelyHolders(replication(), namespace),
    holders,
    isReached: (place) => holders(place).filter(isDurable).length >= count,
    wanted: `${count} nodes hold it durably`,
  }
}

/** Connected peers, then others that are there: as many as one question may name. */
function likelyHolders(replication: Replication | undefined, namespace: NamespaceId): readonly PeerId[] {
  const connected = (replication?.peers(namespace) ?? []).map(({ peer }) => peer as PeerId)
  const members = (replication?.members(namespace) ?? [])
    .filter(({ state }) => state === 'alive' || state === 'suspect')
    .map(({ peer }) => peer)
  return [...new Set([...connected, ...members])].slice(0, WANT_HOLDERS_MAX)
}

interface Waiting {
  readonly parts: DeliveryParts
  readonly receipts: Receipts
  readonly goal: Goal
  readonly deadlineMs: number
}

async function waitFor({ parts, receipts, goal, deadlineMs }: Waiting, block: BlockHash): Promise<HeldResult> {
  const { store, namespace, replication, environment, closing } = parts
  const header = store.block(namespace, block)?.header
  // Void by now: its log was found forked, and what it said is asserted again elsewhere.
  if (header === undefined) return unachieved([], goal, deadlineMs)
  const place = { log: logKeyOfHeader(header), seq: header.seq }
  if (goal.isReached(place)) return { achieved: true, holders: goal.holders(place) }
  const { promise, resolve } = Promise.withResolvers<HeldResult>()
  const look = (): void => {
    if (goal.isReached(place)) resolve({ achieved: true, holders: goal.holders(place) })
  }
  const onClose = (): void => resolve({ achieved: false, holders: goal.holders(place), fault: CLOSED })
  const question = receipts.ask({ from: goal.from, all: false, onNews: look })
  question.need(place.log, place.seq)
  const stopListening = replication()?.onEvent((event) => {
    if (event.kind === 'member-changed' && event.namespace === namespace) look()
  })
  const cancel = environment.schedule(deadlineMs, () => resolve(unachieved(goal.holders(place), goal, deadlineMs)))
  closing.addEventListener('abort', onClose, { once: true })
  if (closing.aborted) onClose()
  try {
    return await promise
  } finally {
    closing.removeEventListener('abort', onClose)
    cancel()
    stopListening?.()
    question.close()
  }
}

const CLOSED: Fault = { code: 'RZ_STORE_CLOSED', message: 'the node was closed before enough were known to hold it' }

function unachieved(holders: readonly Holder[], { wanted }: Goal, deadlineMs: number): HeldResult {
  const message = `within ${deadlineMs} ms it was not known that ${wanted}: it stays written, and goes on spreading`
  return { achieved: false, holders, fault: { code: 'RZ_DELIVERY_DEADLINE', message } }
}

/** What this node's commits survive. */
export function durabilityOf({
  memory,
  durability,
}: {
  readonly memory?: boolean
  readonly durability?: 'normal' | 'full'
}): HeldDurability {
  if (memory === true) return 'memory'
  return durability === 'full' ? 'disk' : 'process'
}
