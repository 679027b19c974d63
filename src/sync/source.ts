/** What sync reads of one namespace in the store: frontier, runs, proofs, and what changed since a position. */

import { assert } from '../errors.ts'
import { type LogKey, logKeyOfHeader, type Run } from '../log/block.ts'
import { attest, type AttestedHeader, type ForkProof } from '../log/fork.ts'
import type { FrontierEntry } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Position, Store } from '../store/store.ts'
import { CHANGED_LOGS_MAX, CHANGES_READ_BYTES_MAX, CHANGES_READ_MAX } from './limits.ts'
import { Summaries, type Summary } from './summary.ts'

export class Source {
  readonly #store: Store
  readonly #namespace: NamespaceId
  readonly #summaries = new Summaries()
  #summary: Summary | undefined
  #revision = 0

  constructor(store: Store, namespace: NamespaceId) {
    this.#store = store
    this.#namespace = namespace
  }

  get instance(): string {
    return this.#store.instance
  }

  position(): Position {
    return this.#store.position()
  }

  entry(log: LogKey): FrontierEntry | undefined {
    return this.#store.logState(this.#namespace, log)
  }

  /** Of the frontier as it stands now. Linear in the logs that changed since it was last asked for. */
  summary(): Summary {
    const { revision, entries } = this.#store.frontierChanges(this.#namespace, this.#revision)
    if (this.#summary === undefined || entries.length > 0) this.#summary = this.#summaries.of(entries)
    this.#revision = revision
    return this.#summary
  }

  readRun(log: LogKey, fromSeq: number, bytesMax: number): Run | undefined {
    return this.#store.readRun(this.#namespace, log, fromSeq, bytesMax)
  }

  /** The header of a log's head with the signature that certifies it. */
  attestedHead(log: LogKey): AttestedHeader | undefined {
    const seq = this.entry(log)?.seq
    const run = seq === undefined ? undefined : this.readRun(log, seq, 0)
    return run === undefined ? undefined : attest(run.blocks)
  }

  forkProof(log: LogKey): ForkProof | undefined {
    return this.#store.forkProof(this.#namespace, log)
  }

  /** The logs that changed after a position, as they are now; undefined when that is more than a few, or unknown. */
  changedSince(position: number): readonly FrontierEntry[] | undefined {
    const end = this.#store.position()
    if (position > end) return undefined
    if (position === end) return []
    const after = position as Position
    const changes = this.#store.changesNow({ after, countMax: CHANGES_READ_MAX, bytesMax: CHANGES_READ_BYTES_MAX })
    if (changes.at(-1)?.position !== end) return undefined
    const logs = new Set<LogKey>()
    for (const change of changes) {
      if (change.namespace !== this.#namespace) continue
      logs.add(change.kind === 'voided' ? change.log : logKeyOfHeader(change.block.header))
    }
    return logs.size > CHANGED_LOGS_MAX ? undefined : [...logs].map((log) => this.#known(log))
  }

  #known(log: LogKey): FrontierEntry {
    const entry = this.entry(log)
    assert(entry !== undefined, 'a log that changed is in the frontier')
    return entry
  }
}
