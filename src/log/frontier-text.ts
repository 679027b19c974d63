/**
 * A frontier as text: what a reader keeps of a moment and hands in again, on this node or on another. `f0.` and base64url of
 * `[[creator key, log id, seq], …]` in CBOR, sorted by log. It says up to which block of each log, not which blocks those
 * are: the chain of hashes does, and where a log was forked its cut.
 */

import { decode, encode } from '../delta/cbor.ts'
import { keyOfPeerId, peerIdOf } from '../delta/identifiers.ts'
import { isList } from '../delta/value.ts'
import type { Value } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { LOG_ID_BYTES, type LogKey, logKeyOf, splitLogKey } from './block.ts'
import type { Frontier } from './frontier.ts'

const PREFIX = 'f0.'
const TEXT_CHARS_MAX = 6_000_000
const LIMITS = { depthMax: 2, itemsMax: 262_144 }

export function isFrontierText(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** Logs without an admitted block are left out. Throws RZ_BYTES_TOO_LARGE past some 75,000 logs. */
export function frontierText(frontier: Frontier): string {
  const heads = frontier.flatMap(({ log, seq }) => {
    if (seq === undefined) return []
    const { creator, logId } = splitLogKey(log)
    return [[keyOfPeerId(creator), Buffer.from(logId, 'hex'), seq]]
  })
  return PREFIX + Buffer.from(encode(heads)).toString('base64url')
}

/** The inverse: of each log the sequence number of its last block. Throws RZ_BYTES_INVALID for any other text. */
export function parseFrontierText(text: string): ReadonlyMap<LogKey, number> {
  if (!isFrontierText(text) || text.length > TEXT_CHARS_MAX) throw invalid()
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url')
  // Buffer reads base64url leniently; only the one right spelling comes back the same.
  if (PREFIX + bytes.toString('base64url') !== text) throw invalid()
  const items = decode(bytes, LIMITS)
  if (!isList(items)) throw invalid()
  const heads = new Map<LogKey, number>()
  let last = ''
  for (const item of items) {
    const { log, seq } = parseHead(item)
    if (log <= last) throw invalid()
    heads.set(log, seq)
    last = log
  }
  return heads
}

function parseHead(item: Value): { readonly log: LogKey; readonly seq: number } {
  if (!isList(item) || item.length !== 3) throw invalid()
  const [key, logId, seq] = item
  if (!(key instanceof Uint8Array) || !(logId instanceof Uint8Array) || logId.length !== LOG_ID_BYTES) throw invalid()
  if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 0) throw invalid()
  return { log: logKeyOf(peerIdOf(key), Buffer.from(logId).toString('hex')), seq }
}

function invalid(): RhizomeError {
  return new RhizomeError('RZ_BYTES_INVALID', 'the text is no frontier: it is cut off, or was changed on the way')
}
