/**
 * Deterministic CBOR: the one codec of every format that we sign, store or send.
 *
 * Owns the core deterministic encoding of RFC 8949 4.2.1 for null, booleans, numbers, text, bytes, arrays and maps with
 * text keys: shortest heads, definite lengths, sorted unique keys, floats of 64 bits and only where no integer does.
 * Decoding is strict: for every input it answers the one value whose encoding the input is, or throws RZ_BYTES_INVALID.
 * Refuses tags, undefined, NaN, infinities, −0, integers beyond 2^53, lone surrogates and anything after the value.
 * The tests hold it against `@ipld/dag-cbor`, whose own decoder accepts other forms (choices.md).
 */

import { RhizomeError } from '../errors.ts'
import type { Value } from './delta.ts'

export interface DecodeLimits {
  /** Nesting of arrays and maps. */
  readonly depthMax: number
  /** Values in all, keys included: bounds memory before it is allocated. */
  readonly itemsMax: number
  /** Byte strings as copies of their own, for values that outlive `bytes` or are handed out. Default: views. */
  readonly copyBytes?: boolean
}

const DEFAULT_LIMITS: DecodeLimits = { depthMax: 36, itemsMax: 262_144 }

/** Nesting that `encode` takes unless told otherwise; also what ends it on a value that contains itself. */
export const ENCODED_DEPTH_MAX = 64
/** More than any format of ours may have; ends a value that shares its parts until it is exponentially large. */
export const ENCODED_BYTES_MAX = 4_194_304

const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, simple: 7 } as const

// ---------------------------------------------------------------------------------------------------- encoding

let scratch = Buffer.allocUnsafeSlow(65_536)
let used = 0

/**
 * The one encoding of `value`. Throws RZ_BYTES_INVALID for what the format cannot hold, RZ_BYTES_TOO_LARGE beyond
 * `ENCODED_BYTES_MAX`. Linear in the size.
 */
export function encode(value: Value, depthMax = ENCODED_DEPTH_MAX): Uint8Array {
  used = 0
  write(value, depthMax)
  return new Uint8Array(scratch.subarray(0, used))
}

function write(value: Value, levels: number): void {
  switch (typeof value) {
    case 'string':
      return writeText(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return writeByte(value ? 0xf5 : 0xf4)
    case 'object':
      if (value === null) return writeByte(0xf6)
      if (value instanceof Uint8Array) return writeBytes(value)
      if (levels === 0) throw invalid('nested too deeply')
      if (Array.isArray(value)) return writeArray(value, levels)
      return writeMap(value as { readonly [key: string]: Value }, levels)
    default:
      throw invalid(`a value of type ${typeof value} cannot be encoded`)
  }
}

function writeArray(items: readonly Value[], levels: number): void {
  writeHead(MAJOR.array, items.length)
  for (let index = 0; index < items.length; index++) write(items[index] as Value, levels - 1)
}

function writeMap(map: { readonly [key: string]: Value }, levels: number): void {
  const prototype: unknown = Object.getPrototypeOf(map)
  if (prototype !== Object.prototype && prototype !== null) {
    throw invalid('only plain objects, arrays and bytes can be encoded')
  }
  const keys = Object.keys(map).sort(compareKeys)
  writeHead(MAJOR.map, keys.length)
  for (const key of keys) {
    writeText(key)
    write(map[key] as Value, levels - 1)
  }
}

/** Deterministic key order: shorter encodings first, then by bytes. */
function compareKeys(a: string, b: string): number {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length - right.length || Buffer.compare(left, right)
}

function writeNumber(value: number): void {
  if (Number.isSafeInteger(value)) {
    return value >= 0 ? writeHead(MAJOR.uint, value) : writeHead(MAJOR.negative, -1 - value)
  }
  if (!Number.isFinite(value)) throw invalid(`${value} is not a number that can be encoded`)
  reserve(9)
  scratch[used++] = 0xfb
  used = scratch.writeDoubleBE(value, used)
}

function writeText(text: string): void {
  const { length } = text
  if (length < 24 && writeShortAscii(text, length)) return
  if (length <= TEXT_AT_ONCE_MAX && writeAscii(text, length)) return
  if (!text.isWellFormed()) throw invalid('a string holds half of a surrogate pair')
  const bytes = Buffer.byteLength(text)
  writeHead(MAJOR.text, bytes)
  reserve(bytes)
  used += scratch.write(text, used, 'utf8')
}

function writeShortAscii(text: string, length: number): boolean {
  reserve(length + 1)
  const start = used
  scratch[used++] = 0x60 | length
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) {
      used = start
      return false
    }
    scratch[used++] = code
  }
  return true
}

