/** A node of a simulated history: a disk that survives crashes, and store, sync and writer upon it while it is up. */

import type { DeltaId, PeerId, Pointer } from '../../src/delta/delta.ts'
import type { LogKey } from '../../src/log/block.ts'
import { type NamespaceId, openNamespaceId } from '../../src/log/namespace.ts'
import { type Signer, signerOf } from '../../src/log/signature.ts'
import type { MemoryNetwork } from '../../src/net/memory.ts'
import type { Net } from '../../src/net/net.ts'
import { HybridClock } from '../../src/node/hybrid-clock.ts'
import { OwnLogs } from '../../src/node/own-logs.ts'
import { LogWriter } from '../../src/node/writer.ts'
import { createMemoryDisk, type MemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { openReplication, type Replication } from '../../src/sync/replication.ts'
import type { SyncStatus } from '../../src/sync/status.ts'
import type { Random } from '../../src/testing/seeded-random.ts'
import type { VirtualTime } from '../../src/testing/virtual-time.ts'

export interface SimulatedNodeOptions {
  readonly name: string
  readonly namespace: string
  /** Of the identity: 32 bytes. */
  readonly seed: Uint8Array
  readonly time: VirtualTime
  readonly network: MemoryNetwork
  readonly random: Random
  /** How far this node's clock is ahead. */
  readonly skewMs: number
}

interface Life {
  readonly store: Store
  readonly net: Net
  readonly replication: Replication
  readonly writer: LogWriter
}

export class SimulatedNode {
  readonly name: string
  readonly peerId: PeerId
  readonly #options: SimulatedNodeOptions
  readonly #signer: Signer
  readonly #namespace: NamespaceId
  readonly #disk: MemoryDisk
  #life: Life | undefined

  constructor(options: SimulatedNodeOptions) {
    this.#options = options
    this.name = options.name
    this.#signer = signerOf(options.seed)
    this.peerId = this.#signer.id
    this.#namespace = openNamespaceId(options.namespace)
    this.#disk = createMemoryDisk({ instance: Buffer.from(options.random.bytes(16)).toString('hex') })
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get store(): Store {
    return this.#alive().store
  }

  start(): void {
    const { namespace, time, network, random, skewMs } = this.#options
    const nowMs = (): number => time.nowMs() + skewMs
    const store = openMemoryStore({ disk: this.#disk })
    store.openNamespace(this.#namespace, namespace)
    const ownLogs = new OwnLogs(store, this.#namespace)
    const net = network.open(this.peerId)
    const replication = openReplication({
      store,
      net,
      name: this.name,
      nowMs,
      random: () => random.next(),
      schedule: (delayMs, run) => time.schedule(delayMs, run),
      own: (log: LogKey) => ownLogs.has(log),
    })
    const writer = new LogWriter({
      store,
      namespace: this.#namespace,
      signer: this.#signer,
      host: this.peerId,
      clock: new HybridClock({ nowMs, admitted: () => store.latestTime() }),
      random: (count) => random.bytes(count),
      defer: (step) => void time.schedule(0, step),
      onLog: (log) => ownLogs.add(log),
      onRenewed: () => {},
    })
    if (store.origin.renewal !== undefined) writer.renew(store.origin.renewal)
    replication.onEvent((event) => {
      if (event.kind === 'own-log-ahead') writer.leave(event.log, 'a peer holds more of it')
    })
    replication.attach(this.#namespace, namespace)
    this.#life = { store, net, replication, writer }
  }

  /** Without a word: what was not committed is gone. */
  crash(): void {
    const { replication } = this.#alive()
    this.#life = undefined
    this.#options.network.crash(this.peerId)
    this.#disk.crash()
    // A dead process does no more: its loops end, and the disk takes nothing from them.
    void replication.close()
  }

  async write(deltas: readonly (readonly Pointer[])[]): Promise<readonly DeltaId[]> {
    return (await this.#alive().writer.write(deltas)).deltas
  }

  holds(id: DeltaId): boolean {
    return this.#alive().store.delta(this.#namespace, id) !== undefined
  }

  status(): SyncStatus {
    return this.#alive().replication.status(this.#namespace)
  }

  peerCount(): number {
    return this.#alive().net.peers().length
  }

  #alive(): Life {
    if (this.#life === undefined) throw new Error(`${this.name} is down`)
    return this.#life
  }
}
