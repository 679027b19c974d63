/** Proofs: golden ones are read by both implementations; whatever was changed in one is refused by both, with a code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { RhizomeError } from '../../src/errors.ts'
import type { BlockHash, LogKey } from '../../src/log/block.ts'
import { encodeHeader, decodeHeader, hashHeader } from '../../src/log/header.ts'
import { hashBytes, hashText } from '../../src/delta/identifiers.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import type { Proof, ProofBlock, ProofChain, ProvenDelta } from '../../src/log/proof.ts'
import { checkProof } from '../../src/log/proof-check.ts'
import { decodeStatement, encodeStatement, type ProofStatement, signStatement } from '../../src/log/proof-statement.ts'
import { parseProofText, proofText } from '../../src/log/proof-text.ts'
import { verifyProof } from '../../src/node/verify-proof.ts'
import { naiveVerify } from '../naive/proof.ts'
import { signer } from '../support/blocks.ts'
import { ANSWERING, goldenProofs, PROOFS_PATH } from '../support/proofs.ts'

const FOLDER = join(import.meta.dirname, '..', '..', PROOFS_PATH)
const GOLDENS = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]))
const golden = (name: string): string => GOLDENS.get(name) ?? expect.unreachable(name)

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof RhizomeError) return error.code
    throw error
  }
  return 'accepted'
}

test('the maker writes the golden proofs, byte for byte', async () => {
  expect(Object.fromEntries(await goldenProofs())).toEqual(Object.fromEntries(GOLDENS))
})

describe('a golden proof', () => {
  test.each([...GOLDENS])('is read by both, which agree: %s', (_, text) => {
    const report = verifyProof(text)
    const naive = naiveVerify(text)
    expect(report.deltas).toEqual(naive.deltas)
    expect(report.completeness.peer).toBe(naive.peer)
    expect(report.completeness.peer).toBe(ANSWERING.id)
    expect(report.entity).toBe(naive.entity)
    expect(report.values.map(({ verdict }) => verdict)).toEqual(report.values.map(() => 'equal'))
    const values = report.values.map(({ property, computed }) => [
      property,
      computed && 'value' in computed && computed.value,
    ])
    expect(Object.fromEntries(values)).toEqual(naive.values)
  })

  test.each([...GOLDENS])('is one text for one proof, as text or bytes: %s', (_, text) => {
    expect(proofText(parseProofText(text))).toBe(text)
    expect(verifyProof(Buffer.from(text))).toEqual(verifyProof(text))
  })

  it('shows the evidence of a fork that the claims lie before', () => {
    const log = decodeStatement(parseProofText(golden('fork.json')).statement).heads[0]?.log
    expect(verifyProof(golden('fork.json')).forks).toEqual([{ log, cut: 2 }])
  })
})

// ---------------------------------------------------------------------------------------------------- tampering

type Chains = readonly ProofChain[]

/** The proof with chains of another kind. */
const withChains = (proof: Proof, change: (chains: Chains) => Chains): Proof => ({
  ...proof,
  chains: change(proof.chains),
})

const at = <Item>(list: readonly Item[], index: number, change: (item: Item) => Item): Item[] =>
  list.map((item, place) => (place === index ? change(item) : item))

const inChain = (
  proof: Proof,
  chain: number,
  change: (blocks: readonly ProofBlock[]) => readonly ProofBlock[],
): Proof =>
  withChains(proof, (chains) =>
    at(chains, chain, (one) => ({ ...one, blocks: change(one.blocks) as unknown as ProofChain['blocks'] })),
  )

/** The deltas of one chain's first block. */
const inBlock = (
  proof: Proof,
  chain: number,
  change: (deltas: readonly ProvenDelta[]) => readonly ProvenDelta[],
): Proof => inChain(proof, chain, (blocks) => at(blocks, 0, (block) => ({ ...block, deltas: change(block.deltas) })))

const inDelta = (proof: Proof, chain: number, index: number, change: (delta: ProvenDelta) => ProvenDelta): Proof =>
  inBlock(proof, chain, (deltas) => at(deltas, index, change))

function flipped(bytes: Uint8Array, bit = 0): Uint8Array {
  const copy = bytes.slice()
  const place = Math.floor(bit / 8) % copy.length
  copy[place] = (copy[place] ?? 0) ^ (1 << (bit % 8))
  return copy
}

