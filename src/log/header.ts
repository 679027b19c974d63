/**
 * The bytes of a block's header: a CBOR array of fixed order, the first item the format version.
 * These bytes are hashed and signed, stored and forwarded as received, never encoded again. design.md 3.
 */

import { COUNTER_MAX } from '../delta/clock.ts'
import { decode, encode } from '../delta/cbor.ts'
import type { Value } from '../delta/delta.ts'
import { HASH_BYTES, hashBytes, hashText, KEY_BYTES, keyOfPeerId, peerIdOf } from '../delta/identifiers.ts'
import { isList } from '../delta/value.ts'
import { RhizomeError } from '../errors.ts'
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
  LOG_ID_BYTES,
  type LogKey,
  logKeyOf,
  splitLogKey,
} from './block.ts'
import type { NamespaceId } from './namespace.ts'
import { sha256 } from './sha256.ts'

const HASH_DOMAIN = Buffer.from('rhizome/block/0\0')
const NAMESPACE_BYTES = 32
const FIELD_COUNT = 16
const PAYLOAD_KINDS = ['plain', 'sealed'] as const
const LIMITS = { depthMax: 16, itemsMax: 4_096 }

export function encodeHeader(header: Header): Uint8Array {
  return encode([
    FORMAT_VERSION,
    Buffer.from(header.namespace, 'hex'),
    keyOfPeerId(header.creator),
    Buffer.from(header.logId, 'hex'),
    keyOfPeerId(header.host),
    header.seq,
    header.previous === undefined ? null : hashBytes(header.previous),
    header.dependencies.map(dependencyValue),
    header.dependenciesCut,
    header.time.ms,
    header.time.counter,
    header.count,
    header.root,
    header.payloadBytes,
    PAYLOAD_KINDS.indexOf(header.payloadKind),
    header.extensions,
  ])
}

/** Throws RZ_BYTES_INVALID or RZ_BLOCK_INVALID, and RZ_BLOCK_VERSION for a format of a later release. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length > HEADER_BYTES_MAX) throw invalid(`a header of ${bytes.length} bytes`)
  const fields = decode(bytes, LIMITS)
  if (!isList(fields)) throw invalid('the header is not a list')
  if (fields[0] !== FORMAT_VERSION) throw versionError(fields[0])
  if (fields.length !== FIELD_COUNT) throw invalid(`${fields.length} header fields instead of ${FIELD_COUNT}`)
  const [
    ,
    namespace,
    creator,
    logId,
    host,
    seq,
    previous,
    dependencies,
    cut,
    ms,
    counter,
    count,
    root,
    size,
    kind,
    more,
  ] = fields
  const header: Header = {
    namespace: Buffer.from(bytesField('namespace', namespace, NAMESPACE_BYTES)).toString('hex') as NamespaceId,
    creator: peerIdOf(bytesField('creator', creator, KEY_BYTES)),
    logId: Buffer.from(bytesField('log id', logId, LOG_ID_BYTES)).toString('hex'),
    host: peerIdOf(bytesField('host', host, KEY_BYTES)),
    seq: integerField('seq', seq, 0, Number.MAX_SAFE_INTEGER),
    ...(previous === null ? {} : { previous: hashField('previous hash', previous) }),
    dependencies: parseDependencies(dependencies),
    dependenciesCut: booleanField('dependencies cut', cut),
    time: {
      ms: integerField('time', ms, 0, Number.MAX_SAFE_INTEGER),
      counter: integerField('counter', counter, 0, COUNTER_MAX),
    },
    count: integerField('count', count, 1, BLOCK_DELTAS_MAX),
    root: bytesField('root', root, HASH_BYTES),
    payloadBytes: integerField('payload bytes', size, 0, BLOCK_BYTES_MAX),
    payloadKind: PAYLOAD_KINDS[integerField('payload kind', kind, 0, PAYLOAD_KINDS.length - 1)] ?? 'plain',
    extensions: parseExtensions(more),
  }
  if ((header.seq === 0) !== (header.previous === undefined))
    throw invalid('a previous hash is absent exactly at seq 0')
  const own = logKeyOf(header.creator, header.logId)
  if (header.dependencies.some((dependency) => dependency.log === own)) throw invalid('it depends on its own log')
  return header
}

/** A block's hash: SHA-256 of a domain prefix and the header bytes. */
export function hashHeader(headerBytes: Uint8Array): BlockHash {
  return hashText(sha256(Buffer.concat([HASH_DOMAIN, headerBytes]))) as BlockHash
}

function dependencyValue(dependency: Dependency): Value {
  const { creator, logId } = splitLogKey(dependency.log)
  return [keyOfPeerId(creator), Buffer.from(logId, 'hex'), dependency.seq, hashBytes(dependency.hash)]
}

function parseDependencies(value: Value | undefined): readonly Dependency[] {
  if (!isList(value)) throw invalid('dependencies are not a list')
  if (value.length > DEPENDENCIES_MAX) throw invalid(`more than ${DEPENDENCIES_MAX} dependencies`)
  const dependencies = value.map(parseDependency)
  for (const [index, { log }] of dependencies.entries()) {
    const before = dependencies[index - 1]
    if (before !== undefined && before.log >= log) throw invalid('dependencies out of order')
  }
  return dependencies
}

function parseDependency(value: Value): Dependency {
  if (!isList(value) || value.length !== 4) throw invalid('a dependency has four parts')
  const [creator, logId, seq, hash] = value
  const log: LogKey = logKeyOf(
    peerIdOf(bytesField('dependency creator', creator, KEY_BYTES)),
    Buffer.from(bytesField('dependency log', logId, LOG_ID_BYTES)).toString('hex'),
  )
  return {
    log,
    seq: integerField('dependency seq', seq, 0, Number.MAX_SAFE_INTEGER),
    hash: hashField('dependency', hash),
  }
}

function parseExtensions(value: Value | undefined): Readonly<Record<string, Value>> {
  if (typeof value !== 'object' || value === null || isList(value) || value instanceof Uint8Array) {
    throw invalid('extensions are not a map')
  }
  if (Object.keys(value).length > 0 && encode(value).length > EXTENSIONS_BYTES_MAX) {
    throw invalid(`extensions over ${EXTENSIONS_BYTES_MAX} bytes`)
  }
  return value
}

function hashField(what: string, value: Value | undefined): BlockHash {
  return hashText(bytesField(what, value, HASH_BYTES)) as BlockHash
}

function bytesField(what: string, value: Value | undefined, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw invalid(`${what} is not ${length} bytes`)
  return value
}

function integerField(what: string, value: Value | undefined, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalid(`${what} is not an integer from ${least} to ${most}`)
  }
  return value as number
}

function booleanField(what: string, value: Value | undefined): boolean {
  if (typeof value !== 'boolean') throw invalid(`${what} is not a boolean`)
  return value
}

/** The version is looked at before anything else, so that a later format may change all the rest. */
function versionError(version: Value | undefined): RhizomeError {
  if (!Number.isInteger(version) || (version as number) < FORMAT_VERSION) return invalid('no format version')
  return new RhizomeError(
    'RZ_BLOCK_VERSION',
    `a block of format ${version as number}; this release reads format ${FORMAT_VERSION}: upgrade rhizome-node`,
  )
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_BLOCK_INVALID', `not a block: ${why}`)
}
