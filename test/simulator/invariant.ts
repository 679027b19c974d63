/** What must hold, looked at by someone who sees all machines at once. */

import type { World } from './world.ts'

/** Answers what does not hold, one line each; nothing when all does. */
export type Look = (world: World) => readonly string[]

export interface Invariant {
  readonly name: string
  /** After every action, and while the network heals. */
  readonly throughout?: Look
  /** Once the network is whole, every machine runs, and time enough has passed. */
  readonly inTheEnd?: Look
}
