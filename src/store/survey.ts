/**
 * Looks a whole log over: which rows are not what was written, which blocks that leaves without the one they follow, and
 * up to where each log can stand. Pure; `repair.ts` reads the rows and acts on the answer.
 */

import { type Block, type BlockHash, type LogKey, logKeyOfHeader } from '../log/block.ts'
import { decodeBlock, encodeBlock } from '../log/block-bytes.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { headerIn, recordsIn, ROW_KINDS, type StoredRecord, type StoredRow } from './log-rows.ts'

/** One place of a log that is not what was written. */
export interface StoreDamage {
  readonly why: string
  /** Row of the log; absent for what stands beside it. */
  readonly place?: number
  /** Which block it was, as far as can be told. */
  readonly namespace?: NamespaceId
  readonly log?: LogKey
  readonly seq?: number
}

/** Which block was at a place, if anything else remembers. */
export type Recall = (place: number) => Pick<StoreDamage, 'namespace' | 'log' | 'seq'> | undefined

export interface Survey {
  readonly damage: readonly StoreDamage[]
  /** Whole blocks found. */
  readonly blocks: number
  /** True when the block is to stay: everything before it is there, and a signature certifies it. */
  readonly keeps: (block: Block) => boolean
}

/** What lies between one record's first row and the next one's. */
export type Found =
  | { readonly kind: 'record'; readonly record: StoredRecord }
  | { readonly kind: 'damaged'; readonly rows: readonly StoredRow[]; readonly place: number; readonly why: string }

interface SurveyedLog {
  readonly namespace: NamespaceId
  readonly log: LogKey
  length: number
  hash: BlockHash | undefined
  signedLength: number
  broken: boolean
}

export function survey(rows: Iterable<StoredRow>, recall: Recall): Survey {
  const logs = new Map<string, SurveyedLog>()
  const damage: StoreDamage[] = []
  let blocks = 0
  for (const found of foundIn(rows)) {
    if (found.kind === 'damaged') {
      damage.push({ place: found.place, why: found.why, ...(blockIn(found.rows) ?? recall(found.place)) })
      continue
    }
    if (found.record.kind === 'fork') continue
    blocks++
    const missing = follow(logs, found.record.block)
    if (missing !== undefined)
      damage.push({ place: found.record.place, why: 'the block that it follows is not there', ...missing })
  }
  return { damage: merged(damage), blocks, keeps: (block) => block.header.seq < keptLength(logs, block) }
}

/** Every record in order, with what could not be read between them. Each row goes into one of them. */
export function* foundIn(rows: Iterable<StoredRow>): Generator<Found> {
  let group: StoredRow[] = []
  let before: number | undefined
  for (const row of rows) {
    if (row.kind !== ROW_KINDS.more && group.length > 0) {
      yield judge(group)
      group = []
    }
    if (before !== undefined && row.place > before + 1) {
      if (group.length > 0) yield judge(group)
      group = []
      yield { kind: 'damaged', rows: [], place: before + 1, why: missingRows(row.place - before - 1) }
    }
    before = row.place
    group.push(row)
  }
  if (group.length > 0) yield judge(group)
}

function judge(rows: readonly StoredRow[]): Found {
  const place = rows[0]?.place ?? 0
  try {
    const [record] = recordsIn(rows)
    if (record === undefined) return { kind: 'damaged', rows, place, why: 'it cannot be read' }
    // The checksum tells bit rot; this tells whatever else may have gone wrong.
    if (record.kind === 'block') decodeBlock(encodeBlock(record.block))
    return { kind: 'record', record }
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
    return { kind: 'damaged', rows, place, why: error.message }
  }
}

function blockIn([first]: readonly StoredRow[]): ReturnType<Recall> {
  const header = first === undefined ? undefined : headerIn(first)
  return header && { namespace: header.namespace, log: logKeyOfHeader(header), seq: header.seq }
}

/** Answers with the block that is lacking when this one is the first to follow it. */
function follow(
  logs: Map<string, SurveyedLog>,
  block: Block,
): Pick<StoreDamage, 'namespace' | 'log' | 'seq'> | undefined {
  const { namespace, seq, previous } = block.header
  const log = logKeyOfHeader(block.header)
  const surveyed = logs.get(`${namespace}/${log}`) ?? {
    namespace,
    log,
    length: 0,
    hash: undefined,
    signedLength: 0,
    broken: false,
  }
  logs.set(`${namespace}/${log}`, surveyed)
  if (surveyed.broken) return undefined
  if (seq !== surveyed.length || previous !== surveyed.hash) {
    surveyed.broken = true
    return { namespace, log, seq: surveyed.length }
  }
  surveyed.length = seq + 1
  surveyed.hash = block.hash
  if (block.signature !== undefined) surveyed.signedLength = seq + 1
  return undefined
}

function keptLength(logs: ReadonlyMap<string, SurveyedLog>, { header }: Block): number {
  return logs.get(`${header.namespace}/${logKeyOfHeader(header)}`)?.signedLength ?? 0
}

/** A damaged row and the block found to be lacking because of it are one thing to the reader. */
function merged(damage: readonly StoreDamage[]): readonly StoreDamage[] {
  const known = new Set(damage.filter(isRow).map(blockKey))
  return damage.filter((item) => isRow(item) || !known.has(blockKey(item)))
}

function isRow({ why }: StoreDamage): boolean {
  return why !== 'the block that it follows is not there'
}

function blockKey({ namespace, log, seq }: StoreDamage): string {
  return `${namespace}/${log}/${seq}`
}

function missingRows(count: number): string {
  return count === 1 ? 'a row is missing' : `${count} rows are missing`
}
