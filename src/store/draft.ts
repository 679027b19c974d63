/**
 * What a transaction is about to do: the chain rule and fork detection over what is held and what came before in the same
 * transaction. Pure but for reading blocks held; nothing changes until `engine.ts` has written `records`.
 * design.md 3, "A fork is evidence", and 6, "What must stay true" (1).
 */

import { type Block, type LogKey, logKeyOfHeader, type Run, RUN_BLOCKS_MAX } from '../log/block.ts'
import { type Head, headOf, linkOf } from '../log/chain.ts'
import {
  attest,
  type AttestedHeader,
  encodeForkProof,
  type Fork,
  type ForkProof,
  verifyForkProof,
} from '../log/fork.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { assert, RhizomeError } from '../errors.ts'
import type { HeldLog, Heads } from './heads.ts'
import type { LogRecord } from './log-file.ts'

/** Signature, hash, checksum, and what SQLite puts around a row. */
const BLOCK_AROUND_BYTES = 128

/** A block held, with the deltas of its log up to its end. */
export interface HeldBlock {
  readonly block: Block
  readonly deltas: number
}

/** Finds blocks held, void ones too. */
export interface History {
  heldBlock(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined
}

/** What will become of a run; `record` is the index in `records` whose position the result names. */
export type Verdict =
  | { readonly kind: 'committed'; readonly record: number; readonly blocks: number }
  | { readonly kind: 'forked'; readonly log: LogKey; readonly cut: number; readonly record: number }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'gap'; readonly missingFrom: number }
  | { readonly kind: 'void'; readonly cut: number }
  | { readonly kind: 'invalid'; readonly why: string }

export class Draft {
  readonly records: LogRecord[] = []
  /** Per record that is a block: the deltas of its log up to its end. */
  readonly deltas: number[] = []
  readonly #heads: Heads
  readonly #history: History
  readonly #held = new Map<string, HeldLog>()
  readonly #blocks = new Map<string, HeldBlock>()

  constructor(heads: Heads, history: History) {
    this.#heads = heads
    this.#history = history
  }

  /** The logs as they will be. */
  held(): Iterable<HeldLog> {
    return this.#held.values()
  }

