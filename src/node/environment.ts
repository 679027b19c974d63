/**
 * What a node takes from the machine around it: clock, timers and chance. Everything in `node` and below that needs them is
 * handed these, so that `testing` and the simulator run whole nodes on virtual time, from a seed.
 */

import { pooledRandom } from './random.ts'

export interface Environment {
  /** The wall clock, milliseconds since 1970; it may be set forwards and backwards. */
  readonly nowMs: () => number
  /** Milliseconds that only ever grow, from any beginning: to measure how long something takes. */
  readonly steadyMs: () => number
  /** Calls `run` once after `delayMs`, never from within this call; answers the function that cancels it. */
  readonly schedule: (delayMs: number, run: () => void) => () => void
  /** Runs `step` after what this turn of the event loop still does. */
  readonly defer: (step: () => void) => void
  /** From 0 up to but not including 1: spreads things over time and decides nothing else. */
  readonly random: () => number
  /** For salts and log ids: never the same twice. */
  readonly randomBytes: (count: number) => Uint8Array
}

/** That of this machine. */
export function machineEnvironment(): Environment {
  return {
    nowMs: Date.now,
    steadyMs: () => performance.now(),
    schedule: (delayMs, run) => {
      const timer = setTimeout(run, delayMs)
      return () => clearTimeout(timer)
    },
    defer: setImmediate,
    random: Math.random,
    randomBytes: pooledRandom(),
  }
}
