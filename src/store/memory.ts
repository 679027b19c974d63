/**
 * A store without a disk, for tests, `--memory` and the simulator. All but the disk is shared with `sqlite.ts`.
 * The disk it has instead is a value that outlives the store, so that a crash can be played: what was not synced may go.
 */

import { hash as digest, randomBytes } from 'node:crypto'
import { RhizomeError } from '../errors.ts'
import type { Block } from '../log/block.ts'
import type { ForkProof } from '../log/fork.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { MemoryDerived } from './derived-memory.ts'
import { StoreEngine } from './engine.ts'
import { Heads } from './heads.ts'
import type { LogFile, LogRecord, PlacedRecord, Placement, ReadLimits } from './log-file.ts'
import { Overlay } from './overlay.ts'
import type { Notes, Store, StoreOrigin } from './store.ts'

/** What the next writes meet: success, no room, an error after nothing was written, or one after everything was. */
export type DiskFault = 'none' | 'full' | 'failed' | 'failed-after-write'

export interface MemoryDisk {
  /** Stays until it is changed. */
  fault: DiskFault
  /** Transactions that a power cut may take: those since the last sync. */
  readonly unsyncedCount: number
  /** As a checkpoint does: what is written now survives a power cut. */
  sync(): void
  /** The process is killed: the store that is open on this disk takes no more calls. What was committed stays. */
  crash(): void
  /**
   * The machine stops: as a crash, and the newest `lostCount` of the unsynced transactions are gone, each whole. As no store
   * can tell how many were lost, the next one renews its logs and is another instance, unless each was synced (`full`).
   */
  powerCut(lostCount: number): void
}

export interface MemoryStoreOptions {
  /** Kept across openings. Default: one of its own. */
  readonly disk?: MemoryDisk
  /** `full` syncs every transaction before it is acknowledged. Default `normal`. */
  readonly durability?: 'normal' | 'full'
}

/** `instance` makes a simulated history repeatable: 32 hex digits; random unless given. */
export function createMemoryDisk(options: { readonly instance?: string } = {}): MemoryDisk {
  return new ArrayDisk(options.instance ?? randomBytes(16).toString('hex'))
}

