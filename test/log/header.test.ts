import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/delta/cbor.ts'
import { COUNTER_MAX } from '../../src/delta/clock.ts'
import type { Value } from '../../src/delta/delta.ts'
import { hashText } from '../../src/delta/identifiers.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_DELTAS_MAX,
  type BlockHash,
  type Dependency,
  DEPENDENCIES_MAX,
  EXTENSIONS_BYTES_MAX,
  FORMAT_VERSION,
  type Header,
  HEADER_BYTES_MAX,
} from '../../src/log/block.ts'
import { decodeHeader, encodeHeader, hashHeader } from '../../src/log/header.ts'
import { logId, signer, TestLog } from '../support/blocks.ts'
import { codeOf, hexOf } from '../support/expect.ts'

const log = new TestLog()
log.append()
const HEADER = log.append().header

/** The fields of a header in the order of the bytes. */
const FIELDS = [
  'version',
  'namespace',
  'creator',
  'logId',
  'host',
  'seq',
  'previous',
  'dependencies',
  'dependenciesCut',
  'ms',
  'counter',
  'count',
  'root',
  'payloadBytes',
  'payloadKind',
  'extensions',
] as const
type Field = (typeof FIELDS)[number]

function withField(field: Field, value: Value, base: Header = HEADER): Uint8Array {
  const fields = [...(decode(encodeHeader(base)) as readonly Value[])]
  fields[FIELDS.indexOf(field)] = value
  return encode(fields)
}

function dependencies(count: number): readonly Dependency[] {
  return Array.from({ length: count }, (_, index) => new TestLog({ signer: signer(10 + index), logId: logId(index) }))
    .map((other) => ({ log: other.key, seq: 2 ** 40, hash: hashText(new Uint8Array(32).fill(1)) as BlockHash }))
    .sort((a, b) => (a.log < b.log ? -1 : 1))
}

function extensions(bytes: number): Header['extensions'] {
  const empty = encode({ note: new Uint8Array(256) }).length - 256
  return { note: new Uint8Array(bytes - empty) }
}