/** Longer text is measured before it is written, so that room is asked for its true size only. */
const TEXT_AT_ONCE_MAX = 16_384

/** As many bytes as UTF-16 units means ASCII, which is most text: then the head was guessed right. */
function writeAscii(text: string, length: number): boolean {
  reserve(9 + length * 3)
  const start = used
  writeHead(MAJOR.text, length)
  const written = scratch.write(text, used, 'utf8')
  used = written === length ? used + written : start
  return written === length
}

function writeBytes(bytes: Uint8Array): void {
  writeHead(MAJOR.bytes, bytes.length)
  reserve(bytes.length)
  scratch.set(bytes, used)
  used += bytes.length
}

function writeByte(byte: number): void {
  reserve(1)
  scratch[used++] = byte
}

function writeHead(major: number, argument: number): void {
  reserve(9)
  const type = major << 5
  if (argument < 24) {
    scratch[used++] = type | argument
  } else if (argument < 0x100) {
    scratch[used++] = type | 24
    scratch[used++] = argument
  } else if (argument < 0x1_0000) {
    scratch[used++] = type | 25
    used = scratch.writeUInt16BE(argument, used)
  } else if (argument < 0x1_0000_0000) {
    scratch[used++] = type | 26
    used = scratch.writeUInt32BE(argument, used)
  } else {
    scratch[used++] = type | 27
    used = scratch.writeUInt32BE(Math.floor(argument / 0x1_0000_0000), used)
    used = scratch.writeUInt32BE(argument % 0x1_0000_0000, used)
  }
}

function reserve(bytes: number): void {
  if (used + bytes <= scratch.length) return
  if (used + bytes > ENCODED_BYTES_MAX) {
    throw new RhizomeError('RZ_BYTES_TOO_LARGE', `more than ${ENCODED_BYTES_MAX} bytes in one piece: split it`)
  }
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, used + bytes))
  scratch.copy(larger, 0, 0, used)
  scratch = larger
}

// ---------------------------------------------------------------------------------------------------- decoding

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The value that `bytes` encode. Byte strings are views into `bytes` unless copies are asked for.
 * Throws RZ_BYTES_INVALID for anything but the one deterministic encoding of a value within the limits.
 */
export function decode(bytes: Uint8Array, limits: DecodeLimits = DEFAULT_LIMITS): Value {
  const reader = new Reader(bytes, limits)
  const value = reader.value(0)
  if (reader.offset !== bytes.length) throw invalid(`${bytes.length - reader.offset} bytes follow the value`)
  return value
}

class Reader {
  offset = 0
  readonly #bytes: Buffer
  readonly #limits: DecodeLimits
  #items = 0