/** Opens at once. Throws RZ_STORE_LOCKED when a store is open on the disk. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  const disk = options.disk ?? createMemoryDisk()
  if (!(disk instanceof ArrayDisk)) throw new TypeError('disk: make it with createMemoryDisk()')
  const log = disk.open(options.durability ?? 'normal')
  const origin = disk.takeOrigin()
  return new StoreEngine({
    derived: new MemoryDerived(),
    log,
    heads: new Heads(),
    overlay: new Overlay(),
    forkPlaces: new Map(),
    origin,
    release: () => log.close(),
  })
}

type Undo = () => void

class ArrayDisk implements MemoryDisk {
  fault: DiskFault = 'none'
  instance: string
  readonly records: PlacedRecord[] = []
  readonly names = new Map<NamespaceId, string>()
  readonly notes = new Map<string, string>()
  /** How to take back each unsynced transaction, oldest first. */
  #unsynced: Undo[] = []
  #openLog: ArrayLog | undefined
  /** Every store that was open on it was closed. */
  #isClean = true
  #durability: 'normal' | 'full' = 'normal'
  #origin: StoreOrigin = {}

  constructor(instance: string) {
    this.instance = instance
  }

  get unsyncedCount(): number {
    return this.#unsynced.length
  }

  open(durability: 'normal' | 'full'): ArrayLog {
    if (this.#openLog !== undefined)
      throw new RhizomeError('RZ_STORE_LOCKED', 'the disk has a store open already: close it first')
    this.#durability = durability
    this.#isClean = false
    this.#openLog = new ArrayLog(this, durability)
    return this.#openLog
  }

  closed(): void {
    this.#openLog = undefined
    this.#isClean = true
  }

  takeOrigin(): StoreOrigin {
    const origin = this.#origin
    this.#origin = {}
    return origin
  }

  sync(): void {
    this.#unsynced = []
  }

  crash(): void {
    this.#openLog?.die()
    this.#openLog = undefined
  }

  powerCut(lostCount: number): void {
    this.crash()
    const keptCount = Math.max(0, this.#unsynced.length - lostCount)
    for (const undo of this.#unsynced.splice(keptCount).reverse()) undo()
    // What outlived the cut is on the disk.
    this.sync()
    if (this.#durability === 'full' || this.#isClean) return
    this.#origin = { renewal: 'the machine stopped while the store was open: its newest writes may be lost' }
    this.instance = digest('sha256', `after a power cut: ${this.instance}`, 'hex').slice(0, 32)
  }

  /** One transaction: `change` answers how to take it back. */
  write(change: () => Undo, durability: 'normal' | 'full'): void {
    if (this.fault === 'full')
      throw new RhizomeError('RZ_STORE_FULL', 'the disk is full: free some room and write again')
    if (this.fault === 'failed') throw failed()
    this.#unsynced.push(change())
    if (durability === 'full') this.sync()
    if (this.fault === 'failed-after-write') throw failed()
  }
}

class ArrayLog implements LogFile {
  readonly instance: string
  readonly #disk: ArrayDisk
  readonly #durability: 'normal' | 'full'
  #dead = false

  constructor(disk: ArrayDisk, durability: 'normal' | 'full') {
    this.instance = disk.instance
    this.#disk = disk
    this.#durability = durability
  }

  get isOpen(): boolean {
    return !this.#dead
  }

  end(): number {
    return this.#alive().records.length
  }

  append(records: readonly LogRecord[], notes: Notes = new Map()): readonly Placement[] {
    const disk = this.#alive()
    const start = disk.records.length
    const placed = records.map((record, index) => ({ ...record, place: start + index + 1, end: start + index + 1 }))
    disk.write(() => {
      disk.records.push(...placed)
      const before = [...notes.keys()].map((key) => [key, disk.notes.get(key)] as const)
      for (const [key, value] of notes) put(disk.notes, key, value)
      return () => {
        disk.records.splice(start)
        for (const [key, value] of before) put(disk.notes, key, value)
      }
    }, this.#durability)
    return placed
  }

  after(position: number, { countMax }: ReadLimits): readonly PlacedRecord[] {
    return this.#alive().records.slice(position, position + countMax)
  }

  blockAt(place: number): Block {
    const record = this.#alive().records[place - 1]
    if (record?.kind !== 'block') throw new Error(`bug: no block at ${place}`)
    return record.block
  }

  positionAt(place: number): number {
    return place
  }

  forkProofAt(place: number): ForkProof {
    const record = this.#alive().records[place - 1]
    if (record?.kind !== 'fork') throw new Error(`bug: no fork proof at ${place}`)
    return record.proof
  }

  setAside(): readonly Block[] {
    return []
  }

  namespaces(): readonly { readonly id: NamespaceId; readonly name: string }[] {
    return [...this.#alive().names].map(([id, name]) => ({ id, name }))
  }

  addNamespace(id: NamespaceId, name: string): void {
    this.#set(this.#alive().names, id, name)
  }

  note(key: string): string | undefined {
    return this.#alive().notes.get(key)
  }

  setNote(key: string, value: string | undefined): void {
    this.#set(this.#alive().notes, key, value)
  }

  close(): void {
    if (this.#dead) return
    this.#dead = true
    this.#disk.sync()
    this.#disk.closed()
  }

  die(): void {
    this.#dead = true
  }

  #set<Key>(map: Map<Key, string>, key: Key, value: string | undefined): void {
    this.#disk.write(() => {
      const before = map.get(key)
      put(map, key, value)
      return () => put(map, key, before)
    }, this.#durability)
  }

  #alive(): ArrayDisk {
    if (this.#dead) throw new RhizomeError('RZ_STORE_CLOSED', 'the store is closed')
    return this.#disk
  }
}

function put<Key>(map: Map<Key, string>, key: Key, value: string | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

function failed(): RhizomeError {
  return new RhizomeError(
    'RZ_STORE_FAILED',
    'the disk answered with an error: look after it, then start the node again',
  )
}