  take(run: Run): Verdict {
    const [first] = run.blocks
    const last = run.blocks.at(-1) as Block
    const { namespace } = first.header
    const log = logKeyOfHeader(first.header)
    if (!this.#heads.knows(namespace)) return { kind: 'invalid', why: 'its namespace is not open here' }
    if (last.signature === undefined) return { kind: 'invalid', why: 'its last block is not signed' }

    const held = this.#get(namespace, log)
    const cut = held?.cut ?? Infinity
    if (first.header.seq >= cut) return { kind: 'void', cut }
    const divergence = this.#divergence(held, run)
    if (divergence !== undefined)
      return this.#fork(namespace, log, divergence, run.blocks.slice(divergence - first.header.seq))

    const fresh = run.blocks.slice(Math.max(0, lengthOf(held) - first.header.seq))
    const [next] = fresh
    if (next === undefined) return { kind: 'duplicate' }
    if (next.header.seq >= cut) return { kind: 'void', cut }
    const link = linkOf(held?.head, next)
    switch (link.kind) {
      case 'gap':
      case 'invalid':
        return link
      case 'fork':
        return this.#fork(namespace, log, lengthOf(held) - 1, fresh)
      case 'known-seq':
        throw new Error('bug: blocks that are held have been dropped from the run')
      case 'next':
        return this.#append(held ?? emptyLog(namespace, log), fresh, cut)
    }
  }

  /** Takes a proof that has been verified. */
  takeProof(proof: ForkProof, fork: Fork): Verdict {
    const { namespace, log, cut } = fork
    if (!this.#heads.knows(namespace)) return { kind: 'invalid', why: 'its namespace is not open here' }
    const held = this.#get(namespace, log) ?? emptyLog(namespace, log)
    if (held.cut !== undefined && held.cut <= cut) return { kind: 'duplicate' }
    this.#set(this.#cutAt(held, cut))
    this.#record({ kind: 'fork', proof, fork, bytes: encodeForkProof(proof).length }, 0)
    return { kind: 'forked', log, cut, record: this.records.length - 1 }
  }

  /** Takes a record that was committed before: what it follows was checked then. */
  replay(record: LogRecord): void {
    if (record.kind === 'block') {
      const { namespace } = record.block.header
      const log = logKeyOfHeader(record.block.header)
      const held = this.#get(namespace, log) ?? emptyLog(namespace, log)
      this.#append(held, [record.block], held.cut ?? Infinity)
    } else {
      const { namespace, log, cut } = record.fork
      const held = this.#get(namespace, log) ?? emptyLog(namespace, log)
      if (cut < (held.cut ?? Infinity)) this.#set(this.#cutAt(held, cut))
      this.#record(record, 0)
    }
  }

  /**
   * Blocks that follow the head, the last of them signed. Those past a cut come along as the certificate of those before,
   * and are void from the start.
   */
  #append(held: HeldLog, blocks: readonly Block[], cut: number): Verdict {
    let { topDeltas, headDeltas, head } = held
    let top: Head | undefined
    for (const block of blocks) {
      const { seq, count } = block.header
      topDeltas += count
      top = headOf(block)
      if (seq < cut) {
        head = top
        headDeltas = topDeltas
      }
      this.#record({ kind: 'block', block, bytes: storedBytesOf(block) }, topDeltas)
      this.#blocks.set(blockKey(held, seq), { block, deltas: topDeltas })
    }
    this.#set({ ...held, ...(top && { top }), topDeltas, ...(head && { head }), headDeltas })
    return { kind: 'committed', record: this.records.length - 1, blocks: blocks.length }
  }

  /** The first seq at which the run contradicts admitted blocks. Constant when it does not, else logarithmic. */
  #divergence(held: HeldLog | undefined, run: Run): number | undefined {
    const firstSeq = run.blocks[0].header.seq
    const overlapEnd = Math.min(lengthOf(held), firstSeq + run.blocks.length)
    if (held === undefined || overlapEnd <= firstSeq) return undefined
    const agrees = (seq: number) => this.#hashAt(held, seq) === run.blocks[seq - firstSeq]?.hash
    if (agrees(overlapEnd - 1)) return undefined
    let low = firstSeq
    let high = overlapEnd - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (agrees(middle)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Builds the proof from the blocks held from `seq` on and the `blocks` that contradict them. */
  #fork(namespace: NamespaceId, log: LogKey, seq: number, blocks: readonly Block[]): Verdict {
    // A first block cannot follow anything: there is nothing held that it contradicts.
    if (seq < 0) return { kind: 'invalid', why: 'its first block names a previous one' }
    const second = attest(blocks)
    assert(second !== undefined, 'the run ends at a signature')
    const proof: ForkProof = { first: this.#attested(namespace, log, seq), second }
    try {
      return this.takeProof(proof, verifyForkProof(proof))
    } catch (error) {
      if (!(error instanceof RhizomeError) || error.code !== 'RZ_FORK_PROOF_INVALID') throw error
      return { kind: 'invalid', why: error.message }
    }
  }

  /** The held header at `seq` with those up to the next signature: there is one, as every run was kept to its end. */
  #attested(namespace: NamespaceId, log: LogKey, seq: number): AttestedHeader {
    const chain: Block[] = []
    while (chain.length < RUN_BLOCKS_MAX) {
      const block = this.#block(namespace, log, seq + chain.length)
      assert(block !== undefined, 'what is held ends at a signature')
      chain.push(block.block)
      const attested = attest(chain)
      if (attested !== undefined) return attested
    }
    throw new Error('bug: a signature lies within the bounds of a run')
  }

  #cutAt(held: HeldLog, cut: number): HeldLog {
    if (held.head === undefined || held.head.seq < cut) return { ...held, cut }
    const { head: _, ...rest } = held
    if (cut === 0) return { ...rest, headDeltas: 0, cut }
    const last = this.#block(held.namespace, held.log, cut - 1)
    assert(last !== undefined, 'blocks below the head are held')
    return { ...rest, head: headOf(last.block), headDeltas: last.deltas, cut }
  }

  #hashAt(held: HeldLog, seq: number): string | undefined {
    if (held.head?.seq === seq) return held.head.hash
    return this.#block(held.namespace, held.log, seq)?.block.hash
  }

  #block(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined {
    return this.#blocks.get(blockKey({ namespace, log }, seq)) ?? this.#history.heldBlock(namespace, log, seq)
  }

  #get(namespace: NamespaceId, log: LogKey): HeldLog | undefined {
    return this.#held.get(`${namespace}/${log}`) ?? this.#heads.get(namespace, log)
  }

  #set(held: HeldLog): void {
    this.#held.set(`${held.namespace}/${held.log}`, held)
  }

  #record(record: LogRecord, deltas: number): void {
    this.records.push(record)
    this.deltas.push(deltas)
  }
}

/** About what a block takes on disk, without encoding it. */
function storedBytesOf({ headerBytes, header, payload }: Block): number {
  return headerBytes.length + header.payloadBytes + 3 * payload.length + BLOCK_AROUND_BYTES
}

function emptyLog(namespace: NamespaceId, log: LogKey): HeldLog {
  return { namespace, log, topDeltas: 0, headDeltas: 0 }
}

function lengthOf(held: HeldLog | undefined): number {
  return held?.head === undefined ? 0 : held.head.seq + 1
}

function blockKey({ namespace, log }: { readonly namespace: NamespaceId; readonly log: LogKey }, seq: number): string {
  return `${namespace}/${log}/${seq}`
}
