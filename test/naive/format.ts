/**
 * Format 0 once more, written from design.md 3 and the header comments of src/delta and src/log, for clarity and not for
 * speed. Imports NOTHING of src: the two are held against each other, so a slip in one shows.
 */

import { createHash, createPublicKey, verify } from 'node:crypto'
import type { NaiveDelta, NaivePointer } from './lossless.ts'

// ---------------------------------------------------------------------------------------------------- CBOR

export type Item = null | boolean | number | string | Uint8Array | readonly Item[] | { readonly [key: string]: Item }

export function encodeCbor(value: unknown): Buffer {
  if (value === null) return Buffer.from([0xf6])
  if (value === false) return Buffer.from([0xf4])
  if (value === true) return Buffer.from([0xf5])
  if (typeof value === 'number') return encodeNumber(value)
  if (typeof value === 'string') return Buffer.concat([headOf(3, BigInt(Buffer.byteLength(value))), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([headOf(2, BigInt(value.length)), value])
  if (Array.isArray(value)) return Buffer.concat([headOf(4, BigInt(value.length)), ...value.map(encodeCbor)])
  const entries = Object.entries(value as object).map(([key, item]) => ({
    key: encodeCbor(key),
    item: encodeCbor(item),
  }))
  // Bytewise lexicographic order of the encoded keys: RFC 8949 4.2.1.
  entries.sort((a, b) => Buffer.compare(a.key, b.key))
  return Buffer.concat([headOf(5, BigInt(entries.length)), ...entries.flatMap(({ key, item }) => [key, item])])
}

function encodeNumber(number: number): Buffer {
  if (Number.isSafeInteger(number)) return number >= 0 ? headOf(0, BigInt(number)) : headOf(1, -1n - BigInt(number))
  const float = Buffer.alloc(9)
  float[0] = 0xfb
  float.writeDoubleBE(number, 1)
  return float
}

function headOf(major: number, argument: bigint): Buffer {
  const top = major * 32
  if (argument < 24n) return Buffer.from([top + Number(argument)])
  const [extra, length] =
    argument < 2n ** 8n ? [24, 1] : argument < 2n ** 16n ? [25, 2] : argument < 2n ** 32n ? [26, 4] : [27, 8]
  const digits = argument.toString(16).padStart(length * 2, '0')
  return Buffer.concat([Buffer.from([top + extra]), Buffer.from(digits, 'hex')])
}

/** Reads any definite CBOR of our types, then asks for the one right spelling: that it encodes to the same bytes. */
export function decodeCbor(bytes: Uint8Array): Item {
  const input = Buffer.from(bytes)
  let offset = 0
  const take = (length: number): Buffer => {
    if (offset + length > input.length) throw new Error('truncated')
    offset += length
    return input.subarray(offset - length, offset)
  }
  const read = (): Item => {
    const initial = take(1).readUInt8()
    const [major, low] = [Math.floor(initial / 32), initial % 32]
    if (initial === 0xf4) return false
    if (initial === 0xf5) return true
    if (initial === 0xf6) return null
    if (initial === 0xfb) {
      const float = take(8).readDoubleBE()
      if (!Number.isFinite(float)) throw new Error('not a number of this format')
      return float
    }
    if (major > 5 || low > 27) throw new Error('not of this format')
    const argument = low < 24 ? low : Number(BigInt(`0x${take(2 ** (low - 24)).toString('hex')}`))
    if (!Number.isSafeInteger(argument)) throw new Error('too large')
    if (major === 0) return argument
    if (major === 1) return -1 - argument
    if (major === 2) return new Uint8Array(take(argument))
    if (major === 3) return take(argument).toString('utf8')
    if (argument > input.length) throw new Error('truncated')
    if (major === 4) return Array.from({ length: argument }, read)
    return Object.fromEntries(Array.from({ length: argument }, () => [read() as string, read()]))
  }
  const value = read()
  if (Buffer.compare(encodeCbor(value), input) !== 0) throw new Error('not the canonical spelling')
  return value
}

// ---------------------------------------------------------------------------------------------------- names

/** RFC 4648 base32, lower case, no padding. */
export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups.map((group) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(group.padEnd(5, '0'), 2)]).join('')
}

