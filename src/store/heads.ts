/**
 * What a store knows of each log without reading the disk: its newest block, its cut, how many deltas count.
 * Owns the frontier and the counts. State in memory; `engine.ts` fills it on opening.
 */

import { laterTime, type Time, TIME_ZERO } from '../delta/clock.ts'
import type { PeerId } from '../delta/delta.ts'
import { type LogKey, splitLogKey } from '../log/block.ts'
import type { Head } from '../log/chain.ts'
import { type Frontier, type FrontierEntry, lengthOf, sameEntry } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { Journal } from './journal.ts'
import type { NamespaceCounts } from './store.ts'

/** One log as held. Never changed, only replaced. */
export interface HeldLog {
  readonly namespace: NamespaceId
  readonly log: LogKey
  /** The newest block held, void or not: it is always signed. */
  readonly top?: Head
  /** Deltas in all blocks held. */
  readonly topDeltas: number
  /** The newest admitted block: `top`, unless a cut lies below it. */
  readonly head?: Head
  /** Deltas in admitted blocks. */
  readonly headDeltas: number
  /** Blocks at or past it are void. */
  readonly cut?: number
}

interface HeldNamespace {
  readonly logs: Map<LogKey, FrontierLog>
  blocks: number
  deltas: number
  /** Logs of which void blocks are held. */
  voided: number
  readonly logsByCreator: Map<PeerId, number>
  /** As it was when last asked for, and the logs that changed since. */
  frontier: Frontier
  readonly stale: Set<LogKey>
  readonly journal: Journal
}

interface FrontierLog {
  readonly held: HeldLog
  readonly entry: FrontierEntry
}

export class Heads {
  readonly #namespaces = new Map<NamespaceId, HeldNamespace>()
  #latest: Time = TIME_ZERO

  openNamespace(id: NamespaceId): void {
    if (this.#namespaces.has(id)) return
    this.#namespaces.set(id, {
      logs: new Map(),
      logsByCreator: new Map(),
      blocks: 0,
      deltas: 0,
      voided: 0,
      frontier: [],
      stale: new Set(),
      journal: new Journal(),
    })
  }

  knows(namespace: NamespaceId): boolean {
    return this.#namespaces.has(namespace)
  }

  get(namespace: NamespaceId, log: LogKey): HeldLog | undefined {
    return this.#namespaces.get(namespace)?.logs.get(log)?.held
  }

  /** True when a block of the log counts. */
  admits(namespace: NamespaceId, log: LogKey, seq: number): boolean {
    const cut = this.get(namespace, log)?.cut
    return cut === undefined || seq < cut
  }

  /** True when void blocks are held, which every reader must pass over. */
  hasVoid(namespace: NamespaceId): boolean {
    return (this.#namespaces.get(namespace)?.voided ?? 0) > 0
  }

  set(held: HeldLog): void {
    this.openNamespace(held.namespace)
    const space = this.#namespaces.get(held.namespace) as HeldNamespace
    const before = space.logs.get(held.log)
    const entry = entryOf(held)
    space.logs.set(held.log, { held, entry })
    space.blocks += lengthOf(entry) - lengthOf(before?.entry)
    space.deltas += held.headDeltas - (before?.held.headDeltas ?? 0)
    space.voided += Number(holdsVoid(held)) - Number(holdsVoid(before?.held))
    if (before === undefined) {
      const { creator } = splitLogKey(held.log)
      space.logsByCreator.set(creator, (space.logsByCreator.get(creator) ?? 0) + 1)
    }
    if (before === undefined || !sameEntry(before.entry, entry)) {
      space.stale.add(held.log)
      space.journal.note(held.log)
    }
    if (held.top !== undefined) this.#latest = laterTime(this.#latest, held.top.time)
  }

  /** A snapshot, sorted by log. */
  frontier(namespace: NamespaceId): Frontier {
    const space = this.#namespaces.get(namespace)
    if (space === undefined) return []
    if (space.stale.size > 0) {
      const changed = [...space.stale].sort(compareLogs).map((log) => (space.logs.get(log) as FrontierLog).entry)
      space.frontier = merged(space.frontier, changed)
      space.stale.clear()
    }
    return space.frontier
  }

  /** The entries that changed after a revision, which are all when that is 0 or long ago. */
  changes(namespace: NamespaceId, after: number): { readonly revision: number; readonly entries: Frontier } {
    const space = this.#namespaces.get(namespace)
    if (space === undefined) return { revision: 0, entries: [] }
    const { logs, journal } = space
    const changed = journal.after(after)
    const entries =
      changed === undefined
        ? Array.from(logs.values(), ({ entry }) => entry)
        : Array.from(changed, (log) => (logs.get(log) as FrontierLog).entry)
    return { revision: journal.revision, entries }
  }

  logsOf(namespace: NamespaceId, creator: PeerId): number {
    return this.#namespaces.get(namespace)?.logsByCreator.get(creator) ?? 0
  }

  counts(namespace: NamespaceId): NamespaceCounts {
    const space = this.#namespaces.get(namespace)
    if (space === undefined) return { blocks: 0, deltas: 0, logs: 0 }
    return { blocks: space.blocks, deltas: space.deltas, logs: space.logs.size }
  }

  latestTime(): Time {
    return this.#latest
  }
}

/** Both sorted; an entry of `changed` replaces the one of its log. A copy, of which only what lies behind a new log moves. */
function merged(entries: Frontier, changed: Frontier): Frontier {
  const all = entries.slice()
  const added = changed.filter((entry) => {
    const at = firstFrom(entries, entry.log)
    const isHeld = entries[at]?.log === entry.log
    if (isHeld) all[at] = entry
    return !isHeld
  })
  let read = all.length
  let write = all.length + added.length
  all.length = write
  for (const entry of added.toReversed()) {
    const at = firstFrom(entries, entry.log)
    while (read > at) all[--write] = all[--read] as FrontierEntry
    all[--write] = entry
  }
  return all
}

/** The first index whose log is not before `log`. */
function firstFrom(entries: Frontier, log: LogKey): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as FrontierEntry).log < log) low = middle + 1
    else high = middle
  }
  return low
}

function compareLogs(a: LogKey, b: LogKey): number {
  return a < b ? -1 : 1
}

function entryOf({ log, head, cut }: HeldLog): FrontierEntry {
  return {
    log,
    ...(head === undefined ? {} : { seq: head.seq, hash: head.hash }),
    ...(cut === undefined ? {} : { cut }),
  }
}

function holdsVoid(held: HeldLog | undefined): boolean {
  return held?.cut !== undefined && held.top !== undefined && held.top.seq >= held.cut
}