/** The node that answers lies, and signs its lie. */
function restated(proof: Proof, change: (statement: ProofStatement) => Partial<ProofStatement>, by = ANSWERING): Proof {
  const statement = decodeStatement(proof.statement)
  const bytes = encodeStatement({ ...statement, peer: by.id, ...change(statement) })
  return { ...proof, statement: bytes, signature: signStatement(bytes, by) }
}

/** A block of one's own: its header has other fields, and is signed by its creator. */
function resealed(proof: Proof, chain: number, fields: object): Proof {
  return withChains(proof, (chains) =>
    at(chains, chain, ({ blocks }) => {
      const header = { ...decodeHeader(blocks[0].header), ...fields }
      const bytes = encodeHeader(header)
      const creator = [1, 2, 3].map(signer).find(({ id }) => id === header.creator) ?? expect.unreachable()
      const hash = hashBytes(hashHeader(bytes))
      return { blocks: [{ ...blocks[0], header: bytes }], signature: creator.sign(hash) }
    }),
  )
}

const first = <Item>(list: readonly Item[]): Item => list[0] ?? expect.unreachable()

/** Chain 0 is Ann's or Ben's first; in `entity.json` both have several, and Ann's first block shows two deltas. */
const ENTITY = parseProofText(golden('entity.json'))
const RUN = parseProofText(golden('property-of-a-run.json'))
const FORK = parseProofText(golden('fork.json'))
const ANN = ENTITY.chains.findIndex(({ blocks }) => blocks[0].deltas.length === 2)
const LONG = RUN.chains.findIndex(({ blocks }) => blocks.length === 2)

