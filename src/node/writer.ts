/**
 * The writer of one identity's log in one namespace: it gathers concurrent writes into blocks, seals and commits them.
 * Owns which log is written and when a new one begins, so that no log ever forks by honest accident. design.md 3.
 */

import type { DeltaId, PeerId, Pointer } from '../delta/delta.ts'
import { deltaIdOf } from '../delta/identifiers.ts'
import { assert, RhizomeError } from '../errors.ts'
import { type BlockHash, LOG_ID_BYTES, type LogKey, logKeyOf, SALT_BYTES, splitLogKey } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { refersToOwnBlock } from '../log/block-bytes.ts'
import { encodeDeltas, payloadBytesOf, seal } from '../log/seal.ts'
import type { Signer } from '../log/signature.ts'
import type { Notes, Position, Store } from '../store/store.ts'
import type { HeldResult } from './delivery/until.ts'
import type { HybridClock } from './hybrid-clock.ts'
import { SeenHeads } from './seen-heads.ts'

/** What a write answers once its block is committed. */
export interface Written extends HeldResult {
  /** In the order given. Empty when there was nothing to write. */
  readonly deltas: readonly DeltaId[]
  /** The block that holds them all. Absent when there was nothing to write. */
  readonly block?: BlockHash
  /** Where the block stands in this node's sequence of changes. */
  readonly position: Position
}

export interface WriterOptions {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly signer: Signer
  readonly host: PeerId
  readonly clock: HybridClock
  readonly random: (bytes: number) => Uint8Array
  /** Runs a step after the writes of this turn of the event loop are in: they share a block. */
  readonly defer: (step: () => void) => void
  /** Told of the log before anything is written to it. */
  readonly onLog: (log: LogKey) => void
  /** Told after a new log took the place of one that had been written before. */
  readonly onRenewed: (why: string) => void
}

/** Gathered blocks stay below a gossip message; one transaction may be larger and is announced by its header. */
const GATHERED_BYTES_MAX = 56 * 1_024
const GATHERED_DELTAS_MAX = 1_024
const QUEUE_WRITES_MAX = 65_536

interface Pending {
  readonly deltas: readonly Uint8Array[]
  readonly sizeBytes: number
  /** Its deltas refer to each other by index (`./0`), so it must stand first in its block. */
  readonly anchored: boolean
  /** Written with the block, or not at all. */
  readonly notes: Notes | undefined
  readonly resolve: (written: Written) => void
  readonly reject: (error: unknown) => void
}

export class LogWriter {
  readonly #options: WriterOptions
  readonly #seen: SeenHeads
  #queue: Pending[] = []
  #scheduled = false
  #log: LogKey | undefined
  /** A commit failed, and its block may be on the disk all the same: the log that was noted then is not taken up again. */
  #uncertain = false
  #closed = false

  constructor(options: WriterOptions) {
    this.#options = options
    this.#seen = new SeenHeads(options.store, options.namespace)
  }

