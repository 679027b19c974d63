/**
 * The way in: everything that peers bring of a namespace is committed here, by gossip or by sync, and what follows from it is
 * seen to. Gossip is screened, put in the inbox or, if it leaves a gap, kept aside for a moment; what is dated too far
 * ahead is remembered until it is due. design.md 4 and 6, "gossip in" and "catch-up".
 */

import type { PeerId } from '../delta/delta.ts'
import { type Header, type LogKey, logKeyOfHeader, type Run } from '../log/block.ts'
import type { ForkProof } from '../log/fork.ts'
import { lengthOf } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { PeerIdText, Verdict } from '../net/net.ts'
import type { CommitResult, Store } from '../store/store.ts'
import type { NamespaceEvent } from './events.ts'
import type { Schedule } from './exchange.ts'
import { failureOf } from './failure.ts'
import { FutureBlocks } from './future-blocks.ts'
import { type Arrival, GapBuffer } from './gap-buffer.ts'
import { Inbox } from './inbox.ts'
import type { KnownHeads } from './known-heads.ts'
import { FUTURE_CHECK_MS, GAP_MS, LOGS_PER_CREATOR_REPORTED } from './limits.ts'
import { type LogKnowledge, screen } from './screen.ts'
import type { Source } from './source.ts'

export interface IntakeOptions {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly source: Source
  readonly known: KnownHeads
  readonly nowMs: () => number
  readonly schedule: Schedule
  readonly own: (log: LogKey) => boolean
  readonly emit: (event: NamespaceEvent) => void
  /** Something is lacking that this peer, or anybody, may have. */
  readonly needSync: (from?: PeerIdText) => void
  /** What status depends on may have changed. */
  readonly changed: () => void
}