/** base58btc of the identity multihash of the key's protobuf: the libp2p peer-id spec. */
export function peerId(key: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.from('002408011220', 'hex'), key])
  let number = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) {
    text = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'.charAt(Number(number % 58n)) + text
  }
  return `1${text}`
}

// ---------------------------------------------------------------------------------------------------- hashes

export function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** RFC 6962's tree shape, with leaves as they come and 0x01 before the two halves of a node. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) throw new Error('no leaves')
  if (leaves.length === 1) return only
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  return sha256(Uint8Array.of(1), merkleRoot(leaves.slice(0, half)), merkleRoot(leaves.slice(half)))
}

export function verifySignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') },
    format: 'jwk',
  })
  return verify(null, message, publicKey, signature)
}

// ---------------------------------------------------------------------------------------------------- deltas and blocks

export function encodeDelta(pointers: readonly NaivePointer[]): Buffer {
  return encodeCbor(
    pointers.map(({ localContext, target, targetContext }) =>
      targetContext === undefined ? [localContext, target] : [localContext, target, targetContext],
    ),
  )
}

export function decodeDelta(bytes: Uint8Array): readonly NaivePointer[] {
  return list(decodeCbor(bytes)).map((part) => {
    const [localContext, target, targetContext] = list(part)
    if (typeof localContext !== 'string' || target === undefined) throw new Error('not a pointer')
    if (targetContext === undefined) return { localContext, target }
    if (typeof targetContext !== 'string') throw new Error('not a pointer')
    return { localContext, target, targetContext }
  })
}

export interface NaiveHeader {
  readonly namespace: string
  readonly creator: string
  readonly logId: string
  readonly host: string
  readonly seq: number
  readonly previous?: string
  readonly dependencies: readonly { readonly log: string; readonly seq: number; readonly hash: string }[]
  readonly dependenciesCut: boolean
  readonly time: { readonly ms: number; readonly counter: number }
  readonly count: number
  readonly root: Uint8Array
  readonly payloadBytes: number
  readonly payloadKind: 'plain' | 'sealed'
  readonly extensions: unknown
}

/** A header as the list of its fields; keys, ids and hashes as bytes. */
export interface HeaderFields {
  readonly namespace: Uint8Array
  readonly creator: Uint8Array
  readonly logId: Uint8Array
  readonly host: Uint8Array
  readonly seq: number
  readonly previous: Uint8Array | null
  readonly dependencies: readonly (readonly [Uint8Array, Uint8Array, number, Uint8Array])[]
  readonly dependenciesCut: boolean
  readonly ms: number
  readonly counter: number
  readonly count: number
  readonly root: Uint8Array
  readonly payloadBytes: number
  readonly kind: 0 | 1
  readonly extensions: unknown
}

export function encodeHeaderFields(fields: HeaderFields): Buffer {
  const { namespace, creator, logId, host, seq, previous, dependencies, dependenciesCut, ms, counter } = fields
  const { count, root, payloadBytes, kind, extensions } = fields
  return encodeCbor([
    0,
    namespace,
    creator,
    logId,
    host,
    seq,
    previous,
    dependencies,
    dependenciesCut,
    ms,
    counter,
    count,
    root,
    payloadBytes,
    kind,
    extensions,
  ])
}

export function decodeHeaderFields(bytes: Uint8Array): HeaderFields {
  const items = list(decodeCbor(bytes))
  if (items.length !== 16 || items[0] !== 0) throw new Error('not a header of format 0')
  const [, namespace, creator, logId, host, seq, previous, dependencies, dependenciesCut, ms, counter, ...rest] = items
  const [count, root, payloadBytes, kind, extensions] = rest
  return {
    namespace,
    creator,
    logId,
    host,
    seq,
    previous,
    dependencies,
    dependenciesCut,
    ms,
    counter,
    count,
    root,
    payloadBytes,
    kind,
    extensions,
  } as unknown as HeaderFields
}

