/**
 * The causal fringe of a log that is being written: the maximal heads of other logs that its creator has seen and its
 * previous block does not imply. They become the dependencies of the next block. design.md 3, Commit.
 */

import { type BlockHash, type Dependency, DEPENDENCIES_MAX, type Header, type LogKey, logKeyOfHeader } from './block.ts'
import { compareTime, type Time } from '../delta/clock.ts'

interface Seen {
  readonly seq: number
  readonly hash: BlockHash
  readonly time: Time
}

/** State holder: feed it every committed block, in order of commit. Keeps an entry per log seen since our last block. */
export class CausalFringe {
  readonly #own: LogKey
  readonly #seen = new Map<LogKey, Seen>()

  constructor(own: LogKey) {
    this.#own = own
  }

  /** Takes note of a committed block; one of our own log implies all that was noted before. Constant in the logs. */
  note(header: Header, hash: BlockHash): void {
    const log = logKeyOfHeader(header)
    if (log === this.#own) {
      this.#seen.clear()
      return
    }
    for (const dependency of header.dependencies) {
      const seen = this.#seen.get(dependency.log)
      if (seen !== undefined && seen.seq <= dependency.seq) this.#seen.delete(dependency.log)
    }
    this.#seen.set(log, { seq: header.seq, hash, time: header.time })
  }

  /**
   * Forgets a log from `cut` on: what is void is no dependency. What a void head alone implied is not looked up again: the
   * next block then names fewer heads than its creator saw. That delays nothing, and loses an order a liar made.
   */
  void(log: LogKey, cut: number): void {
    const seen = this.#seen.get(log)
    if (seen !== undefined && seen.seq >= cut) this.#seen.delete(log)
  }

  /** The dependencies of the next block: sorted by log; the newest when there are more than fit. */
  dependencies(): { readonly dependencies: readonly Dependency[]; readonly cut: boolean } {
    const all = [...this.#seen].map(([log, { seq, hash, time }]) => ({ log, seq, hash, time }))
    const newest = all.sort((a, b) => compareTime(b.time, a.time) || byLog(a, b)).slice(0, DEPENDENCIES_MAX)
    const dependencies = newest.sort(byLog).map(({ log, seq, hash }) => ({ log, seq, hash }))
    return { dependencies, cut: all.length > DEPENDENCIES_MAX }
  }
}

function byLog(a: { readonly log: LogKey }, b: { readonly log: LogKey }): number {
  return a.log < b.log ? -1 : 1
}
