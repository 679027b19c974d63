/** Random blocks, sealed by the code under test with keys, salts and names that a seed decides. */

import fc from 'fast-check'
import type { Pointer } from '../../src/delta/delta.ts'
import { hashText } from '../../src/delta/identifiers.ts'
import { type Block, type BlockHash, type Dependency, logKeyOf } from '../../src/log/block.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { encodeDeltas, seal } from '../../src/log/seal.ts'
import { signerOf } from '../../src/log/signature.ts'
import { pointerLists } from './deltas.ts'

const thirtyTwo = fc.uint8Array({ minLength: 32, maxLength: 32 })
const sixteenHex = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const numbers = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 70_000 }), fc.integer({ min: 0, max: 2 ** 53 - 2 }))
const hashes = thirtyTwo.map((bytes) => hashText(bytes) as BlockHash)
const peers = thirtyTwo.map((seed) => signerOf(seed).id)

const dependencyLists: fc.Arbitrary<readonly Dependency[]> = fc
  .uniqueArray(
    fc
      .record({ creator: peers, logId: sixteenHex, seq: numbers, hash: hashes })
      .map(({ creator, logId, seq, hash }) => ({
        log: logKeyOf(creator, logId),
        seq,
        hash,
      })),
    { maxLength: 4, selector: ({ log }) => log },
  )
  .map((list) => list.toSorted((a, b) => (a.log < b.log ? -1 : 1)))

/** Deltas of one block, some of which point at earlier ones of it. */
const deltaLists: fc.Arbitrary<readonly (readonly Pointer[])[]> = fc
  .array(fc.record({ pointers: pointerLists, back: fc.option(fc.nat({ max: 30 }), { nil: undefined }) }), {
    minLength: 1,
    maxLength: 9,
  })
  .map((drafts) =>
    drafts.map(({ pointers, back }, index) =>
      back === undefined || back >= index
        ? pointers
        : [...pointers, { localContext: 'negates', target: `./${back}`, targetContext: 'negated_by' }],
    ),
  )

export interface SealedBlock {
  readonly block: Block
  readonly deltas: readonly (readonly Pointer[])[]
  readonly salts: Uint8Array
}

export const sealedBlocks: fc.Arbitrary<SealedBlock> = fc
  .record({
    seed: thirtyTwo,
    host: peers,
    logId: sixteenHex,
    head: fc.option(fc.record({ seq: numbers, hash: hashes }), { nil: undefined }),
    dependencies: dependencyLists,
    cut: fc.boolean(),
    ms: numbers,
    counter: fc.nat({ max: 65_535 }),
    deltas: deltaLists,
    salt: thirtyTwo,
  })
  .map(({ seed, host, logId, head, dependencies, cut, ms, counter, deltas, salt }) => {
    const salts = new Uint8Array(deltas.length * 16).map((_, index) => (salt[index % 32] ?? 0) ^ index)
    const block = seal({
      namespace: openNamespaceId('users'),
      signer: signerOf(seed),
      logId,
      host,
      ...(head === undefined ? {} : { head: { ...head, time: { ms: -1, counter: 0 } } }),
      dependencies,
      dependenciesCut: cut,
      time: { ms, counter },
      deltas: encodeDeltas(deltas),
      salts,
    })
    return { block, deltas, salts }
  })
