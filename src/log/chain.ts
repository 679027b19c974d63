/** The chain rule: how a block or run must follow a log's head. Pure; the store applies it inside its transaction. */

import { compareTime, type Time } from '../delta/clock.ts'
import { RhizomeError } from '../errors.ts'
import { type Block, type BlockHash, logKeyOfHeader, type Run, RUN_BLOCKS_MAX, RUN_BYTES_MAX } from './block.ts'
import { hasValidSignature } from './block-bytes.ts'

/** The newest block of a log that a node admits. */
export interface Head {
  readonly seq: number
  readonly hash: BlockHash
  readonly time: Time
}

/** How a block relates to a log of which `head` is the newest admitted block. */
export type Link =
  | { readonly kind: 'next' }
  /** At or below the head: a duplicate, or the evidence of a fork, as its hash at that seq tells. */
  | { readonly kind: 'known-seq' }
  | { readonly kind: 'gap'; readonly missingFrom: number }
  /** It follows the head by number but names another previous hash: evidence of a fork, if authentic. */
  | { readonly kind: 'fork' }
  | { readonly kind: 'invalid'; readonly why: string }

export function headOf(block: Block): Head {
  return { seq: block.header.seq, hash: block.hash, time: block.header.time }
}

/** Judges by the header alone; its authenticity is the caller's to check. */
export function linkOf(head: Head | undefined, block: Block): Link {
  const { seq, previous, time } = block.header
  const expected = head === undefined ? 0 : head.seq + 1
  if (seq > expected) return { kind: 'gap', missingFrom: expected }
  if (seq < expected) return { kind: 'known-seq' }
  if (previous !== head?.hash) return { kind: 'fork' }
  if (head !== undefined && compareTime(time, head.time) <= 0) {
    return { kind: 'invalid', why: `its time is not later than that of block ${head.seq}` }
  }
  return { kind: 'next' }
}

/**
 * Checks what a run claims of itself: one namespace, creator and log, consecutive, chained, in rising time, within the
 * limits, the last block signed by its creator. One signature check whatever its length. Answers with the run as it may
 * be stored and sent: signatures of inner blocks, which nobody checked, are left out.
 * Throws RZ_BLOCK_INVALID, RZ_SIGNATURE_INVALID.
 */
export function verifyRun(run: Run): Run {
  const { blocks } = run
  const last = blocks.at(-1)
  if (last === undefined || blocks.length > RUN_BLOCKS_MAX) throw invalid(`a run of ${blocks.length} blocks`)
  const bytes = blocks.reduce((sum, block) => sum + block.headerBytes.length + block.header.payloadBytes, 0)
  if (bytes > RUN_BYTES_MAX) throw invalid(`a run of ${bytes} bytes`)
  for (let index = 1; index < blocks.length; index++) {
    const before = blocks[index - 1] as Block
    const block = blocks[index] as Block
    if (block.header.namespace !== before.header.namespace) throw invalid('a run over two namespaces')
    if (logKeyOfHeader(block.header) !== logKeyOfHeader(before.header)) throw invalid('a run over two logs')
    const link = linkOf(headOf(before), block)
    if (link.kind === 'invalid') throw invalid(link.why)
    if (link.kind !== 'next') throw invalid(`block ${block.header.seq} does not follow block ${before.header.seq}`)
  }
  if (!hasValidSignature(last)) {
    throw new RhizomeError('RZ_SIGNATURE_INVALID', `block ${last.hash} is not signed by ${last.header.creator}`)
  }
  if (!blocks.some((block) => block !== last && block.signature !== undefined)) return run
  return {
    blocks: blocks.map((block) => (block === last ? block : unsigned(block))) as readonly Block[] as Run['blocks'],
  }
}

function unsigned({ header, hash, headerBytes, payload }: Block): Block {
  return { header, hash, headerBytes, payload }
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_BLOCK_INVALID', `not a run of one log: ${why}`)
}