export class Intake {
  readonly #options: IntakeOptions
  readonly #inbox: Inbox
  readonly #gaps = new GapBuffer()
  readonly #gapTimers = new Map<LogKey, () => void>()
  readonly #future = new FutureBlocks()
  #cancelDue: (() => void) | undefined
  #closed = false

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#inbox = new Inbox({ schedule: options.schedule, commit: (arrivals) => this.#commitArrivals(arrivals) })
  }

  close(): void {
    this.#closed = true
    this.#inbox.close()
    this.#cancelDue?.()
    for (const cancel of this.#gapTimers.values()) cancel()
    this.#gapTimers.clear()
  }

  /** Judges a gossip message, and does what follows: what was decoded for the verdict is not decoded again. */
  message(bytes: Uint8Array, from: PeerIdText): Verdict {
    const { namespace, nowMs, known, emit, needSync, changed } = this.#options
    const screening = screen(bytes, { namespace, nowMs: nowMs(), knowledgeOf: (log) => this.#knowledgeOf(log) })
    switch (screening.action) {
      case 'nothing':
        break
      case 'report':
        if (screening.verdict === 'reject') emit({ kind: 'rejected', from, code: screening.code, why: screening.why })
        break
      case 'commit':
        this.#enqueue({ log: screening.log, run: screening.run, from, sizeBytes: bytes.length })
        break
      case 'buffer':
        this.#onGap({ log: screening.log, run: screening.run, from, sizeBytes: bytes.length })
        break
      case 'fetch':
        known.note(screening.log, screening.header.seq, from)
        needSync(from)
        changed()
        break
      case 'remember':
        this.future(screening.header, from)
    }
    return screening.verdict
  }

  /** Commits verified runs that a session brought. Throws what the store throws. */
  take(runs: readonly Run[], from: PeerIdText): readonly CommitResult[] {
    const results = this.#commit(runs.map((run) => ({ run, from })))
    const sum = { blocks: 0, deltas: 0 }
    for (const [index, run] of runs.entries()) addTo(sum, run, results[index])
    if (sum.blocks > 0) this.#options.emit({ kind: 'received', from, via: 'sync', ...sum })
    return results
  }

  /** Commits a verified proof. Throws what the store throws. */
  takeProof(proof: ForkProof): CommitResult {
    const result = this.#options.store.commitForkProof(proof)
    if (result.kind === 'forked') this.#options.known.met(result.log)
    this.#onForked(result)
    this.#options.changed()
    return result
  }

  /** A peer holds a block that is not admitted yet. */
  future(header: Header, peer: PeerIdText): void {
    const { nowMs, emit } = this.#options
    if (this.#future.note(header)) {
      emit({ kind: 'future-block', peer, log: logKeyOfHeader(header), aheadMs: header.time.ms - nowMs() })
    }
    this.#planDue()
  }

  // -------------------------------------------------------------------------------------------------- gossip

  #knowledgeOf(log: LogKey): LogKnowledge | undefined {
    const tail = this.#inbox.tail(log)
    const entry = this.#options.source.entry(log)
    return tail === undefined ? entry : { ...tail, ...(entry?.cut === undefined ? {} : { cut: entry.cut }) }
  }

  #enqueue(arrival: Arrival): void {
    if (!this.#inbox.add(arrival)) this.#lacks(arrival)
  }

  /** Keeps the run aside, and has the gap filled by sync if it lasts. */
  #onGap(arrival: Arrival): void {
    this.#gaps.add(arrival)
    this.#lacks(arrival)
  }

  /** The run exists and is not here: the status says so at once, and sync is asked for it if that lasts. */
  #lacks({ log, run, from }: Arrival): void {
    const { store, known, schedule, needSync, changed } = this.#options
    known.note(log, lastOf(run).header.seq, from)
    changed()
    if (this.#closed || this.#gapTimers.has(log)) return
    const cancel = schedule(GAP_MS, () => {
      this.#gapTimers.delete(log)
      // A full store takes no more from sync than from gossip: the sessions that come in time find out when it does.
      if (known.lacks(log) && !store.full) needSync(from)
    })
    this.#gapTimers.set(log, cancel)
  }

  #commitArrivals(arrivals: readonly Arrival[]): void {
    const { emit } = this.#options
    let results: readonly CommitResult[]
    try {
      results = this.#commit(arrivals)
    } catch (error) {
      // Nothing of it is kept; sync brings it when the store takes it.
      emit({ kind: 'store-refused', ...failureOf(error) })
      for (const arrival of arrivals) this.#lacks(arrival)
      return
    }
    const sums = new Map<PeerIdText, { blocks: number; deltas: number }>()
    for (const [index, arrival] of arrivals.entries()) {
      const sum = sums.get(arrival.from) ?? { blocks: 0, deltas: 0 }
      sums.set(arrival.from, sum)
      addTo(sum, arrival.run, results[index])
      if (results[index]?.kind === 'gap') this.#onGap(arrival)
    }
    for (const [from, sum] of sums) if (sum.blocks > 0) emit({ kind: 'received', from, via: 'gossip', ...sum })
  }

  // -------------------------------------------------------------------------------------------------- commit

  #commit(brought: readonly { readonly run: Run; readonly from: PeerIdText }[]): readonly CommitResult[] {
    const { store, known, changed } = this.#options
    for (const { run, from } of brought) this.#warnOfOwn(run, from)
    const results = store.commitAll(brought.map(({ run }) => run))
    for (const [index, { run }] of brought.entries()) {
      const result = results[index]
      const log = logKeyOfHeader(run.blocks[0].header)
      known.met(log)
      if (result?.kind === 'forked') this.#onForked(result)
      if (result?.kind !== 'gap') this.#releaseGap(log)
    }
    this.#reportManyLogs(brought, results)
    changed()
    return results
  }

  /** Told before the commit, so that no write of ours can come in between and fork the log. */
  #warnOfOwn(run: Run, peer: PeerIdText): void {
    const { own, source, emit } = this.#options
    const { header } = lastOf(run)
    const log = logKeyOfHeader(header)
    if (own(log) && header.seq >= lengthOf(source.entry(log)))
      emit({ kind: 'own-log-ahead', peer, log, seq: header.seq })
  }

  #reportManyLogs(
    brought: readonly { readonly run: Run; readonly from: PeerIdText }[],
    results: readonly CommitResult[],
  ): void {
    const { store, namespace, emit } = this.#options
    const begun = new Map<PeerId, { count: number; from: PeerIdText }>()
    for (const [index, { run, from }] of brought.entries()) {
      const { creator, seq } = run.blocks[0].header
      if (seq > 0 || results[index]?.kind !== 'committed') continue
      begun.set(creator, { count: (begun.get(creator)?.count ?? 0) + 1, from })
    }
    for (const [creator, { count, from }] of begun) {
      const logs = store.logsOf(namespace, creator)
      if (reportsDue(logs) > reportsDue(logs - count)) emit({ kind: 'many-logs', from, creator, logs })
    }
  }

  #releaseGap(log: LogKey): void {
    const next = this.#gaps.take(log, lengthOf(this.#options.source.entry(log)))
    if (next !== undefined) this.#enqueue(next)
  }

  /** Evidence is spread: peers learn of the cut by sync. */
  #onForked(result: CommitResult): void {
    if (result.kind !== 'forked') return
    const { log, cut } = result
    this.#options.emit({ kind: 'forked', log, cut, own: this.#options.own(log) })
    this.#options.needSync()
  }

  /** Has blocks fetched that were dated too far ahead, when they are due. */
  #planDue(): void {
    const { nowMs, schedule, needSync } = this.#options
    this.#cancelDue?.()
    this.#cancelDue = undefined
    const dueMs = this.#future.nextDueMs()
    if (dueMs === undefined) return
    const delayMs = Math.min(Math.max(dueMs - nowMs(), 0), FUTURE_CHECK_MS)
    this.#cancelDue = schedule(delayMs, () => {
      if (this.#future.takeDue(nowMs())) needSync()
      this.#planDue()
    })
  }
}

function lastOf({ blocks }: Run): Run['blocks'][0] {
  return blocks.at(-1) ?? blocks[0]
}

/** How many reports are due by the time that a creator has so many logs: one at the limit and one for each doubling. */
function reportsDue(logs: number): number {
  return Math.max(0, 1 + Math.floor(Math.log2(logs / LOGS_PER_CREATOR_REPORTED)))
}

function addTo(sum: { blocks: number; deltas: number }, run: Run, result: CommitResult | undefined): void {
  if (result?.kind !== 'committed') return
  sum.blocks += result.blocks
  // The part of a run that is new is its end.
  for (const { header } of run.blocks.slice(-result.blocks)) sum.deltas += header.count
}