  constructor(bytes: Uint8Array, limits: DecodeLimits) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#limits = limits
  }

  value(depth: number): Value {
    if (++this.#items > this.#limits.itemsMax) throw invalid(`more than ${this.#limits.itemsMax} items`)
    const initial = this.#byte()
    const major = initial >> 5
    if (major === MAJOR.simple) return this.#simple(initial)
    const argument = this.#argument(initial & 0x1f)
    switch (major) {
      case MAJOR.uint:
        return argument
      case MAJOR.negative:
        if (argument === Number.MAX_SAFE_INTEGER) throw invalid('an integer below −2^53 + 1')
        return -1 - argument
      case MAJOR.bytes:
        return this.#take(argument)
      case MAJOR.text:
        return this.#text(argument)
      case MAJOR.array:
        return this.#array(argument, depth)
      case MAJOR.map:
        return this.#map(argument, depth)
      default:
        throw invalid('tags are not allowed')
    }
  }

  #array(count: number, depth: number): Value {
    this.#enter(count, depth)
    const items: Value[] = []
    for (let index = 0; index < count; index++) items.push(this.value(depth + 1))
    return items
  }

  #map(count: number, depth: number): Value {
    this.#enter(count * 2, depth)
    const map: Record<string, Value> = {}
    let previous: Uint8Array | undefined
    for (let index = 0; index < count; index++) {
      const start = this.offset
      const key = this.value(depth + 1)
      if (typeof key !== 'string') throw invalid('a map key is not text')
      const encoded = this.#bytes.subarray(start, this.offset)
      // Heads carry the length, so comparing encodings is comparing (length, bytes).
      if (previous !== undefined && Buffer.compare(previous, encoded) >= 0) throw invalid('map keys out of order')
      previous = encoded
      const value = this.value(depth + 1)
      if (key === '__proto__') {
        Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
      } else {
        map[key] = value
      }
    }
    return map
  }

  #enter(count: number, depth: number): void {
    if (depth >= this.#limits.depthMax) throw invalid('nested too deeply')
    // Each item takes a byte at least: a claimed count beyond that is refused before anything is allocated.
    if (count > this.#bytes.length - this.offset) throw invalid('truncated')
  }

  #simple(initial: number): Value {
    switch (initial) {
      case 0xf4:
        return false
      case 0xf5:
        return true
      case 0xf6:
        return null
      case 0xfb:
        return this.#float()
      default:
        throw invalid('a simple value or float of another size')
    }
  }

  #float(): number {
    this.#need(8)
    const value = this.#bytes.readDoubleBE(this.offset)
    this.offset += 8
    if (!Number.isFinite(value)) throw invalid('NaN or an infinity')
    if (Number.isSafeInteger(value)) throw invalid('a float where an integer does')
    return value
  }

  #text(length: number): string {
    this.#need(length)
    const start = this.offset
    const end = (this.offset += length)
    for (let index = start; index < end; index++) {
      if ((this.#bytes[index] as number) > 0x7f) return this.#unicode(start, end)
    }
    return this.#bytes.toString('latin1', start, end)
  }

  #unicode(start: number, end: number): string {
    try {
      return strictText.decode(this.#bytes.subarray(start, end))
    } catch (cause) {
      throw invalid('text is not UTF-8', cause)
    }
  }

  #take(length: number): Uint8Array {
    this.#need(length)
    const start = this.#bytes.byteOffset + this.offset
    this.offset += length
    const view = new Uint8Array(this.#bytes.buffer, start, length)
    return this.#limits.copyBytes === true ? view.slice() : view
  }

  #byte(): number {
    this.#need(1)
    return this.#bytes[this.offset++] as number
  }

  #argument(short: number): number {
    if (short < 24) return short
    if (short > 27) throw invalid('an indefinite or reserved length')
    const size = 1 << (short - 24)
    this.#need(size)
    const at = this.offset
    this.offset += size
    switch (size) {
      case 1:
        return this.#shortest(this.#bytes[at] as number, 24)
      case 2:
        return this.#shortest(this.#bytes.readUInt16BE(at), 0x100)
      case 4:
        return this.#shortest(this.#bytes.readUInt32BE(at), 0x1_0000)
      default:
        return this.#shortest(this.#wide(at), 0x1_0000_0000)
    }
  }

  #wide(at: number): number {
    const high = this.#bytes.readUInt32BE(at)
    if (high > 0x1f_ffff) throw invalid('an integer beyond 2^53')
    return high * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4)
  }

  #shortest(argument: number, least: number): number {
    if (argument < least) throw invalid('a head that is not the shortest')
    return argument
  }

  #need(length: number): void {
    if (length > this.#bytes.length - this.offset) throw invalid('truncated')
  }
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_BYTES_INVALID', `not canonical CBOR: ${why}`, { cause })
}
