/**
 * One simulated history: whole nodes, a seed, and everything that can go wrong on the way; then the network heals, and what
 * must hold is looked at. Which actions there are is `actions.ts`, what must hold `invariants.ts`.
 */

import { type Action, drawActions } from './action.ts'
import { ACTION_KINDS, SHARD_ACTION_KINDS } from './actions.ts'
import { chanceFor } from './chance.ts'
import { INVARIANTS } from './invariants.ts'
import { isAllDelivered } from './invariants/delivery.ts'
import { digest } from './invariants/agreement.ts'
import { type Member, World } from './world.ts'

export interface HistoryOptions {
  readonly seed: number
  /** Machines. */
  readonly nodes: number
  /** Actions drawn, each followed by some virtual time. */
  readonly steps: number
  /** Numbers of the actions that are performed. Default: all. */
  readonly only?: readonly number[]
  /** Machines that take no part. Default: none. */
  readonly without?: readonly number[]
  /** The namespace lies in shards, and actions are those that concern them. Default false. */
  readonly shards?: boolean
}

export interface HistoryOutcome {
  readonly seed: number
  /** What did not hold, as `invariant: what`; empty when all did. */
  readonly violations: readonly string[]
  readonly deltas: number
  readonly forks: number
  readonly events: number
  readonly virtualMs: number
}

/** Long enough for what is dated ahead to be due, for what is passed over to be asked for again, and for every retry. */
const HEALING_MS_MAX = 60 * 60_000
const HEALING_STEP_MS = 5_000
/** One history of so many delivers. */
const DELIVERING = 4
/** For receipts to be asked for and given, once all is whole. */
const DELIVERING_MS_MAX = 120_000

/** The actions that are performed, in order. */
export function actionsOf(options: HistoryOptions): readonly Action[] {
  const { seed, nodes, steps, only } = options
  const chance = (number: number) => chanceFor(seed, `action ${number}`)
  const all = drawActions(options.shards === true ? SHARD_ACTION_KINDS : ACTION_KINDS, {
    count: steps,
    machines: nodes,
    chance,
  })
  return only === undefined ? all : all.filter(({ number }) => only.includes(number))
}

export async function runHistory(options: HistoryOptions): Promise<HistoryOutcome> {
  const world = worldOf(options)
  const startMs = world.time.nowMs()
  const uncaught = (error: unknown): void => world.witness.violated('nothing is thrown', textOf(error))
  process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught)
  try {
    await unfold(world, actionsOf(options))
  } catch (error) {
    uncaught(error)
  } finally {
    process.off('uncaughtException', uncaught).off('unhandledRejection', uncaught)
  }
  const first = world.members[0]?.machine.store
  return {
    seed: options.seed,
    violations: world.witness.violations(),
    deltas: first?.counts(world.namespace).deltas ?? 0,
    forks: first?.frontier(world.namespace).filter(({ cut }) => cut !== undefined).length ?? 0,
    events: world.time.eventsRun,
    virtualMs: world.time.nowMs() - startMs,
  }
}

async function unfold(world: World, actions: readonly Action[]): Promise<void> {
  for (const member of world.members) world.start(member)
  for (const action of actions) {
    action.perform(world)
    lookThroughout(world)
    await world.time.advance(action.thenMs)
    lookThroughout(world)
  }
  await heal(world)
  for (const { name, inTheEnd } of INVARIANTS)
    for (const what of inTheEnd?.(world) ?? []) world.witness.violated(name, what)
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' ') : String(error)
}

function worldOf({ seed, nodes, without = [], shards: hasShards = false }: HistoryOptions): World {
  const delivers = !hasShards && seed % DELIVERING === 0
  return new World({ seed, machines: nodes, without: new Set(without), delivers, hasShards })
}

function lookThroughout(world: World): void {
  world.look()
  for (const { name, throughout } of INVARIANTS)
    for (const what of throughout?.(world) ?? []) world.witness.violated(name, what)
}

async function heal(world: World): Promise<void> {
  for (let spentMs = 0; spentMs < HEALING_MS_MAX; spentMs += HEALING_STEP_MS) {
    world.heal()
    world.look()
    await world.time.advance(HEALING_STEP_MS)
    lookThroughout(world)
    for (const member of world.members) writeIfFull(world, member)
    if (isSettled(world)) break
  }
  await world.shards?.readAll()
  for (
    let spentMs = 0;
    world.delivers && !isAllDelivered(world) && spentMs < DELIVERING_MS_MAX;
    spentMs += HEALING_STEP_MS
  )
    await world.time.advance(HEALING_STEP_MS)
}

/** That there is room again is learnt by writing. */
function writeIfFull(world: World, member: Member): void {
  if (world.running(member.index) === undefined || world.namespaceOf(member).status().kind !== 'full') return
  world.write(member, (namespace) => namespace.put('writable', member.machine.name, { isFull: false }))
}

function isSettled(world: World): boolean {
  if (world.members.some(({ machine }) => machine.node === undefined)) return false
  if (world.shards?.isSettled() === false) return false
  const digests = new Set(world.members.map((member) => digest(world, member)))
  const isAlone = world.members.length === 1
  return (
    digests.size === 1 &&
    (isAlone || world.members.every((member) => world.namespaceOf(member).status().kind === 'in-sync'))
  )
}
