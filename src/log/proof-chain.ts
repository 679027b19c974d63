/**
 * The part of a proof that a creator's signature is behind: a chain of headers up to a signed one, and deltas under the
 * roots in them. Made from a log's blocks, checked from nothing else.
 */

import { compareTime } from '../delta/clock.ts'
import { decodePointers } from '../delta/bytes.ts'
import type { Delta } from '../delta/delta.ts'
import { HASH_BYTES, hashBytes } from '../delta/identifiers.ts'
import { assert } from '../errors.ts'
import {
  type Block,
  type BlockHash,
  type Header,
  type LogKey,
  logKeyOfHeader,
  RUN_BLOCKS_MAX,
  SALT_BYTES,
} from './block.ts'
import { checkOwnReferences, deltaOf } from './block-bytes.ts'
import { decodeHeader, hashHeader } from './header.ts'
import { leafOf, proverOf, verifyProof } from './merkle.ts'
import type { NamespaceId } from './namespace.ts'
import { type ProofBlock, type ProofChain, type ProvenDelta, unproven } from './proof.ts'
import { isShown } from './shown.ts'
import { verify } from './signature.ts'

/** `blocks` are consecutive ones of a log, the last signed; `wanted` are indexes by block. Linear in the blocks' bytes. */
export function proveIn(blocks: readonly Block[], wanted: ReadonlyMap<string, readonly number[]>): ProofChain {
  const [first, ...rest] = blocks.map((block): ProofBlock => {
    const indexes = wanted.get(block.hash) ?? []
    return { header: block.headerBytes, deltas: provenOf(block, indexes) }
  })
  const signature = blocks.at(-1)?.signature
  assert(first !== undefined && signature !== undefined, 'a run ends with a signature')
  return { blocks: [first, ...rest], signature }
}

function provenOf({ payload }: Block, indexes: readonly number[]): readonly ProvenDelta[] {
  if (indexes.length === 0) return []
  const pathTo = proverOf(payload.map(leafOf))
  return indexes
    .toSorted((a, b) => a - b)
    .map((index) => {
      const item = payload[index]
      assert(item !== undefined, 'the delta is in the block')
      return {
        index,
        salt: item.subarray(0, SALT_BYTES),
        bytes: item.subarray(SALT_BYTES),
        path: pathTo(index),
      }
    })
}

/** What a chain has proven. */
export interface ProvenChain {
  readonly log: LogKey
  readonly deltas: readonly Delta[]
  readonly first: ChainEnd
  readonly last: ChainEnd
  /** The hash of the chain's block of that number. */
  readonly hashAt: (seq: number) => BlockHash | undefined
}

export interface ChainEnd extends Pick<Header, 'seq' | 'time' | 'previous'> {
  readonly hash: BlockHash
}

/** Throws RZ_PROOF_INVALID, or what decoding a header or a delta throws. One signature check, a hash for each header. */
export function checkChain({ blocks, signature }: ProofChain, namespace: NamespaceId): ProvenChain {
  if (blocks.length > RUN_BLOCKS_MAX) throw unproven(`a signature is ${blocks.length} blocks away`)
  if (blocks[0].deltas.length === 0) throw unproven('a chain begins with a block that nothing is shown of')
  const deltas: Delta[] = []
  const hashes: BlockHash[] = []
  let before: { readonly header: Header; readonly hash: BlockHash } | undefined
  let first: ChainEnd | undefined
  for (const block of blocks) {
    const header = decodeHeader(block.header)
    const hash = hashHeader(block.header)
    if (header.namespace !== namespace) throw unproven('a block of another namespace')
    if (before !== undefined) checkLink(before, header)
    for (const delta of provenIn(block.deltas, header, hash)) deltas.push(delta)
    hashes.push(hash)
    before = { header, hash }
    first ??= endOf(before)
  }
  assert(before !== undefined && first !== undefined, 'a chain has a block at least')
  const { header, hash } = before
  if (!verify(header.creator, hashBytes(hash), signature)) throw unproven(`a block is not signed by ${header.creator}`)
  const { seq: start } = first
  return { log: logKeyOfHeader(header), deltas, first, last: endOf(before), hashAt: (seq) => hashes[seq - start] }
}

function endOf({ header, hash }: { readonly header: Header; readonly hash: BlockHash }): ChainEnd {
  const { seq, time, previous } = header
  return { seq, time, hash, ...(previous && { previous }) }
}

function checkLink(before: { readonly header: Header; readonly hash: BlockHash }, header: Header): void {
  const { seq, previous, time } = header
  const isNext = previous === before.hash && seq === before.header.seq + 1
  if (!isNext || logKeyOfHeader(header) !== logKeyOfHeader(before.header)) throw unproven('headers are no chain')
  if (compareTime(time, before.header.time) <= 0) throw unproven('the time runs backwards in a chain')
}

function* provenIn(deltas: readonly ProvenDelta[], header: Header, hash: BlockHash): Generator<Delta> {
  if (deltas.length > 0 && !isShown(header)) throw unproven('a block whose deltas are not shown')
  let last = -1
  for (const { index, salt, bytes, path } of deltas) {
    if (index <= last) throw unproven('deltas of a block are out of order')
    last = index
    if (salt.length !== SALT_BYTES || path.some((sibling) => sibling.length !== HASH_BYTES))
      throw unproven('a salt or a path has another size')
    const leaf = leafOf(Buffer.concat([salt, bytes]))
    if (!verifyProof(header.root, leaf, { index, count: header.count }, path))
      throw unproven(`delta ${index} is not in the block ${hash}`)
    checkOwnReferences(decodePointers(bytes), index)
    yield deltaOf({ ...header, hash }, index, bytes)
  }
}
