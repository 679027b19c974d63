/** What happened before what, asked about deltas that a node holds, or about frontiers. The arithmetic is log/causality.ts. */

import { parseDeltaId } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import { type LogKey, logKeyOfHeader } from '../log/block.ts'
import { type CausalBlock, compareClocks, hasSeen } from '../log/causality.ts'
import { isFrontierText, parseFrontierText } from '../log/frontier-text.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'

export interface CausalField {
  readonly store: Store
  readonly namespace: NamespaceId
}

/** Looked at for one answer: some seconds of work. */
const BLOCKS_MAX = 100_000
const RUN_BYTES = 65_536

/**
 * Whether the moment of frontier `a` lies before that of `b`: all that was held then was held at `b`, and more. Frontiers are
 * compared as vector clocks, so the answer is exact. Of nodes of one namespace; throws RZ_BYTES_INVALID for what is none.
 */
export function happenedBefore(a: string, b: string): boolean {
  return compareClocks(parseFrontierText(a), parseFrontierText(b)) === 'before'
}

/** Whether neither frontier holds all of the other: two nodes, or two moments, that went apart. Throws RZ_BYTES_INVALID. */
export function concurrent(a: string, b: string): boolean {
  return compareClocks(parseFrontierText(a), parseFrontierText(b)) === 'concurrent'
}

/** As `happenedBefore`, of ids of deltas, or of frontiers. */
export function happenedBeforeIn(field: CausalField, a: string, b: string): boolean {
  if (isFrontierText(a) || isFrontierText(b)) return happenedBefore(a, b)
  const [first, second] = [deltaPlace(field, a), deltaPlace(field, b)]
  if (first.hash === second.hash) return first.index < second.index
  return sees(field, second, first)
}

/** As `concurrent`, of ids of deltas, or of frontiers. */
export function concurrentIn(field: CausalField, a: string, b: string): boolean {
  if (isFrontierText(a) || isFrontierText(b)) return concurrent(a, b)
  const [first, second] = [deltaPlace(field, a), deltaPlace(field, b)]
  return first.hash !== second.hash && !sees(field, first, second) && !sees(field, second, first)
}

interface DeltaPlace extends CausalBlock {
  readonly hash: string
  readonly index: number
}

function deltaPlace({ store, namespace }: CausalField, id: string): DeltaPlace {
  const { blockHash, index } = parseDeltaId(id)
  const header = store.block(namespace, blockHash)?.header
  if (header === undefined || index >= header.count) {
    throw new RhizomeError('RZ_CAUSALITY_UNKNOWN', `${id} is not held here: what it had seen cannot be told`)
  }
  return { hash: blockHash, index, log: logKeyOfHeader(header), header }
}

function sees(field: CausalField, later: CausalBlock, earlier: CausalBlock): boolean {
  const blocksBack = (log: LogKey, fromSeq: number, toSeq: number) => headersBack(field, log, fromSeq, toSeq)
  const answer = hasSeen(later, earlier, { blocksBack, blocksMax: BLOCKS_MAX })
  if (answer !== undefined) return answer
  throw new RhizomeError(
    'RZ_CAUSALITY_UNKNOWN',
    `more than ${BLOCKS_MAX} blocks lie between the two: compare frontiers instead`,
  )
}

/** Newest first. Each names the one before it by its hash. */
function* headersBack({ store, namespace }: CausalField, log: LogKey, fromSeq: number, toSeq: number) {
  const [top] = store.readRun(namespace, log, toSeq, RUN_BYTES)?.blocks ?? []
  for (let block = top; block !== undefined && block.header.seq >= fromSeq;) {
    yield { log, header: block.header }
    const { previous } = block.header
    block = previous === undefined ? undefined : store.block(namespace, previous)
  }
}
