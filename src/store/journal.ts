/**
 * Which logs changed, in the order in which they did: so that who follows a frontier looks at those alone. Bounded: who comes
 * back late is told that everything may have changed. In memory; revisions begin anew with each opening.
 */

import type { LogKey } from '../log/block.ts'

/** Changes remembered at least: some 500 KB. Twice as many at most. */
export const JOURNAL_CHANGES = 65_536

export class Journal {
  #logs: LogKey[] = []
  /** The revision before the first of `logs`. */
  #start = 0

  get revision(): number {
    return this.#start + this.#logs.length
  }

  note(log: LogKey): void {
    this.#logs.push(log)
    if (this.#logs.length < 2 * JOURNAL_CHANGES) return
    this.#logs = this.#logs.slice(JOURNAL_CHANGES)
    this.#start += JOURNAL_CHANGES
  }

  /** The logs that changed after a revision; undefined when it is 0, too long ago, or of another life. */
  after(revision: number): ReadonlySet<LogKey> | undefined {
    if (revision === 0 || revision < this.#start || revision > this.revision) return undefined
    return new Set(this.#logs.slice(revision - this.#start))
  }
}
