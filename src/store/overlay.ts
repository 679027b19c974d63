/**
 * The newest records, in memory, that no index covers yet: reads join it with the index. In a store without an index it
 * holds everything. Records are taken apart only when a read asks for it: what is written and indexed before anyone
 * reads costs no second decoding.
 */

import { compareUtf8 } from '../delta/order.ts'
import { type Block, type BlockHash, type LogKey, logKeyOfHeader } from '../log/block.ts'
import { deltaAt } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { isShown } from '../log/shown.ts'
import type { HeldBlock } from './draft.ts'
import type { PlacedRecord, ReadLimits } from './log-file.ts'
import { targetsOf } from './shown.ts'

/** A delta that points at an entity. */
export interface OverlayEntry {
  readonly block: Block
  readonly index: number
}

type PlacedBlock = PlacedRecord & { readonly kind: 'block' }

interface EntityMap {
  readonly entries: Map<string, OverlayEntry[]>
  /** Keys of `entries` in order, without those in `fresh`; undefined after a key went. */
  sorted: readonly string[] | undefined
  /** Keys that came since. */
  fresh: string[]
}

export class Overlay {
  /** Records up to this position have left: an index covers them. */
  #floor = 0
  #bytes = 0
  #records: PlacedRecord[] = []
  #digested = 0
  readonly #byHash = new Map<BlockHash, PlacedBlock>()
  readonly #bySeq = new Map<string, Map<number, HeldBlock>>()
  readonly #entities = new Map<NamespaceId, EntityMap>()

  constructor(floor = 0) {
    this.#floor = floor
  }

  get floor(): number {
    return this.#floor
  }

  /** Encoded size of the records held. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes the next record; of a block, `deltas` counts those of its log up to its end. */
  add(record: PlacedRecord, deltas: number): void {
    this.#records.push(record)
    this.#bytes += record.bytes
    if (record.kind === 'fork') return
    const { block } = record
    this.#byHash.set(block.hash, record)
    const key = keyOf(block.header.namespace, logKeyOfHeader(block.header))
    const blocks = this.#bySeq.get(key)
    if (blocks === undefined) this.#bySeq.set(key, new Map([[block.header.seq, { block, deltas }]]))
    else blocks.set(block.header.seq, { block, deltas })
  }

  /** Lets go of records up to `position`, because an index covers them now. */
  release(position: number): void {
    let count = 0
    for (const record of this.#records) {
      if (record.end > position) break
      this.#forget(record, count < this.#digested)
      count++
    }
    this.#floor = Math.max(this.#floor, position)
    if (count === 0) return
    this.#records = this.#records.slice(count)
    this.#digested = Math.max(0, this.#digested - count)
  }

  heldBlock(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined {
    return this.#bySeq.get(keyOf(namespace, log))?.get(seq)
  }

  block(hash: string): Block | undefined {
    return this.#byHash.get(hash as BlockHash)?.block
  }

  /** The position of the block of that hash. */
  positionOf(hash: string): number | undefined {
    return this.#byHash.get(hash as BlockHash)?.end
  }

  /** Records after `position`, which must not lie below the floor. */
  after(position: number, limits: ReadLimits): readonly PlacedRecord[] {
    const found: PlacedRecord[] = []
    let bytes = 0
    const start = firstIndex(this.#records, (record) => record.end > position)
    for (let at = start; at < this.#records.length && found.length < limits.countMax; at++) {
      const record = this.#records[at] as PlacedRecord
      bytes += record.bytes
      if (found.length > 0 && bytes > limits.bytesMax) break
      found.push(record)
    }
    return found
  }

  /** What points at `entity`, void or not, in order of commit. */
  entries(namespace: NamespaceId, entity: string): readonly OverlayEntry[] {
    this.#digest()
    return this.#entities.get(namespace)?.entries.get(entity) ?? []
  }

  /** The first entity at or after `from` (after it, unless `inclusive`), by UTF-8 bytes. */
  nextEntity(namespace: NamespaceId, from: string, inclusive: boolean): string | undefined {
    this.#digest()
    const map = this.#entities.get(namespace)
    if (map === undefined) return undefined
    const sorted = sortedKeys(map)
    return sorted[firstIndex(sorted, (key) => compareUtf8(key, from) >= (inclusive ? 0 : 1))]
  }

  #digest(): void {
    for (; this.#digested < this.#records.length; this.#digested++) {
      const record = this.#records[this.#digested] as PlacedRecord
      if (record.kind === 'fork' || !isShown(record.block.header)) continue
      const map = this.#entityMap(record.block.header.namespace)
      forEachTarget(record.block, (target, index) => {
        const entries = map.entries.get(target)
        if (entries !== undefined) return entries.push({ block: record.block, index })
        map.entries.set(target, [{ block: record.block, index }])
        map.fresh.push(target)
      })
    }
  }

  #forget(record: PlacedRecord, digested: boolean): void {
    this.#bytes -= record.bytes
    if (record.kind === 'fork') return
    const { block } = record
    const { namespace, seq } = block.header
    this.#byHash.delete(block.hash)
    const key = keyOf(namespace, logKeyOfHeader(block.header))
    const blocks = this.#bySeq.get(key)
    blocks?.delete(seq)
    if (blocks?.size === 0) this.#bySeq.delete(key)
    if (!digested || !isShown(block.header)) return
    const map = this.#entityMap(namespace)
    const targets = new Set<string>()
    forEachTarget(block, (target) => targets.add(target))
    // Once for each: thousands of deltas of a block may point at one entity.
    for (const target of targets) {
      const left = map.entries.get(target)?.filter((entry) => entry.block !== block)
      if (left !== undefined && left.length > 0) {
        map.entries.set(target, left)
        continue
      }
      map.entries.delete(target)
      map.sorted = undefined
    }
  }

  #entityMap(namespace: NamespaceId): EntityMap {
    const known = this.#entities.get(namespace)
    if (known !== undefined) return known
    const made: EntityMap = { entries: new Map(), sorted: [], fresh: [] }
    this.#entities.set(namespace, made)
    return made
  }
}

/** The index of the first item that passes; those after it pass too. */
function firstIndex<Item>(items: readonly Item[], passes: (item: Item) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (passes(items[middle] as Item)) high = middle
    else low = middle + 1
  }
  return low
}

/** Linear after a change; sorts only what is new. */
function sortedKeys(map: EntityMap): readonly string[] {
  if (map.sorted === undefined) map.sorted = [...map.entries.keys()].sort(compareUtf8)
  else if (map.fresh.length > 0) map.sorted = merged(map.sorted, map.fresh.sort(compareUtf8))
  map.fresh = []
  return map.sorted
}

function merged(a: readonly string[], b: readonly string[]): readonly string[] {
  const all: string[] = []
  let right = 0
  for (const left of a) {
    while (right < b.length && compareUtf8(b[right] as string, left) < 0) all.push(b[right++] as string)
    all.push(left)
  }
  while (right < b.length) all.push(b[right++] as string)
  return all
}

function forEachTarget(block: Block, visit: (target: string, index: number) => void): void {
  for (let index = 0; index < block.payload.length; index++) {
    for (const target of targetsOf(deltaAt(block, index))) visit(target, index)
  }
}

function keyOf(namespace: NamespaceId, log: LogKey): string {
  return `${namespace}/${log}`
}
