/**
 * Reads of blocks and deltas: what the index finds, joined with the overlay of what it does not cover yet, without what
 * is void. Every rule of reading that has nothing to do with a disk; `engine.ts` answers with it. design.md 6.
 */

import type { Delta } from '../delta/delta.ts'
import { parseDeltaId } from '../delta/identifiers.ts'
import { compareDeltas, compareUtf8 } from '../delta/order.ts'
import { RhizomeError } from '../errors.ts'
import { type Block, type LogKey, logKeyOfHeader, type Run, RUN_BLOCKS_MAX, RUN_BYTES_MAX } from '../log/block.ts'
import { deltaAt } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { isShown } from '../log/shown.ts'
import type { HeldBlock, History } from './draft.ts'
import type { HeldLog, Heads } from './heads.ts'
import type { Admits, LogIndex, ReadDeltas } from './log-index.ts'
import type { Overlay } from './overlay.ts'
import { negates } from './shown.ts'
import type { EntityDeltas, Position, Store } from './store.ts'
import { Transactions } from './transactions.ts'

/** Blocks of a run that one statement looks up: a gossiped message's worth of the smallest. */
const READ_AHEAD_MAX = 128

export class Reading implements History {
  readonly #heads: Heads
  readonly #overlay: Overlay
  readonly #index: LogIndex | undefined
  readonly #admits: Admits
  readonly #transactions = new Transactions((namespace, entity) => this.#pointingAt(namespace, entity))

  constructor(heads: Heads, overlay: Overlay, index: LogIndex | undefined) {
    this.#heads = heads
    this.#overlay = overlay
    this.#index = index
    this.#admits = (namespace, log, seq) => heads.admits(namespace, log, seq)
  }

  /** To be called when blocks became void. */
  forget(): void {
    this.#transactions.forget()
  }

  /** To be called with each block that is read from now on. */
  take(block: Block): void {
    const { header } = block
    if (isShown(header) && this.#admits(header.namespace, logKeyOfHeader(header), header.seq)) {
      this.#transactions.take(block)
    }
  }

  heldBlock(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined {
    return this.#overlay.heldBlock(namespace, log, seq) ?? this.#index?.heldBlock(namespace, log, seq)
  }

  /** As `Store.readRun`. */
  run(namespace: NamespaceId, log: LogKey, fromSeq: number, bytesMax: number): Run | undefined {
    const held = this.#heads.get(namespace, log)
    if (held?.head === undefined || fromSeq < 0 || fromSeq > held.head.seq) return undefined
    const blocks: Block[] = []
    let bytes = 0
    let signedCount = 0
    for (const block of this.#blocksFrom(held, fromSeq, bytesMax)) {
      // Past the cut there is nothing to give but the signature that the blocks before it lack.
      if (block.header.seq > held.head.seq && signedCount > 0) break
      bytes += block.headerBytes.length + block.header.payloadBytes
      if (signedCount > 0 && bytes > bytesMax) break
      if (blocks.length > 0 && bytes > RUN_BYTES_MAX) break
      blocks.push(block)
      if (block.signature !== undefined) signedCount = blocks.length
      if (blocks.length >= RUN_BLOCKS_MAX) break
    }
    const [first, ...rest] = blocks.slice(0, signedCount)
    return first === undefined ? undefined : { blocks: [first, ...rest] }
  }

  /** Blocks held of a log, oldest first, void ones too; some `bytesMax` of them are read ahead. */
  *#blocksFrom({ namespace, log, top }: HeldLog, fromSeq: number, bytesMax: number): Generator<Block> {
    let seq = fromSeq
    let bytes = 0
    while (top !== undefined && seq <= top.seq) {
      const recent = this.#overlay.heldBlock(namespace, log, seq)
      const limits = { countMax: READ_AHEAD_MAX, bytesMax: bytesMax - bytes }
      const found = recent === undefined ? this.#index?.blocksFrom(namespace, log, seq, limits) : [recent.block]
      if (found === undefined || found.length === 0) throw damaged(log, seq)
      for (const block of found) {
        if (block.header.seq !== seq || logKeyOfHeader(block.header) !== log) throw damaged(log, seq)
        yield block
        bytes += block.headerBytes.length + block.header.payloadBytes
        seq++
      }
    }
  }

  block(namespace: NamespaceId, hash: string): Block | undefined {
    const block = this.#overlay.block(hash) ?? this.#index?.block(hash)
    if (block === undefined || block.header.namespace !== namespace) return undefined
    return this.#admits(namespace, logKeyOfHeader(block.header), block.header.seq) ? block : undefined
  }

