/**
 * Signers, logs, runs and forks for tests, the same at every run: keys come from small numbers, salts from the place of a
 * delta, times from the block's. `new TestLog(…)` is a log that grows; `fork()` is its copy that grows another way.
 */

import { hash as digest } from 'node:crypto'
import type { Time } from '../../src/delta/clock.ts'
import { type DeltaId, negationPointers, type PeerId, type Pointer, type Value } from '../../src/delta/delta.ts'
import { hashBytes } from '../../src/delta/identifiers.ts'
import { recordPointers } from '../../src/delta/record.ts'
import {
  type Block,
  type Dependency,
  type Header,
  type LogKey,
  logKeyOf,
  type Run,
  SALT_BYTES,
} from '../../src/log/block.ts'
import { type Head, headOf } from '../../src/log/chain.ts'
import { encodeHeader, hashHeader } from '../../src/log/header.ts'
import { type NamespaceId, openNamespaceId } from '../../src/log/namespace.ts'
import { encodeDeltas, seal } from '../../src/log/seal.ts'
import { type Signer, signerOf } from '../../src/log/signature.ts'

export const NAMESPACE_NAME = 'users'
export const NAMESPACE: NamespaceId = openNamespaceId(NAMESPACE_NAME)

/** The time of a log's first block unless told otherwise: 2026-01-01T00:00Z. */
export const START_MS = Date.UTC(2026, 0, 1)

const signers = new Map<number, Signer>()

/** The signer number `number`: the same key at every run. */
export function signer(number: number): Signer {
  const known = signers.get(number)
  if (known !== undefined) return known
  const made = signerOf(digest('sha256', `test signer ${number}`, 'buffer'))
  signers.set(number, made)
  return made
}

/** The log id number `number`: 32 hex digits. */
export function logId(number: number): string {
  return digest('sha256', `test log ${number}`, 'hex').slice(0, 32)
}

/** One delta that claims `value` for (collection/id, property). */
export function claim(collection: string, id: string, property: string, value: Value): readonly Pointer[] {
  return recordPointers(collection, id, { [property]: value })[0] as readonly Pointer[]
}

/** One delta that negates another. */
export function negation(target: DeltaId | `./${number}`): readonly Pointer[] {
  return negationPointers(target as DeltaId)
}

export interface TestLogOptions {
  readonly signer?: Signer
  readonly logId?: string
  readonly host?: PeerId
  readonly namespace?: NamespaceId
  readonly startMs?: number
}

export interface AppendOptions {
  /** One millisecond after the block before, unless told otherwise. */
  readonly time?: Time
  readonly dependencies?: readonly Dependency[]
  /** Fields of the header to sign instead of the true ones: what no honest node of today writes. */
  readonly header?: Partial<Header>
}

/** A log that grows: keeps every block it made. Two logs of one signer and log id are a fork as soon as they differ. */
export class TestLog {
  readonly signer: Signer
  readonly logId: string
  readonly namespace: NamespaceId
  readonly blocks: Block[] = []
  readonly #host: PeerId
  readonly #startMs: number

  constructor(options: TestLogOptions = {}) {
    this.signer = options.signer ?? signer(1)
    this.logId = options.logId ?? logId(1)
    this.namespace = options.namespace ?? NAMESPACE
    this.#host = options.host ?? this.signer.id
    this.#startMs = options.startMs ?? START_MS
  }

  get key(): LogKey {
    return logKeyOf(this.signer.id, this.logId)
  }

  get head(): Head | undefined {
    const last = this.blocks.at(-1)
    return last === undefined ? undefined : headOf(last)
  }

  /** The head as another log's block names it. */
  get dependency(): Dependency {
    const last = this.blocks.at(-1)
    if (last === undefined) throw new Error('an empty log is no dependency')
    return { log: this.key, seq: last.header.seq, hash: last.hash }
  }

  /** Seals the next block over `deltas`, each a list of pointers; one delta of its own when there are none. */
  append(deltas: readonly (readonly Pointer[])[] = [], options: AppendOptions = {}): Block {
    const { head } = this
    const given =
      deltas.length > 0 ? deltas : [claim('test', `${this.logId.slice(0, 6)}-${this.blocks.length}`, 'n', 1)]
    const encoded = encodeDeltas(given)
    const sealed = seal({
      namespace: this.namespace,
      signer: this.signer,
      logId: this.logId,
      host: this.#host,
      ...(head === undefined ? {} : { head }),
      dependencies: options.dependencies ?? [],
      dependenciesCut: false,
      time: options.time ?? { ms: head === undefined ? this.#startMs : head.time.ms + 1, counter: 0 },
      deltas: encoded,
      salts: saltsOf(`${this.key} ${this.blocks.length}`, encoded.length),
    })
    const block = options.header === undefined ? sealed : resealed(sealed, options.header, this.signer)
    this.blocks.push(block)
    return block
  }

  /** As `append`, as a run of that one block. */
  write(deltas: readonly (readonly Pointer[])[] = [], options: AppendOptions = {}): Run {
    return runOf(this.append(deltas, options))
  }

  /** Blocks from `fromSeq` on, up to `endSeq` and without it, as a run whose inner blocks are not signed. */
  run(fromSeq = 0, endSeq = this.blocks.length): Run {
    return runOf(...bulk(this.blocks.slice(fromSeq, endSeq)))
  }

  /** A log with the same key and the same first `length` blocks: what it appends from there on forks this one. */
  fork(length = this.blocks.length): TestLog {
    const twin = new TestLog({
      signer: this.signer,
      logId: this.logId,
      host: this.#host,
      namespace: this.namespace,
      startMs: this.#startMs,
    })
    twin.blocks.push(...this.blocks.slice(0, length))
    return twin
  }
}

/** A log of `length` blocks with `deltas` claims in each, over `entities` records. */
export function logOf(length: number, options: TestLogOptions & { deltas?: number; entities?: number } = {}): TestLog {
  const log = new TestLog(options)
  const deltas = options.deltas ?? 1
  const entities = options.entities ?? 10
  for (let seq = 0; seq < length; seq++) {
    log.append(
      Array.from({ length: deltas }, (_, index) => {
        const number = seq * deltas + index
        return claim('item', `${number % entities}`, `p${Math.floor(number / entities) % 5}`, `value ${number}`)
      }),
    )
  }
  return log
}

export function runOf(...blocks: readonly Block[]): Run {
  if (blocks.length === 0) throw new Error('a run has a block at least')
  return { blocks: blocks as unknown as Run['blocks'] }
}

/** The block as it stands inside a run: certified by the chain, without a signature of its own. */
export function withoutSignature(block: Block): Block {
  const { signature: _, ...rest } = block
  return rest
}

/** As a sync batch brings them: only the last one signed. */
export function bulk(blocks: readonly Block[]): readonly Block[] {
  return blocks.map((block, index) => (index === blocks.length - 1 ? block : withoutSignature(block)))
}

/** The block with other fields in its header, signed again. */
function resealed(block: Block, fields: Partial<Header>, by: Signer): Block {
  const header = { ...block.header, ...fields }
  const headerBytes = encodeHeader(header)
  const hash = hashHeader(headerBytes)
  return { ...block, header, headerBytes, hash, signature: by.sign(hashBytes(hash)) }
}

/** Bytes that are no secret: salts that differ by place. */
function saltsOf(place: string, count: number): Uint8Array {
  const salts = new Uint8Array(count * SALT_BYTES)
  for (let index = 0; index < count; index++) {
    salts.set(digest('sha256', `${place} ${index}`, 'buffer').subarray(0, SALT_BYTES), index * SALT_BYTES)
  }
  return salts
}
