/** What commands that write are told by `--until` and `--deadline`, and what they tell of who holds it. */

import type { Call } from './call.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { visible } from './terminal.ts'

/** Of an answer to a write; empty where nothing was waited for. */
export interface Held {
  readonly achieved?: boolean
  readonly holders?: readonly { readonly peer: string; readonly durability: string }[]
  readonly fault?: { readonly code: string; readonly message: string }
}

export function writingQuery({ options }: Call): Readonly<Record<string, string | boolean | undefined>> {
  return { as: options['as'], until: options['until'], deadlineMs: options['deadline'] }
}

/** Nothing for programs: they read it in the answer. */
export function tellHeld({ achieved, holders = [], fault }: Held, { config, terminal }: Call): void {
  if (achieved === undefined || config.json) return
  const nodes = holders.length === 1 ? '1 node' : `${holders.length} nodes`
  terminal.out(`held by ${nodes}: ${holders.map(({ peer, durability }) => `${peer} (${durability})`).join(', ')}`)
  if (fault !== undefined) terminal.err(`note: ${visible(fault.message)} (${fault.code})`)
}

export function heldCode({ achieved }: Held): ExitCode {
  return achieved === false ? EXIT.partly : EXIT.ok
}
