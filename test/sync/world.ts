/** Nodes on a network in memory under a virtual clock, for tests of replication: time passes only when the test says so. */

import type { LogKey, Run } from '../../src/log/block.ts'
import { createMemoryNetwork, type MemoryFaults, type MemoryNetwork } from '../../src/net/memory.ts'
import type { Net } from '../../src/net/net.ts'
import { createMemoryDisk, type MemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import type { ReplicationEvent } from '../../src/sync/events.ts'
import type { ReceiptsOptions } from '../../src/sync/delivery/receipts.ts'
import type { MessagesOptions } from '../../src/sync/messages/messages.ts'
import type { MembersOptions } from '../../src/sync/members/members.ts'
import { openReplication, type Replication } from '../../src/sync/replication.ts'
import type { SyncStatus } from '../../src/sync/status.ts'
import { NAMESPACE, NAMESPACE_NAME, signer, START_MS, TestLog, type TestLogOptions } from '../support/blocks.ts'
import { type Random, seededRandom } from '../../src/testing/seeded-random.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

export interface WorldNode {
  readonly number: number
  readonly store: Store
  readonly disk: MemoryDisk
  readonly net: Net
  readonly replication: Replication
  readonly events: ReplicationEvent[]
  /** A log of this node's, which `write` appends to. */
  readonly log: TestLog
  write(count?: number): void
  /** What it holds, in a form that compares. */
  frontier(): string
  status(): SyncStatus['kind']
  /** Events of one kind, oldest first. */
  told<K extends ReplicationEvent['kind']>(kind: K): Extract<ReplicationEvent, { kind: K }>[]
}

const STEP_MS = 1

export interface WorldOptions {
  readonly seed?: number
  readonly faults?: Partial<MemoryFaults>
}

export class World {
  readonly time = new VirtualTime(START_MS)
  readonly random: Random
  readonly network: MemoryNetwork
  readonly nodes: WorldNode[] = []

  constructor(options: WorldOptions = {}) {
    this.random = seededRandom(options.seed ?? 1)
    this.network = createMemoryNetwork({
      schedule: (delayMs, run) => void this.time.schedule(delayMs, run),
      random: () => this.random.next(),
      nowMs: () => this.time.nowMs(),
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    })
  }

  /** A peer that the test plays by hand: on the network, with nothing of ours behind it. */
  stranger(number: number): Net {
    return this.network.open(signer(number).id)
  }

  /** Opens a node whose peer id is that of the signer of its number. */
  open(number: number, options: NodeOptions = {}): WorldNode {
    const { time, random, network } = this
    const disk = options.disk ?? createMemoryDisk({ instance: `${number}`.padStart(32, '0') })
    const store = openMemoryStore({ disk })
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    const net = network.open(signer(number).id)
    const events: ReplicationEvent[] = []
    const log = options.log ?? new TestLog({ signer: signer(number), startMs: START_MS, ...options.logOptions })
    const replication = openReplication({
      store,
      net,
      name: options.name ?? `node ${number}`,
      nowMs: () => time.nowMs() + (options.skewMs ?? 0),
      random: () => random.next(),
      schedule: (delayMs, run) => time.schedule(delayMs, run),
      own: (key: LogKey) => key === log.key,
      intervalMs: options.intervalMs ?? 10_000,
      ...(options.members === undefined
        ? {}
        : {
            members: { signer: signer(number), version: '1.2.3', steadyMs: () => time.nowMs(), ...options.members },
          }),
      ...(options.messages === undefined
        ? {}
        : { messages: { signer: signer(number), steadyMs: () => time.nowMs(), ...options.messages } }),
      ...(options.receipts === undefined
        ? {}
        : {
            receipts: {
              signer: signer(number),
              durability: 'process' as const,
              steadyMs: () => time.nowMs(),
              ...options.receipts,
            },
          }),
    })
    replication.onEvent((event) => events.push(event))
    replication.attach(NAMESPACE, NAMESPACE_NAME)
    const node: WorldNode = {
      number,
      store,
      disk,
      net,
      replication,
      events,
      log,
      write: (count = 1) => {
        for (let index = 0; index < count; index++) store.commit(log.write())
      },
      frontier: () => JSON.stringify(store.frontier(NAMESPACE)),
      status: () => replication.status(NAMESPACE).kind,
      told: <K extends ReplicationEvent['kind']>(kind: K) =>
        events.filter((event): event is Extract<ReplicationEvent, { kind: K }> => event.kind === kind),
    }
    this.nodes.push(node)
    return node
  }

  /** The process dies without a word; what was committed stays on the disk. */
  async crash(node: WorldNode): Promise<void> {
    this.network.crash(node.net.self)
    node.disk.crash()
    this.nodes.splice(this.nodes.indexOf(node), 1)
    await node.replication.close()
  }

  /** Lets time pass until the condition holds; throws when it does not within `deadlineMs` of virtual time. */
  async until(what: string, condition: () => boolean, deadlineMs = 60_000): Promise<void> {
    const endMs = this.time.nowMs() + deadlineMs
    await this.time.advance(0)
    while (!condition()) {
      if (this.time.nowMs() >= endMs) throw new Error(`within ${deadlineMs} ms it did not happen that ${what}`)
      await this.time.advance(STEP_MS)
    }
  }

  equal(): boolean {
    return new Set(this.nodes.map((node) => node.frontier())).size === 1
  }

  async untilEqual(deadlineMs = 60_000): Promise<void> {
    await this.until('all nodes hold the same', () => this.equal(), deadlineMs)
  }
}

export interface NodeOptions {
  /** Gives receipts and asks for them. */
  readonly receipts?: Partial<ReceiptsOptions>
  /** Sends and hears messages that are not data. */
  readonly messages?: Partial<MessagesOptions>
  readonly name?: string
  readonly skewMs?: number
  readonly disk?: MemoryDisk
  readonly log?: TestLog
  readonly logOptions?: TestLogOptions
  readonly intervalMs?: number
  /** Takes part in membership, with options that differ from the usual. Default: it does not. */
  readonly members?: Partial<MembersOptions>
}

export function lengthOf(node: WorldNode, key: LogKey): number {
  return (node.store.logState(NAMESPACE, key)?.seq ?? -1) + 1
}

/** Puts a run into a node's store as if it had been there for long. */
export function give(node: WorldNode, ...runs: readonly Run[]): void {
  node.store.commitAll(runs)
}