const TAMPERED: readonly (readonly [string, () => Proof])[] = [
  [
    'another value in a delta',
    () => inDelta(ENTITY, ANN, 0, (delta) => ({ ...delta, bytes: flipped(delta.bytes, delta.bytes.length * 8 - 8) })),
  ],
  ['another salt', () => inDelta(ENTITY, ANN, 0, (delta) => ({ ...delta, salt: flipped(delta.salt) }))],
  [
    'salts of two deltas exchanged',
    () =>
      inBlock(ENTITY, ANN, ([a, b]) => [
        { ...a, salt: b?.salt } as ProvenDelta,
        { ...b, salt: a?.salt } as ProvenDelta,
      ]),
  ],
  ['a salt cut short', () => inDelta(ENTITY, ANN, 0, (delta) => ({ ...delta, salt: delta.salt.subarray(0, 15) }))],
  ['another path', () => inDelta(ENTITY, ANN, 0, (delta) => ({ ...delta, path: at(delta.path, 0, flipped) }))],
  ['a path without its end', () => inDelta(ENTITY, ANN, 0, (delta) => ({ ...delta, path: delta.path.slice(0, -1) }))],
  [
    'a path that goes on',
    () => inDelta(ENTITY, ANN, 0, (delta) => ({ ...delta, path: [...delta.path, first(delta.path)] })),
  ],
  [
    'a path the other way round',
    () => inDelta(ENTITY, ANN, 0, (delta) => ({ ...delta, path: delta.path.toReversed() })),
  ],
  ['a delta at another index', () => inDelta(ENTITY, ANN, 1, (delta) => ({ ...delta, index: 2 }))],
  ['a delta past the end of its block', () => inDelta(ENTITY, ANN, 1, (delta) => ({ ...delta, index: 9 }))],
  [
    'a delta moved to another block',
    () =>
      inBlock(
        inBlock(ENTITY, ANN, ([, b]) => [b as ProvenDelta]),
        ANN + 1,
        (deltas) => [first(first(ENTITY.chains.slice(ANN)).blocks[0].deltas), ...deltas],
      ),
  ],
  ['deltas of a block in another order', () => inBlock(ENTITY, ANN, (deltas) => deltas.toReversed())],
  ['a delta twice', () => inBlock(ENTITY, ANN, ([a, b]) => [a, a, b] as ProvenDelta[])],
  ['a claim left out', () => inBlock(ENTITY, ANN, ([a]) => [a as ProvenDelta])],
  ['a chain left out', () => withChains(ENTITY, (chains) => chains.slice(1))],
  ['all chains left out', () => withChains(ENTITY, () => [])],
  ['chains in another order', () => withChains(ENTITY, (chains) => chains.toReversed())],
  ['a chain twice', () => withChains(ENTITY, (chains) => [first(chains), ...chains])],
  ['a chain that begins with nothing', () => inBlock(ENTITY, ANN, () => [])],
  ['a header chain cut off', () => inChain(RUN, LONG, (blocks) => blocks.slice(0, -1))],
  [
    'a header chain without its beginning',
    () => inChain(RUN, LONG, (blocks) => [{ ...blocks[1], deltas: blocks[0]?.deltas } as ProofBlock]),
  ],
  ['a header chain that goes on', () => inChain(RUN, LONG, (blocks) => [...blocks, blocks[1] as ProofBlock])],
  [
    'a header of another log in a chain',
    () =>
      inChain(RUN, LONG, (blocks) => [
        blocks[0] as ProofBlock,
        { header: first(FORK.chains).blocks[0].header, deltas: [] },
      ]),
  ],
  [
    'another field in a header',
    () =>
      inChain(ENTITY, ANN, (blocks) =>
        at(blocks, 0, (block) => ({ ...block, header: encodeHeader({ ...decodeHeader(block.header), count: 9 }) })),
      ),
  ],
  ['a block of another namespace', () => resealed(FORK, 0, { namespace: openNamespaceId('other') })],
  [
    'a block of a namespace that the statement does not name',
    () => restated(FORK, () => ({ namespace: openNamespaceId('other'), name: 'other' })),
  ],
  ['a block whose deltas are not shown', () => resealed(FORK, 0, { extensions: { '!later': 1 } })],
  ['a sealed block', () => resealed(FORK, 0, { payloadKind: 'sealed' })],
  ["a time before the block's that went before", () => resealed(ENTITY, ANN + 1, { time: { ms: 0, counter: 0 } })],
  [
    'another signature of a block',
    () => withChains(ENTITY, (chains) => at(chains, 0, (chain) => ({ ...chain, signature: flipped(chain.signature) }))),
  ],
  [
    'the signature of another block',
    () =>
      withChains(ENTITY, (chains) =>
        at(chains, 0, (chain) => ({ ...chain, signature: (chains[1] as ProofChain).signature })),
      ),
  ],
  [
    'no signature',
    () => withChains(ENTITY, (chains) => at(chains, 0, (chain) => ({ ...chain, signature: new Uint8Array() }))),
  ],
  ['another signature of the statement', () => ({ ...ENTITY, signature: flipped(ENTITY.signature) })],
  ['a statement signed by somebody else', () => ({ ...ENTITY, signature: signStatement(ENTITY.statement, signer(1)) })],
  ["a block's signature for the statement", () => ({ ...ENTITY, signature: first(ENTITY.chains).signature })],
  ['the statement of another proof', () => ({ ...ENTITY, statement: FORK.statement, signature: FORK.signature })],
  ['a statement of another entity', () => restated(ENTITY, () => ({ entity: 'user/ben' }))],
  ['a statement of another property', () => restated(RUN, () => ({ property: 'rank' }))],
  ['a name that is not the namespace’s', () => restated(ENTITY, () => ({ name: 'other' }))],
  ['a name that none can have', () => restated(ENTITY, () => ({ name: 'No Name' }))],
  ['another count of deltas', () => restated(ENTITY, ({ deltas }) => ({ deltas: { ...deltas, count: 99 } }))],
  [
    'another digest of deltas',
    () => restated(ENTITY, ({ deltas }) => ({ deltas: { ...deltas, digest: flipped(deltas.digest) } })),
  ],
  [
    'a head before a delta',
    () => restated(ENTITY, ({ heads }) => ({ heads: at(heads, 0, (head) => ({ ...head, seq: 0 })) })),
  ],
  [
    'a head with another hash',
    () =>
      restated(RUN, ({ heads }) => ({
        heads: heads.map((head) => ({ ...head, seq: 2, hash: hashText(new Uint8Array(32)) as BlockHash })),
      })),
  ],
  ['a log without a head', () => restated(ENTITY, ({ heads }) => ({ heads: heads.slice(1) }))],
  [
    'a head of no log',
    () =>
      restated(FORK, ({ heads }) => ({
        heads: [...heads, { ...first(heads), log: `${signer(9).id}/${'ff'.repeat(16)}` as LogKey }],
      })),
  ],
  [
    'a delta past the cut',
    () => restated(FORK, ({ heads }) => ({ heads: heads.map((head) => ({ ...head, cut: 0 })) })),
  ],
  ['a fork without evidence', () => ({ ...FORK, forks: [] })],
  [
    'evidence without a fork',
    () => restated(FORK, ({ heads }) => ({ heads: heads.map(({ cut: _, ...head }) => head) })),
  ],
  [
    'evidence of a fork elsewhere',
    () => restated(FORK, ({ heads }) => ({ heads: heads.map((head) => ({ ...head, cut: 3 })) })),
  ],
  [
    'evidence that proves nothing',
    () => ({ ...FORK, forks: FORK.forks.map((fork) => flipped(fork, fork.length * 8 - 8)) }),
  ],
  ['a record left out', () => restated(ENTITY, () => ({ records: [] }))],
  ['a record that is not there', () => restated(ENTITY, ({ records }) => ({ records: [...records, 'resolver/zzz'] }))],
  ['a record that is no rule', () => restated(ENTITY, ({ records }) => ({ records: [...records, 'user/ann'] }))],
  ['a context that is not there', () => restated(ENTITY, () => ({ context: 'own' }))],
  ['a moment before the claims', () => restated(ENTITY, () => ({ asOf: 1 }))],
  ['a frontier without them', () => restated(ENTITY, () => ({ asOf: 'f0.gA' }))],
  ['a moment that is none', () => restated(ENTITY, () => ({ asOf: 'yesterday' }))],
]

