/** The golden files of format 0: written before, and still what both implementations write and read. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodePointers } from '../../src/delta/bytes.ts'
import { fromJson } from '../../src/delta/json.ts'
import { decodeBlock, deltasOf, encodeBlock, hasValidSignature } from '../../src/log/block-bytes.ts'
import { decodeForkProof, verifyForkProof } from '../../src/log/fork.ts'
import { decodeHeader, hashHeader } from '../../src/log/header.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { signerOf } from '../../src/log/signature.ts'
import * as naive from '../naive/format.ts'
import { GOLDENS_PATH, type Goldens, goldensText } from '../support/goldens.ts'

const TEXT = readFileSync(join(import.meta.dirname, '..', '..', GOLDENS_PATH), 'utf8')
const GOLDENS = JSON.parse(TEXT) as Goldens

function bytesOf(text: string, encoding: 'hex' | 'base64'): Uint8Array {
  return new Uint8Array(Buffer.from(text, encoding))
}

test('the encoder writes the golden files, byte for byte', () => {
  expect(goldensText()).toBe(TEXT)
})

describe('a golden delta', () => {
  test.each(GOLDENS.deltas)('is read by both: $name', ({ pointers, hex }) => {
    const bytes = bytesOf(hex, 'hex')
    // Names of pointers are plain text, so the whole list reads as one JSON value.
    expect(decodePointers(bytes)).toEqual(fromJson(pointers))
    expect(naive.decodeDelta(bytes)).toEqual(fromJson(pointers))
    expect(naive.encodeDelta(decodePointers(bytes)).toString('hex')).toBe(hex)
  })
})

describe('a golden header', () => {
  test.each(GOLDENS.headers)('is read by both: $name', ({ header, hex, hash }) => {
    const bytes = bytesOf(hex, 'hex')
    const { root, ...rest } = header as { readonly root: string }
    const expected = { ...rest, root: bytesOf(root, 'hex') }
    expect(decodeHeader(bytes)).toEqual(expected)
    expect(naive.readableHeader(naive.decodeHeaderFields(bytes))).toEqual(expected)
    expect(hashHeader(bytes)).toBe(hash)
    expect(naive.base32(naive.hashOfHeader(bytes))).toBe(hash)
  })
})

describe('a golden block', () => {
  test.each(GOLDENS.blocks)('is read by both: $name', (golden) => {
    const bytes = bytesOf(golden.base64, 'base64')
    const block = decodeBlock(bytes)
    const plain = naive.decodeBlock(bytes)
    expect(hasValidSignature(block)).toBe(true)
    expect(plain.signed).toBe(true)
    expect(block.hash).toBe(golden.hash)
    expect(plain.hash).toBe(golden.hash)
    expect(block.header).toMatchObject({
      namespace: openNamespaceId(golden.namespace),
      creator: signerOf(bytesOf(golden.seed, 'hex')).id,
      logId: golden.logId,
      host: golden.host,
      dependencies: golden.dependencies,
      dependenciesCut: golden.dependenciesCut,
      time: golden.time,
    })
    expect(block.header.previous).toBe((golden.head as { readonly hash: string } | null)?.hash)
    expect(deltasOf(block).map((delta) => delta.id)).toEqual(golden.ids)
    expect(plain.deltas).toEqual(deltasOf(block))
    expect(Buffer.from(encodeBlock(block)).toString('base64')).toBe(golden.base64)
  })
})

describe('a golden fork proof', () => {
  test.each(GOLDENS.forkProofs)('proves: $name', ({ base64, fork }) => {
    expect(verifyForkProof(decodeForkProof(bytesOf(base64, 'base64')))).toEqual(fork)
  })
})