  positionOf(namespace: NamespaceId, hash: string): Position | undefined {
    if (this.block(namespace, hash) === undefined) return undefined
    return (this.#overlay.positionOf(hash) ?? this.#index?.positionOf(hash)) as Position | undefined
  }

  entity(namespace: NamespaceId, entity: string, admits?: (delta: Delta) => boolean): EntityDeltas {
    const counts = this.#transactions.counts(namespace, admits)
    const deltas = this.#pointingAt(namespace, entity).filter(counts).sort(compareDeltas)
    return { deltas, negations: this.#negationsOf(namespace, deltas, counts) }
  }

  delta(namespace: NamespaceId, id: string, admits?: (delta: Delta) => boolean): ReturnType<Store['delta']> {
    const { blockHash, index } = parseDeltaId(id)
    const block = this.block(namespace, blockHash)
    if (block === undefined || index >= block.payload.length || !isShown(block.header)) return undefined
    const delta = deltaAt(block, index)
    const counts = this.#transactions.counts(namespace, admits)
    return counts(delta) ? { delta, negations: this.#negationsOf(namespace, [delta], counts) } : undefined
  }

  transaction(namespace: NamespaceId, id: string): ReturnType<Store['transaction']> {
    const isComplete = this.#transactions.isComplete(namespace, id)
    return { isComplete, deltas: () => this.#pointingAt(namespace, id) }
  }

  entities(namespace: NamespaceId, options: Parameters<Store['entities']>[1]): readonly string[] {
    const { prefix, after, countMax } = options
    const found: string[] = []
    let inclusive = after === undefined || compareUtf8(after, prefix) < 0
    let from = inclusive ? prefix : (after as string)
    while (found.length < countMax) {
      const next = this.#nextEntity(namespace, from, inclusive)
      if (next === undefined || !next.startsWith(prefix)) break
      found.push(next)
      from = next
      inclusive = false
    }
    return found
  }

  /** Deltas that point at `entity`, in no order. */
  #pointingAt(namespace: NamespaceId, entity: string, read?: ReadDeltas): Delta[] {
    const deltas: Delta[] = []
    for (const { block, index } of this.#overlay.entries(namespace, entity)) {
      if (!this.#admits(namespace, logKeyOfHeader(block.header), block.header.seq)) continue
      const place = `${block.hash}/${index}`
      const delta = read?.get(place) ?? deltaAt(block, index)
      read?.set(place, delta)
      deltas.push(delta)
    }
    if (this.#index !== undefined) {
      const indexed = this.#index.deltas(namespace, entity, this.#overlay.floor, this.#admits, read)
      for (const delta of indexed) deltas.push(delta)
    }
    return deltas
  }

  /** Every delta that negates one of `deltas`, or such a negation, and so on: in the total order. */
  #negationsOf(namespace: NamespaceId, deltas: readonly Delta[], counts: (delta: Delta) => boolean): readonly Delta[] {
    const found = new Map<string, Delta>()
    const read: ReadDeltas = new Map()
    const open = [...deltas]
    for (let delta = open.pop(); delta !== undefined; delta = open.pop()) {
      for (const negation of this.#negating(namespace, delta, read)) {
        if (found.has(negation.id) || !counts(negation)) continue
        found.set(negation.id, negation)
        open.push(negation)
      }
    }
    return [...found.values()].sort(compareDeltas)
  }

  #negating(namespace: NamespaceId, { id }: Delta, read: ReadDeltas): readonly Delta[] {
    const indexed = this.#index?.mayBeNegated(id.slice(0, id.indexOf('/'))) ?? false
    if (!indexed && this.#overlay.entries(namespace, id).length === 0) return []
    return this.#pointingAt(namespace, id, read).filter((delta) => negates(delta, id))
  }

  #nextEntity(namespace: NamespaceId, from: string, inclusive: boolean): string | undefined {
    const admits = this.#heads.hasVoid(namespace) ? this.#admits : undefined
    const indexed = this.#index?.nextEntity(namespace, from, inclusive, admits)
    const recent = this.#nextRecent(namespace, from, inclusive, admits)
    if (indexed === undefined || recent === undefined) return indexed ?? recent
    return compareUtf8(indexed, recent) <= 0 ? indexed : recent
  }

  #nextRecent(namespace: NamespaceId, from: string, inclusive: boolean, admits?: Admits): string | undefined {
    let next = this.#overlay.nextEntity(namespace, from, inclusive)
    while (next !== undefined && admits !== undefined) {
      const entries = this.#overlay.entries(namespace, next)
      if (entries.some(({ block: { header } }) => admits(namespace, logKeyOfHeader(header), header.seq))) break
      next = this.#overlay.nextEntity(namespace, next, false)
    }
    return next
  }
}

function damaged(log: LogKey, seq: number): RhizomeError {
  return new RhizomeError('RZ_STORE_DAMAGED', `block ${seq} of log ${log} cannot be found: run rhizome-node repair`)
}
