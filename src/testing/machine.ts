/**
 * A computer that is not there: a disk that survives crashes, a clock that can be set, and a whole `RhizomeNode` upon them
 * while it runs. Everything about it is the real code but disk, network, time and chance.
 */

import type { PeerId } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { type NamespaceId, openNamespaceId } from '../log/namespace.ts'
import { type Signer, signerOf } from '../log/signature.ts'
import type { MemoryNetwork } from '../net/memory.ts'
import type { Environment } from '../node/environment.ts'
import { DEFAULT_IDENTITY } from '../node/identity.ts'
import { localContexts } from '../node/local-contexts.ts'
import { parseTopics } from '../node/everywhere/topics.ts'
import { type NodeParts, RhizomeNode } from '../node/node.ts'
import type { Durability } from '../node/options.ts'
import { createMemoryDisk, type MemoryDisk, openMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import type { Random } from './seeded-random.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface MachineOptions {
  readonly name: string
  readonly topics: readonly string[]
  readonly time: VirtualTime
  readonly network: MemoryNetwork
  /** Its own: the identity comes from it as well. */
  readonly random: Random
  /** Default `normal`. */
  readonly durability?: Durability
  /** How it watches over others. Default: as a node does. */
  readonly detector?: NonNullable<NodeParts['detector']>
  /** Told when ranges that its topics name cannot be placed: it runs on all the same. Default: the failure is nobody's. */
  readonly onUnplaced?: (error: unknown) => void
}

/** What there is between a start and its end. */
interface Life {
  readonly node: RhizomeNode
  readonly store: Store
  isOver: boolean
}

const SEED_BYTES = 32
const INSTANCE_BYTES = 16

export class Machine {
  readonly name: string
  readonly peerId: PeerId
  readonly disk: MemoryDisk
  /** How far its clock is ahead of the time that passes. */
  clockOffsetMs = 0
  readonly #options: MachineOptions
  readonly #signer: Signer
  readonly #identitySeed: Uint8Array
  readonly #namespaces: ReadonlyMap<NamespaceId, string>
  #life: Life | undefined
  /** Taking leave: it is no use to anybody, and still has the disk. */
  #closing: Life | undefined
  /** Timers that went off while it was paused, oldest first. */
  #late: (() => void)[] | undefined

  constructor(options: MachineOptions) {
    const { name, random, topics } = options
    this.#options = options
    this.name = name
    this.#identitySeed = random.bytes(SEED_BYTES)
    this.#signer = signerOf(this.#identitySeed)
    this.peerId = this.#signer.id
    this.disk = createMemoryDisk({ instance: Buffer.from(random.bytes(INSTANCE_BYTES)).toString('hex') })
    this.#namespaces = new Map(parseTopics(topics).map((topic) => [openNamespaceId(topic.name), topic.name]))
  }

  /** The node that runs; undefined while none does. */
  get node(): RhizomeNode | undefined {
    return this.#life?.node
  }

  /** Of the node that runs. */
  get store(): Store | undefined {
    return this.#life?.store
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  get isPaused(): boolean {
    return this.#late !== undefined
  }

  nowMs(): number {
    return Math.floor(this.#options.time.nowMs() + this.clockOffsetMs)
  }

  /** Starts the node upon what the disk holds. While one runs, or is being closed, this does nothing. */
  start(): void {
    if (this.#life !== undefined || this.isClosing) return
    const { name, topics, network, durability = 'normal', detector, onUnplaced } = this.#options
    const store = openMemoryStore({ disk: this.disk, durability })
    for (const [id, topic] of this.#namespaces) store.openNamespace(id, topic)
    const life: { isOver: boolean } = { isOver: false }
    const node = new RhizomeNode({
      store,
      identities: [{ name: DEFAULT_IDENTITY, signer: this.#signer, seed: this.#identitySeed }],
      name,
      topics,
      net: network.open(this.peerId),
      keep: false,
      functions: false,
      contexts: localContexts(undefined, undefined),
      environment: this.#environment(life),
      ...(detector === undefined ? {} : { detector }),
      durability: durability === 'full' ? 'disk' : 'process',
    })
    this.#life = Object.assign(life, { node, store })
    node.placeShards().catch(onUnplaced ?? passOverClosedStore)
  }

  /** The process is killed: what was not committed is gone, what was stays. */
  kill(): void {
    this.#end(() => this.disk.crash())
  }

  /** The machine stops: of what was committed and not synced since, the newest `lostCount` transactions are gone. */
  powerCut(lostCount: number): void {
    this.#end(() => this.disk.powerCut(lostCount))
  }

  /** Closes the node as a user does. */
  async stop(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    this.resume()
    this.#life = undefined
    this.#closing = life
    try {
      await life.node.close()
    } finally {
      life.isOver = true
      if (this.#closing === life) this.#closing = undefined
    }
  }

  /** The process stands still: nothing reaches it, nothing leaves it, its timers go off late, its clock goes on. */
  pause(): void {
    if (this.#life === undefined || this.isPaused) return
    this.#late = []
    this.#options.network.pause(this.peerId)
  }

  resume(): void {
    const late = this.#late
    if (late === undefined) return
    this.#late = undefined
    for (const run of late) this.#options.time.schedule(0, run)
    this.#options.network.resume(this.peerId)
  }

  #end(stopDisk: () => void): void {
    const life = this.#life ?? this.#closing
    this.#life = undefined
    this.#closing = undefined
    this.#late = undefined
    if (life !== undefined) life.isOver = true
    this.#options.network.crash(this.peerId)
    stopDisk()
    // A dead process does no more: its loops end, who waits for it is told, and the disk takes nothing from it.
    life?.node.close().catch(passOverClosedStore)
  }

  #environment(life: { readonly isOver: boolean }): Environment {
    const { time, random } = this.#options
    return {
      nowMs: () => this.nowMs(),
      steadyMs: () => time.nowMs(),
      schedule: (delayMs, run) => {
        let cancelled = false
        const due = (): void => {
          if (cancelled || life.isOver) return
          if (this.#late === undefined) run()
          else this.#late.push(due)
        }
        const cancel = time.schedule(delayMs, due)
        return () => {
          cancelled = true
          cancel()
        }
      },
      defer: (step) => time.defer(step),
      random: () => random.next(),
      randomBytes: (count) => random.bytes(count),
    }
  }
}

/** What a dead process could not write any more. */
function passOverClosedStore(error: unknown): void {
  if (!(error instanceof RhizomeError) || error.code !== 'RZ_STORE_CLOSED') throw error
}