describe('is refused by both, however its words were made to fit:', () => {
  test.each(TAMPERED)('%s', (_, tamper) => {
    const proof = tamper()
    expect(codeOf(() => verifyProof(proofText(proof)))).toBe('RZ_PROOF_INVALID')
    expect(() => naiveVerify(proofText(proof))).toThrow(/./)
  })

  it('in more than twenty ways', () => expect(TAMPERED.length).toBeGreaterThan(50))
})

describe('a lie about a value', () => {
  it('is not refused, since the claims are proven, but told', () => {
    const lying = restated(RUN, () => ({ values: { age: { value: 41 } } }))
    const { values } = verifyProof(proofText(lying))
    expect(values).toMatchObject([{ stated: { value: 41 }, computed: { value: 40 }, verdict: 'different' }])
    expect(() => naiveVerify(proofText(lying))).toThrow(/value/)
  })

  it('is told where a value is left out, or made of nothing', () => {
    expect(verifyProof(proofText(restated(RUN, () => ({ values: {} })))).values).toMatchObject([
      { verdict: 'different' },
    ])
    const more = restated(RUN, ({ values }) => ({ values: { ...values, rank: { value: 1 }, __proto__: { value: 2 } } }))
    expect(verifyProof(proofText(more)).values.find(({ property }) => property === 'rank')?.verdict).toBe('different')
  })

  it('is no lie where a rule is of a later release', () => {
    const other = restated(RUN, () => ({ values: { age: { error: 'RZ_RULE_SEMANTICS' } } }))
    expect(verifyProof(proofText(other)).values).toMatchObject([{ verdict: 'unknown' }])
  })
})