  /**
   * Writes deltas that become visible together, in one block, or not at all. Throws RZ_DELTA_*, RZ_BLOCK_TOO_LARGE before
   * anything is signed; RZ_STORE_FULL, RZ_STORE_FAILED, RZ_STORE_CLOSED when the commit fails; RZ_NODE_BUSY when
   * `QUEUE_WRITES_MAX` writes wait already. `notes` go into the transaction that commits the block.
   */
  write(deltas: readonly (readonly Pointer[])[], notes?: Notes): Promise<Written> {
    if (this.#closed) return Promise.reject(new RhizomeError('RZ_STORE_CLOSED', 'the node is closed'))
    if (this.#queue.length >= QUEUE_WRITES_MAX) {
      return Promise.reject(
        new RhizomeError('RZ_NODE_BUSY', `${QUEUE_WRITES_MAX} writes are waiting: await some before writing more`),
      )
    }
    const { promise, resolve, reject } = Promise.withResolvers<Written>()
    try {
      const encoded = encodeDeltas(deltas)
      const sizeBytes = encoded.reduce((sum, bytes) => sum + payloadBytesOf(bytes.length), 0)
      this.#queue.push({ deltas: encoded, sizeBytes, anchored: deltas.some(refersToOwnBlock), notes, resolve, reject })
    } catch (error) {
      reject(error)
      return promise
    }
    this.#schedule()
    return promise
  }

  get creator(): PeerId {
    return this.#options.signer.id
  }

  /** Begins a new log at the next write if `log` is the one being written. */
  leave(log: LogKey, why: string): void {
    if (this.#noted() === splitLogKey(log).logId) this.renew(why)
  }

  /** Begins a new log at the next write. */
  renew(why: string): void {
    const { store } = this.#options
    if (store.note(this.#noteKey()) === undefined) return
    store.setNote(this.#noteKey(), undefined)
    this.#log = undefined
    this.#options.onRenewed(why)
  }

  /** Writes what waits; later writes are refused. */
  close(): void {
    this.#closed = true
    this.#flush()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.defer(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const queue = this.#queue
    this.#queue = []
    for (let start = 0; start < queue.length;) {
      const end = gather(queue, start)
      this.#commit(queue.slice(start, end))
      start = end
    }
  }

  #commit(writes: readonly Pending[]): void {
    try {
      const notes: Notes = new Map(writes.flatMap((write) => [...(write.notes ?? [])]))
      const { block, position } = this.#sealAndCommit(
        writes.flatMap((write) => write.deltas),
        notes,
      )
      let index = 0
      for (const write of writes) {
        const deltas = write.deltas.map(() => deltaIdOf(block, index++))
        write.resolve({ deltas, block, position })
      }
    } catch (error) {
      // Whether the block reached the disk is not known: the log it belongs to is left, so that it cannot fork.
      if (error instanceof RhizomeError && error.code === 'RZ_STORE_FAILED') {
        this.#log = undefined
        this.#uncertain = true
      }
      for (const write of writes) write.reject(error)
    }
  }

  #sealAndCommit(
    deltas: readonly Uint8Array[],
    notes: Notes,
  ): { readonly block: BlockHash; readonly position: Position } {
    const { store, namespace, signer, host, clock, random } = this.#options
    const log = this.#current()
    const state = store.logState(namespace, log)
    const { dependencies, cut } = this.#seen.dependencies(log)
    const block = seal({
      namespace,
      signer,
      logId: splitLogKey(log).logId,
      host,
      ...(state?.head === undefined ? {} : { head: state.head }),
      dependencies,
      dependenciesCut: cut,
      time: clock.tick(),
      deltas,
      salts: random(deltas.length * SALT_BYTES),
    })
    const result = store.commit({ blocks: [block] }, notes)
    assert(result.kind === 'committed', `a block sealed upon its log's head is taken, not ${result.kind}`)
    this.#seen.wrote(log, result.position)
    return { block: block.hash, position: result.position }
  }

  /** A log that was found forked meanwhile is left. */
  #current(): LogKey {
    const { store, namespace } = this.#options
    if (this.#log !== undefined && store.logState(namespace, this.#log)?.cut !== undefined) {
      this.renew('it was forked: another store went on writing it, as a copied directory does')
    }
    return (this.#log ??= this.#begin())
  }

  /** The log to write: the one of last time where it is certain that nobody went on with it, else a new one. */
  #begin(): LogKey {
    const { store, namespace, signer, random } = this.#options
    const noted = this.#uncertain ? undefined : this.#noted()
    if (noted !== undefined) {
      const log = logKeyOf(signer.id, noted)
      if (store.logState(namespace, log)?.cut === undefined) return log
    }
    const logId = Buffer.from(random(LOG_ID_BYTES)).toString('hex')
    const log = logKeyOf(signer.id, logId)
    this.#options.onLog(log)
    store.setNote(this.#noteKey(), `${store.instance}:${logId}`)
    this.#uncertain = false
    return log
  }

  /**
   * The log id of last time; undefined when it was noted by another life of the store. Whether somebody else went on with
   * that life is learnt at one opening alone, and this log may be written to for the first time at a later one.
   */
  #noted(): string | undefined {
    const { store } = this.#options
    const [instance, logId] = store.note(this.#noteKey())?.split(':') ?? []
    return instance === store.instance ? logId : undefined
  }

  #noteKey(): string {
    return `log/${this.#options.namespace}/${this.#options.signer.id}`
  }
}

/** The end of the writes from `start` on that share a block: at least one, whatever its size. */
function gather(queue: readonly Pending[], start: number): number {
  let sizeBytes = 0
  let count = 0
  let end = start
  for (; end < queue.length; end++) {
    const write = queue[end] as Pending
    sizeBytes += write.sizeBytes
    count += write.deltas.length
    if (end > start && (write.anchored || sizeBytes > GATHERED_BYTES_MAX || count > GATHERED_DELTAS_MAX)) break
  }
  return end
}
