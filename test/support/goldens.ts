/**
 * The golden files of format 0: inputs that are written here, and the bytes that the encoder makes of them. The manifest
 * stands in fixtures/format-0/ and changes only with the format: `write-goldens.ts` writes it, a test reproduces it.
 */

import { encodePointers } from '../../src/delta/bytes.ts'
import { type DeltaId, isReference, negationPointers, type Pointer, type Value } from '../../src/delta/delta.ts'
import { hashText } from '../../src/delta/identifiers.ts'
import { type Json, toJson } from '../../src/delta/json.ts'
import { assert } from '../../src/errors.ts'
import { type Block, type BlockHash, type Dependency, type Header, logKeyOf } from '../../src/log/block.ts'
import { deltasOf, encodeBlock } from '../../src/log/block-bytes.ts'
import { type Head, headOf } from '../../src/log/chain.ts'
import { attest, type AttestedHeader, encodeForkProof, type ForkProof, verifyForkProof } from '../../src/log/fork.ts'
import { encodeHeader, hashHeader } from '../../src/log/header.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { encodeDeltas, seal } from '../../src/log/seal.ts'
import { signerOf } from '../../src/log/signature.ts'

export const GOLDENS_PATH = 'fixtures/format-0/manifest.json'

/** Everything as JSON; byte fields in hex, whole blocks and proofs in base64, byte values as `json.ts` writes them. */
export interface Goldens {
  readonly format: 0
  readonly deltas: readonly { readonly name: string; readonly pointers: Json; readonly hex: string }[]
  readonly headers: readonly {
    readonly name: string
    readonly header: Json
    readonly hex: string
    readonly hash: string
  }[]
  readonly blocks: readonly {
    readonly name: string
    readonly seed: string
    readonly namespace: string
    readonly logId: string
    readonly host: string
    readonly head: Json
    readonly dependencies: Json
    readonly dependenciesCut: boolean
    readonly time: Json
    readonly salts: string
    readonly deltas: Json
    readonly base64: string
    readonly hash: string
    readonly ids: readonly string[]
    readonly signature: string
  }[]
  readonly forkProofs: readonly { readonly name: string; readonly base64: string; readonly fork: Json }[]
}

function goldens(): Goldens {
  return {
    format: 0,
    deltas: DELTAS.map(([name, pointers]) => ({
      name,
      pointers: jsonOf(pointers),
      hex: hexOf(encodePointers(pointers)),
    })),
    headers: headerCases().map(([name, header]) => {
      const bytes = encodeHeader(header)
      return { name, header: headerJson(header), hex: hexOf(bytes), hash: hashHeader(bytes) }
    }),
    blocks: blockCases().map(({ name, seed, head, deltas, salts, block }) => ({
      name,
      seed: hexOf(seed),
      namespace: NAME,
      logId: block.header.logId,
      host: block.header.host,
      head: head === undefined ? null : { ...head, time: { ...head.time } },
      dependencies: block.header.dependencies.map((dependency) => ({ ...dependency })),
      dependenciesCut: block.header.dependenciesCut,
      time: { ...block.header.time },
      salts: hexOf(salts),
      deltas: deltas.map(jsonOf),
      base64: base64Of(encodeBlock(block)),
      hash: block.hash,
      ids: deltasOf(block).map((delta) => delta.id),
      signature: hexOf(block.signature ?? new Uint8Array()),
    })),
    forkProofs: forkCases().map(([name, proof]) => ({
      name,
      base64: base64Of(encodeForkProof(proof)),
      fork: { ...verifyForkProof(proof) },
    })),
  }
}

export function goldensText(): string {
  return `${JSON.stringify(goldens(), null, 2)}\n`
}

// ---------------------------------------------------------------------------------------------------- inputs

const NAME = 'users'
const SEED = bytesOf(32, 1)
const SIGNER = signerOf(SEED)
const HOST = signerOf(bytesOf(32, 2)).id
const LOG_ID = '000102030405060708090a0b0c0d0e0f'
const HASH = hashText(bytesOf(32, 3)) as BlockHash

function value(target: Value): readonly Pointer[] {
  return [{ localContext: 'v', target }]
}

const DELTAS: readonly (readonly [string, readonly Pointer[]])[] = [
  [
    'a property of a record',
    [
      { localContext: 'users', target: 'users/ann', targetContext: 'name' },
      { localContext: 'name', target: 'Ann' },
    ],
  ],
  [
    'a reference between records',
    [
      { localContext: 'users', target: 'users/ann', targetContext: 'team' },
      { localContext: 'team', target: 'teams/x', targetContext: 'members' },
    ],
  ],
  ['a negation', negationPointers(`${HASH}/7` as DeltaId)],
  ['null', value(null)],
  ['booleans', value([false, true])],
  ['integers at the bounds of their heads', value([0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296])],
  ['the largest and smallest integers', value([9_007_199_254_740_991, -9_007_199_254_740_991, -1, -24, -25])],
  ['floats', value([0.5, -0.1, 1e300, 5e-324, 9_007_199_254_740_992])],
  ['text', value(['', 'a', 'é', '𝒳', 'x'.repeat(23), 'x'.repeat(24), 'é'.repeat(128), '\u0000\uFEFF'])],
  ['bytes', value([new Uint8Array(), bytesOf(24, 9)])],
  ['a map whose keys are sorted by length, then bytes', value({ b: 1, aa: 2, a: 3, é: 4, '': 5, '10': 6, '9': 7 })],
  ['a map with awkward keys', value(JSON.parse('{"__proto__":1,"constructor":2,"$bytes":3}') as Value)],
  ['a value that reads like a reference within its block', value('./0')],
]

