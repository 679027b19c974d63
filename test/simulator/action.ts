/**
 * An action of a history as data: it is drawn from the seed before anything happens, told by its number, and can be left
 * out, so that a failing history shrinks to the actions that matter.
 */

import type { Random } from '../../src/testing/seeded-random.ts'
import type { World } from './world.ts'

export interface Action {
  readonly number: number
  /** What it does, for whoever reads a shrunk history. */
  readonly told: string
  /** The machines that it concerns, by index. */
  readonly machines: readonly number[]
  /** Virtual time that passes after it. */
  readonly thenMs: number
  readonly perform: (world: World) => void
}

/** What is drawn of one action; the rest is the same for all kinds. */
export type Drawn = Pick<Action, 'told' | 'machines' | 'perform'>

export interface ActionKind {
  readonly kind: string
  /** How often it is drawn, in proportion to the others. */
  readonly weight: number
  /** Nothing is known yet of what will be there: what is to be chosen then is drawn as a share from 0 to 1. */
  readonly draw: (random: Random, machines: number) => Drawn
}

/** The item at a share of the list; undefined when it is empty. */
export function atShare<Item>(items: readonly Item[], share: number): Item | undefined {
  return items[Math.floor(share * items.length)]
}

/** Most follow at once, so that they meet; some are given the time in which cuts are noticed and peers synced with again. */
const THEN_MS = [0, 1, 20, 50, 200, 500, 1_000, 3_000, 12_000] as const

/** A history's actions. Each has chance of its own, so that one draws the same whatever kinds are added to others. */
export function drawActions(
  kinds: readonly ActionKind[],
  {
    count,
    machines,
    chance,
  }: { readonly count: number; readonly machines: number; readonly chance: (number: number) => Random },
): readonly Action[] {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  return Array.from({ length: count }, (_, number) => {
    const random = chance(number)
    let left = random.next() * total
    const kind = kinds.find(({ weight }) => (left -= weight) < 0) ?? kinds.at(-1)
    const thenMs = random.pick(THEN_MS)
    if (kind === undefined) throw new Error('a history needs kinds of actions')
    const { told, ...drawn } = kind.draw(random, machines)
    return { number, told: `${kind.kind} ${told}`.trim(), thenMs, ...drawn }
  })
}