export function readableHeader(fields: HeaderFields): NaiveHeader {
  return {
    namespace: hex(fields.namespace),
    creator: peerId(fields.creator),
    logId: hex(fields.logId),
    host: peerId(fields.host),
    seq: fields.seq,
    ...(fields.previous === null ? {} : { previous: base32(fields.previous) }),
    dependencies: fields.dependencies.map(([creator, logId, seq, hash]) => ({
      log: `${peerId(creator)}/${hex(logId)}`,
      seq,
      hash: base32(hash),
    })),
    dependenciesCut: fields.dependenciesCut,
    time: { ms: fields.ms, counter: fields.counter },
    count: fields.count,
    root: fields.root,
    payloadBytes: fields.payloadBytes,
    payloadKind: fields.kind === 0 ? 'plain' : 'sealed',
    extensions: fields.extensions,
  }
}

export function hashOfHeader(headerBytes: Uint8Array): Buffer {
  return sha256('rhizome/block/0\0', headerBytes)
}

export function encodeBlock(
  headerBytes: Uint8Array,
  signature: Uint8Array | null,
  items: readonly Uint8Array[],
): Buffer {
  return encodeCbor([headerBytes, signature, items])
}

export interface NaiveBlock {
  readonly hash: string
  readonly header: NaiveHeader
  /** Undefined where the block carries none. */
  readonly signed: boolean | undefined
  readonly deltas: readonly NaiveDelta[]
}

/** Reads a plain block and checks count, size, root, and that references within it point back. */
export function decodeBlock(bytes: Uint8Array): NaiveBlock {
  const [headerBytes, signature, payload, ...rest] = list(decodeCbor(bytes))
  if (rest.length > 0 || !(headerBytes instanceof Uint8Array)) throw new Error('not a block')
  if (signature !== null && !(signature instanceof Uint8Array && signature.length === 64))
    throw new Error('no signature')
  const fields = decodeHeaderFields(headerBytes)
  const items = list(payload).map((item) => {
    if (!(item instanceof Uint8Array)) throw new Error('not a payload item')
    return item
  })
  if (items.length !== fields.count) throw new Error('another count')
  if (items.reduce((sum, item) => sum + item.length, 0) !== fields.payloadBytes) throw new Error('another size')
  if (Buffer.compare(merkleRoot(items.map((item) => sha256(item))), fields.root) !== 0) throw new Error('another root')

  const header = readableHeader(fields)
  const hash = hashOfHeader(headerBytes)
  const deltas = items.map((item, index) => ({
    id: `${base32(hash)}/${index}`,
    time: header.time,
    creator: header.creator,
    host: header.host,
    log: header.logId,
    seq: header.seq,
    index,
    pointers: decodeDelta(item.subarray(16)).map((pointer) => withinBlock(pointer, base32(hash), index)),
  }))
  return {
    hash: base32(hash),
    header,
    signed: signature === null ? undefined : verifySignature(fields.creator, hash, signature),
    deltas,
  }
}

/** `./<index>` in a reference is an earlier delta of the same block. */
export function withinBlock(pointer: NaivePointer, hash: string, index: number): NaivePointer {
  const { target } = pointer
  if (pointer.targetContext === undefined || typeof target !== 'string' || !target.startsWith('./')) return pointer
  const number = Number(target.slice(2))
  if (String(number) !== target.slice(2) || !(number >= 0 && number < index)) throw new Error('not an earlier delta')
  return { ...pointer, target: `${hash}/${number}` }
}

export function list(item: Item | undefined): readonly Item[] {
  if (!Array.isArray(item)) throw new Error('not a list')
  return item as readonly Item[]
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