function headerCases(): readonly (readonly [string, Header])[] {
  const first: Header = {
    namespace: openNamespaceId(NAME),
    creator: SIGNER.id,
    logId: LOG_ID,
    host: HOST,
    seq: 0,
    dependencies: [],
    dependenciesCut: false,
    time: { ms: 1_767_225_600_000, counter: 0 },
    count: 1,
    root: bytesOf(32, 4),
    payloadBytes: 100,
    payloadKind: 'plain',
    extensions: {},
  }
  const later: Header = {
    ...first,
    seq: 4_294_967_296,
    previous: HASH,
    time: { ms: 1_767_225_600_001, counter: 65_535 },
    count: 4_096,
  }
  return [
    ['the first of a log', first],
    ['a later one', later],
    ['one with dependencies, cut', { ...later, dependencies: DEPENDENCIES, dependenciesCut: true }],
    [
      'one of a sealed payload with extensions',
      { ...later, payloadKind: 'sealed', extensions: { '!critical': [1, null], note: 'x' } },
    ],
  ]
}

const DEPENDENCIES: readonly Dependency[] = [5, 6]
  .map((seed) => ({ log: logKeyOf(signerOf(bytesOf(32, seed)).id, LOG_ID), seq: seed, hash: HASH }))
  .sort((a, b) => (a.log < b.log ? -1 : 1))

interface BlockCase {
  readonly name: string
  readonly seed: Uint8Array
  readonly head: Head | undefined
  readonly deltas: readonly (readonly Pointer[])[]
  readonly salts: Uint8Array
  readonly block: Block
}

function blockCases(): readonly BlockCase[] {
  const allDeltas = DELTAS.map(([, pointers]) => pointers)
  const first = sealed('the first block', allDeltas.slice(0, 1))
  return [
    first,
    sealed(
      'the next block',
      [...allDeltas, negationPointers('./0' as DeltaId), negationPointers('./13' as DeltaId)],
      first.block,
    ),
  ]
}

function sealed(name: string, deltas: BlockCase['deltas'], before?: Block): BlockCase {
  const salts = bytesOf(deltas.length * 16, 7)
  const head = before === undefined ? undefined : headOf(before)
  const block = seal({
    namespace: openNamespaceId(NAME),
    signer: SIGNER,
    logId: LOG_ID,
    host: HOST,
    ...(head === undefined ? {} : { head }),
    dependencies: before === undefined ? [] : DEPENDENCIES,
    dependenciesCut: false,
    time: { ms: 1_767_225_600_000, counter: head === undefined ? 0 : head.time.counter + 1 },
    deltas: encodeDeltas(deltas),
    salts,
  })
  return { name, seed: SEED, head, deltas, salts, block }
}

function forkCases(): readonly (readonly [string, ForkProof])[] {
  const root = sealed('', [value(0)]).block
  const otherRoot = sealed('', [value(1)]).block
  const left = sealed('', [value(2)], root).block
  const right = sealed('', [value(3)], root).block
  const farther = sealed('', [value(4)], right).block
  return [
    ['two first blocks', { first: attested(root), second: attested(otherRoot) }],
    ['two second blocks', { first: attested(left), second: attested(right) }],
    ['a third block that follows another second', { first: attested(left), second: attested(farther) }],
    ['a second block attested by the third', { first: attested(left), second: attested(right, farther) }],
  ]
}

function attested(...blocks: readonly Block[]): AttestedHeader {
  const made = attest(blocks)
  assert(made !== undefined, 'the last block is signed')
  return made
}

// ---------------------------------------------------------------------------------------------------- as JSON

function jsonOf(pointers: readonly Pointer[]): Json {
  return pointers.map((pointer) =>
    isReference(pointer) ? { ...pointer } : { ...pointer, target: toJson(pointer.target) },
  )
}

function headerJson(header: Header): Json {
  const { root, extensions, dependencies, time, ...rest } = header
  return {
    ...rest,
    dependencies: dependencies.map((dependency) => ({ ...dependency })),
    time: { ...time },
    root: hexOf(root),
    extensions: toJson(extensions),
  }
}

/** `length` bytes that count up from `start`. */
function bytesOf(length: number, start: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => start + index)
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