describe('another text is refused:', () => {
  const text = golden('entity.json')
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['nothing', '', 'RZ_PROOF_FORMAT'],
    ['a number', '7\n', 'RZ_PROOF_FORMAT'],
    ['null', 'null\n', 'RZ_PROOF_FORMAT'],
    ['a list', '[]\n', 'RZ_PROOF_FORMAT'],
    ['an empty object', '{}\n', 'RZ_PROOF_FORMAT'],
    ['half of it', text.slice(0, text.length / 2), 'RZ_PROOF_FORMAT'],
    ['one without its last line end', text.trimEnd(), 'RZ_PROOF_FORMAT'],
    ['one of Windows', text.replaceAll('\n', '\r\n'), 'RZ_PROOF_FORMAT'],
    ['one with a mark in front', `\uFEFF${text}`, 'RZ_PROOF_FORMAT'],
    ['one on a single line', JSON.stringify(JSON.parse(text)), 'RZ_PROOF_FORMAT'],
    ['one with a key more', text.replace('{', '{\n  "more": 1,'), 'RZ_PROOF_FORMAT'],
    ['one with a key twice', text.replace('  "forks"', '  "forks": [],\n  "forks"'), 'RZ_PROOF_FORMAT'],
    ['one that says another value', text.replace('"value": "Ann"', '"value": "Eve"'), 'RZ_PROOF_FORMAT'],
    ['one whose words claim something else', text.replace('"target": "Ann"', '"target": "Eve"'), 'RZ_PROOF_FORMAT'],
    ['base64 of another spelling', text.replace(/("statement": "[^"]+)"/, '$1="'), 'RZ_PROOF_FORMAT'],
    ['bytes that are no text', Uint8Array.of(0x7b, 0xff, 0x7d), 'RZ_PROOF_FORMAT'],
    ['another format', text.replace('rhizome-proof/0', 'rhizome-proof/x'), 'RZ_PROOF_FORMAT'],
    ['a later format', text.replace('rhizome-proof/0', 'rhizome-proof/1'), 'RZ_PROOF_VERSION'],
    ['one that is nested without end', '['.repeat(1_000_000), 'RZ_PROOF_FORMAT'],
    ['one of many empty things', `[${'{},'.repeat(1_000_000)}{}]`, 'RZ_PROOF_TOO_LARGE'],
    ['one that is too long', ' '.repeat(16_777_217), 'RZ_PROOF_TOO_LARGE'],
    ['one that is too long in bytes', new Uint8Array(16_777_217), 'RZ_PROOF_TOO_LARGE'],
  ]
  test.each(cases)('%s', (_, other, code) => expect(codeOf(() => verifyProof(other))).toBe(code))

  it('a statement of a later version', () => {
    const statement = Uint8Array.from([0x81, 0x01])
    expect(codeOf(() => checkProof({ ...ENTITY, statement }))).toBe('RZ_PROOF_VERSION')
  })
})

describe('whatever comes', () => {
  const goldens = fc.constantFrom(...GOLDENS.values())

  it('one character changed is refused by both, with a code', () => {
    fc.assert(
      fc.property(goldens, fc.nat(), fc.integer({ min: 1, max: 94 }), (text, place, step) => {
        const index = place % text.length
        const code = 32 + ((text.charCodeAt(index) - 32 + step + 95) % 95)
        const other = text.slice(0, index) + String.fromCharCode(code) + text.slice(index + 1)
        expect(codeOf(() => verifyProof(other))).toMatch(/^RZ_PROOF_/)
        expect(() => naiveVerify(other)).toThrow(/./)
      }),
      { numRuns: 200 },
    )
  })

  it('one bit changed in any signed part is refused with a code', () => {
    fc.assert(
      fc.property(goldens, fc.nat(), fc.nat(), (text, which, bit) => {
        const proof = parseProofText(text)
        const parts = partsOf(proof)
        const part = parts[which % parts.length] ?? expect.unreachable()
        part.set(flipped(part, bit % (part.length * 8)))
        expect(codeOf(() => checkProof(proof))).toMatch(/^RZ_PROOF_/)
      }),
      { numRuns: 200 },
    )
  })

  it('any text, bytes or JSON of the right keys is answered with a code', () => {
    const fields = fc.record({
      format: fc.constant('rhizome-proof/0'),
      says: fc.jsonValue(),
      statement: fc.oneof(fc.base64String(), fc.jsonValue()),
      signature: fc.oneof(fc.base64String(), fc.jsonValue()),
      chains: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record({ blocks: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())), signature: fc.base64String() }),
        ),
      ),
      forks: fc.oneof(fc.jsonValue(), fc.array(fc.base64String())),
    })
    const texts = fields.map((json) => `${JSON.stringify(json, null, 2)}\n`)
    fc.assert(
      fc.property(fc.oneof(texts, fc.string({ unit: 'binary' }), fc.uint8Array()), (input) => {
        expect(codeOf(() => verifyProof(input))).toMatch(/^RZ_PROOF_/)
      }),
      { numRuns: 500 },
    )
  })
})

function partsOf({ statement, signature, chains, forks }: Proof): readonly Uint8Array[] {
  const inChains = chains.flatMap((chain) => [
    chain.signature,
    ...chain.blocks.flatMap(({ header, deltas }) => [
      header,
      ...deltas.flatMap(({ salt, bytes, path }) => [salt, bytes, ...path]),
    ]),
  ])
  return [statement, signature, ...inChains, ...forks]
}
