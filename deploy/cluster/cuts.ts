/** What a node on plain processes is told of a partition: by whom (`process.ts`) and to whom (`cut.ts`). */

export interface Cuts {
  /** Written to CUTS_SEEN_FILE once no connection to the ports is left. */
  readonly version: string
  /** Of 127.0.0.1. */
  readonly ports: readonly number[]
}

/** In the node's folder. */
export const CUTS_FILE = 'cuts.json'
export const CUTS_SEEN_FILE = 'cuts.seen'