describe('a header', () => {
  test('survives encoding, with and without a previous hash, dependencies and extensions', () => {
    const headers: Header[] = [
      HEADER,
      log.blocks[0]?.header ?? HEADER,
      { ...HEADER, dependencies: dependencies(3), dependenciesCut: true, extensions: { '!x': [1, { y: null }] } },
      { ...HEADER, payloadKind: 'sealed', time: { ms: 2 ** 53 - 1, counter: COUNTER_MAX }, seq: 2 ** 53 - 1 },
    ]
    for (const header of headers) {
      expect(decodeHeader(encodeHeader(header))).toEqual(header)
      expect(hexOf(encodeHeader(decodeHeader(encodeHeader(header))))).toBe(hexOf(encodeHeader(header)))
    }
  })

  test('has a hash that every bit of it changes', () => {
    const bytes = encodeHeader(HEADER)
    const seen = new Set([hashHeader(bytes)])
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = new Uint8Array(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      seen.add(hashHeader(flipped))
    }
    expect(seen.size).toBe(bytes.length * 8 + 1)
  })

  test('is refused whole at every truncation', () => {
    const bytes = encodeHeader(HEADER)
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeHeader(bytes.subarray(0, length)))).toBe('RZ_BYTES_INVALID')
    }
  })

  test.each<[string, Field, Value]>([
    ['a namespace of 31 bytes', 'namespace', new Uint8Array(31)],
    ['a namespace of 33 bytes', 'namespace', new Uint8Array(33)],
    ['a namespace in text', 'namespace', 'users'],
    ['a creator of 31 bytes', 'creator', new Uint8Array(31)],
    ['a log id of 15 bytes', 'logId', new Uint8Array(15)],
    ['a log id of 17 bytes', 'logId', new Uint8Array(17)],
    ['a host of 33 bytes', 'host', new Uint8Array(33)],
    ['a negative seq', 'seq', -1],
    ['a fractional seq', 'seq', 1.5],
    ['a seq of 2^53', 'seq', 2 ** 53],
    ['seq 0 with a previous hash', 'seq', 0],
    ['a later seq without a previous hash', 'previous', null],
    ['a previous hash of 31 bytes', 'previous', new Uint8Array(31)],
    ['a previous hash of false', 'previous', false],
    ['dependencies that are no list', 'dependencies', {}],
    ['a dependency of three parts', 'dependencies', [[new Uint8Array(32), new Uint8Array(16), 0]]],
    [
      'a dependency of five parts',
      'dependencies',
      [[new Uint8Array(32), new Uint8Array(16), 0, new Uint8Array(32), 1]],
    ],
    [
      'a dependency with a negative seq',
      'dependencies',
      [[new Uint8Array(32), new Uint8Array(16), -1, new Uint8Array(32)]],
    ],
    [
      'a dependency with a short hash',
      'dependencies',
      [[new Uint8Array(32), new Uint8Array(16), 0, new Uint8Array(31)]],
    ],
    ['dependencies cut by number', 'dependenciesCut', 1],
    ['a negative time', 'ms', -1],
    ['a fractional time', 'ms', 0.5],
    ['a counter beyond its limit', 'counter', COUNTER_MAX + 1],
    ['a negative counter', 'counter', -1],
    ['no deltas', 'count', 0],
    ['more deltas than a block may hold', 'count', BLOCK_DELTAS_MAX + 1],
    ['a root of 31 bytes', 'root', new Uint8Array(31)],
    ['a payload larger than a block', 'payloadBytes', BLOCK_BYTES_MAX + 1],
    ['an unknown payload kind', 'payloadKind', 2],
    ['a payload kind in text', 'payloadKind', 'plain'],
    ['extensions in a list', 'extensions', []],
    ['extensions of null', 'extensions', null],
    ['extensions in bytes', 'extensions', new Uint8Array(1)],
    ['a version that is no number', 'version', 'x'],
    ['a negative version', 'version', -1],
    ['a fractional version', 'version', 0.5],
  ])('with %s is refused', (_, field, value) => {
    expect(codeOf(() => decodeHeader(withField(field, value)))).toBe('RZ_BLOCK_INVALID')
  })

  test('of a later format is told apart, whatever else it holds', () => {
    expect(codeOf(() => decodeHeader(withField('version', FORMAT_VERSION + 1)))).toBe('RZ_BLOCK_VERSION')
    expect(codeOf(() => decodeHeader(encode([7, 'anything', 'else'])))).toBe('RZ_BLOCK_VERSION')
  })

  test.each<[string, Value]>([
    ['no list', {}],
    ['an empty list', []],
    ['a field less', [0, 1]],
  ])('that is %s is refused', (_, value) => {
    expect(codeOf(() => decodeHeader(encode(value)))).toBe('RZ_BLOCK_INVALID')
  })

  test('with a field more is refused', () => {
    expect(codeOf(() => decodeHeader(encode([...(decode(encodeHeader(HEADER)) as readonly Value[]), 0])))).toBe(
      'RZ_BLOCK_INVALID',
    )
  })

  test('with dependencies out of order, twice on one log, or on its own log is refused', () => {
    const [a, b] = dependencies(2) as [Dependency, Dependency]
    const own = { ...a, log: log.key }
    for (const wrong of [[b, a], [a, a], [a, { ...a, seq: 9 }], [own]]) {
      expect(codeOf(() => decodeHeader(encodeHeader({ ...HEADER, dependencies: wrong })))).toBe('RZ_BLOCK_INVALID')
    }
    expect(decodeHeader(encodeHeader({ ...HEADER, dependencies: [a, b] })).dependencies).toEqual([a, b])
  })

  test('takes as many dependencies as the limit says, and not one more', () => {
    const most = { ...HEADER, dependencies: dependencies(DEPENDENCIES_MAX) }
    expect(decodeHeader(encodeHeader(most))).toEqual(most)
    const more = { ...HEADER, dependencies: dependencies(DEPENDENCIES_MAX + 1) }
    expect(codeOf(() => decodeHeader(encodeHeader(more)))).toBe('RZ_BLOCK_INVALID')
  })

  test('takes as many bytes of extensions as the limit says, and not one more', () => {
    const most = { ...HEADER, extensions: extensions(EXTENSIONS_BYTES_MAX) }
    expect(decodeHeader(encodeHeader(most)).extensions).toEqual(most.extensions)
    const more = { ...HEADER, extensions: extensions(EXTENSIONS_BYTES_MAX + 1) }
    expect(codeOf(() => decodeHeader(encodeHeader(more)))).toBe('RZ_BLOCK_INVALID')
  })

  test('at all its limits at once still fits', () => {
    const fullest = encodeHeader({
      ...HEADER,
      seq: 2 ** 53 - 1,
      time: { ms: 2 ** 53 - 1, counter: COUNTER_MAX },
      dependencies: dependencies(DEPENDENCIES_MAX),
      extensions: extensions(EXTENSIONS_BYTES_MAX),
    })
    expect(fullest.length).toBeLessThanOrEqual(HEADER_BYTES_MAX)
    expect(codeOf(() => decodeHeader(new Uint8Array(HEADER_BYTES_MAX + 1)))).toBe('RZ_BLOCK_INVALID')
  })

  test('may have an extension of any name', () => {
    const named = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as Header['extensions']
    expect(Object.entries(decodeHeader(encodeHeader({ ...HEADER, extensions: named })).extensions)).toEqual([
      ['__proto__', { x: 1 }],
      ['constructor', 2],
    ])
  })
})
