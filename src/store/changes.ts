/**
 * The durable cursor: the sequence of changes, read from any position and followed as it grows. What is recent comes from
 * the overlay, what is older from the log. design.md 6, "What must stay true" (2).
 */

import { type Block, logKeyOfHeader } from '../log/block.ts'
import type { Heads } from './heads.ts'
import type { LogFile, PlacedRecord, ReadLimits } from './log-file.ts'
import type { Overlay } from './overlay.ts'
import type { Change, Position } from './store.ts'
import { Waiters } from './waiters.ts'

/** One batch that is read ahead. */
const BATCH = { countMax: 256, bytesMax: 1_048_576 }

export class Changes {
  readonly #log: LogFile
  readonly #heads: Heads
  readonly #overlay: Overlay
  readonly #waiters = new Waiters()
  #end: number
  #ended = false

  constructor(log: LogFile, heads: Heads, overlay: Overlay) {
    this.#log = log
    this.#heads = heads
    this.#overlay = overlay
    this.#end = overlay.floor
  }

  /** The position of the newest change. */
  get end(): number {
    return this.#end
  }

  /** Takes note of what the overlay holds up to `end`, and wakes those who wait for it. */
  advance(end: number): void {
    this.#end = end
    this.#waiters.wake()
  }

  /** Ends all who follow. */
  close(): void {
    this.#ended = true
    this.#waiters.end()
  }

  /** As `Store.changesNow`. */
  now(options: { readonly after: number } & ReadLimits): readonly Change[] {
    let { after } = options
    // A page that holds nothing but void blocks must not look like the end.
    while (after < this.#end) {
      const records =
        after >= this.#overlay.floor ? this.#overlay.after(after, options) : this.#log.after(after, options)
      const changes = records.flatMap((record) => this.#changeOf(record) ?? [])
      const last = records.at(-1)
      if (changes.length > 0 || last === undefined) return changes
      after = last.end
    }
    return []
  }

  /** As `Store.changes`. */
  async *follow(options: { readonly after: Position; readonly signal: AbortSignal }): AsyncIterable<Change> {
    const { signal } = options
    let { after } = options
    while (!signal.aborted && !this.#ended) {
      const batch = this.now({ after, ...BATCH })
      for (const change of batch) {
        if (signal.aborted) return
        // A fork found since the batch was read has voided it.
        if (change.kind === 'committed' && !this.#stands(change.block)) continue
        yield change
      }
      const last = batch.at(-1)
      if (last !== undefined) after = last.position
      else if (!(await this.#waiters.wait(signal))) return
    }
  }

  #changeOf(record: PlacedRecord): Change | undefined {
    const position = record.end as Position
    if (record.kind === 'fork') return { kind: 'voided', position, ...record.fork }
    const { block } = record
    return this.#stands(block) ? { kind: 'committed', position, namespace: block.header.namespace, block } : undefined
  }

  #stands({ header }: Block): boolean {
    return this.#heads.admits(header.namespace, logKeyOfHeader(header), header.seq)
  }
}
