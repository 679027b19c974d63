/**
 * `rhizome-node/testing`: a cluster of real nodes in one process, for tests of applications. Network, disks, clocks and chance
 * are simulated: cuts, crashes and hours of time take milliseconds, need no port or file, and are the same at every run.
 *
 * ```ts
 * import { createCluster } from 'rhizome-node/testing'
 *
 * await using cluster = createCluster({ nodes: 3, seed: 1 })
 * await cluster.settle()
 * ```
 */

import type { PeerId } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { digestOf } from '../log/frontier.ts'
import { openNamespaceId } from '../log/namespace.ts'
import { createMemoryNetwork, type MemoryFaults, type MemoryNetwork } from '../net/memory.ts'
import { parseTopics } from '../node/everywhere/topics.ts'
import type { Namespace } from '../node/namespace.ts'
import type { RhizomeNode } from '../node/node.ts'
import { Machine } from './machine.ts'
import { seededRandom } from './seeded-random.ts'
import { VirtualTime } from './virtual-time.ts'

export interface ClusterOptions {
  /** How many nodes: 1 to `CLUSTER_NODES_MAX`. */
  readonly nodes: number
  /** What happens is a function of the seed and of what the test does. Any integer. Default 1. */
  readonly seed?: number
  /** The namespaces that every node holds, the default one first. Default `test`. */
  readonly topics?: readonly string[]
  /** Of single nodes, by index, what they hold instead, such as `shop:*:a-g`. Default: `topics`. */
  readonly topicsOf?: readonly (readonly string[])[]
  /** Of every link: delay, loss and duplication of gossip. Default: 1 ms, and none. */
  readonly network?: Partial<MemoryFaults>
}

export interface SettleOptions {
  /** The most virtual time that it may take. Default an hour. */
  readonly virtualMsMax?: number
}

/** A node of the cluster, over its crashes and restarts. */
export interface ClusterNode {
  /** `node-0`, `node-1` … */
  readonly name: string
  readonly peerId: PeerId
  readonly isUp: boolean
  /** The node as `openNode` gives it, until its next crash. Throws RZ_CLUSTER_NODE_DOWN. */
  readonly node: RhizomeNode
  /** The namespace on it, until its next crash. Default: the first of `topics`. Throws RZ_CLUSTER_NODE_DOWN, RZ_NAMESPACE_UNKNOWN. */
  namespace(name?: string): Namespace
}

export const CLUSTER_NODES_MAX = 100

/** 2026-01-01T00:00Z. */
const START_MS = Date.UTC(2026, 0, 1)
const SETTLE_STEP_MS = 100
const SETTLE_MS_MAX = 3_600_000

/** Nodes that are up and about to find each other. Throws RZ_CLUSTER_INVALID, RZ_NAMESPACE_NAME. */
export function createCluster(options: ClusterOptions): Cluster {
  return new Cluster(options)
}

/** Made by `createCluster`. Time stands still but in `advance` and `settle`; what a node does by itself takes no time. */
export class Cluster implements AsyncDisposable {
  readonly nodes: readonly ClusterNode[]
  readonly #time = new VirtualTime(START_MS)
  readonly #network: MemoryNetwork
  readonly #machines: readonly Machine[]
  /** By node, the group it is in; undefined when there is no partition. */
  #groups: ReadonlyMap<number, number> | undefined

  /** @internal Use `createCluster`. */
  constructor({ nodes, seed = 1, topics = ['test'], topicsOf = [], network }: ClusterOptions) {
    if (!Number.isInteger(nodes) || nodes < 1 || nodes > CLUSTER_NODES_MAX)
      throw invalid(`nodes: ${nodes} is no number from 1 to ${CLUSTER_NODES_MAX}`)
    if (topics.length === 0) throw invalid('topics: a cluster needs one at least')
    const [{ name: first }] = parseTopics([...topics, ...topicsOf.flat()])
    const random = seededRandom(seed)
    this.#network = createMemoryNetwork({
      schedule: (delayMs, run) => void this.#time.schedule(delayMs, run),
      random: () => random.next(),
      nowMs: () => this.#time.nowMs(),
      ...(network === undefined ? {} : { faults: network }),
    })
    this.#machines = Array.from({ length: nodes }, (_, index) => {
      const own = seededRandom(random.below(2 ** 32))
      return new Machine({
        name: `node-${index}`,
        topics: topicsOf[index] ?? topics,
        time: this.#time,
        network: this.#network,
        random: own,
      })
    })
    this.nodes = this.#machines.map((machine) => clusterNode(machine, first))
    for (const machine of this.#machines) machine.start()
  }

  /** The namespace on a node, until the node's next crash. Throws RZ_CLUSTER_INVALID, and as `ClusterNode.namespace`. */
  namespace(index: number, name?: string): Namespace {
    const node = this.nodes[this.#index(index)] as ClusterNode
    return node.namespace(name)
  }

  /** The time that has passed here, as milliseconds since 1970. */
  nowMs(): number {
    return this.#time.nowMs()
  }

  /** Lets so much virtual time pass. */
  async advance(durationMs: number): Promise<void> {
    if (!(durationMs >= 0)) throw invalid(`advance: ${durationMs} is no time to pass`)
    await this.#time.advance(durationMs)
  }

  /**
   * Lets time pass until every node that is up holds what all those hold that it can reach, and knows it. Throws
   * RZ_CLUSTER_UNSETTLED with what they say instead.
   */
  async settle({ virtualMsMax = SETTLE_MS_MAX }: SettleOptions = {}): Promise<void> {
    const endMs = this.#time.nowMs() + virtualMsMax
    do await this.#time.advance(SETTLE_STEP_MS)
    while (!this.#isSettled() && this.#time.nowMs() < endMs)
    if (this.#isSettled()) return
    const states = this.#machines.map(
      ({ name, node }) => `${name} is ${node?.namespaces()[0]?.status().kind ?? 'down'}`,
    )
    throw new RhizomeError(
      'RZ_CLUSTER_UNSETTLED',
      `not in sync after ${virtualMsMax} ms of virtual time: ${states.join(', ')}`,
    )
  }

  /** Cuts the network between the groups; a node in no group is cut from all. It takes the place of an earlier partition. */
  partition(...groups: readonly (readonly number[])[]): void {
    const groupOf = new Map(groups.flatMap((group, number) => group.map((index) => [index, number] as const)))
    if (groupOf.size !== groups.flat().length) throw invalid('partition: a node is in one group at most')
    this.#network.partition(...groups.map((group) => group.map((index) => this.#machine(index).peerId)))
    this.#groups = groupOf
  }

  /** Ends the partition. */
  heal(): void {
    this.#network.heal()
    this.#groups = undefined
  }

  /** Kills the node's process: what was acknowledged stays on its disk, and calls under way fail with RZ_STORE_CLOSED. */
  crash(index: number): void {
    this.#machine(index).kill()
  }

  /** Starts a node that is down upon what its disk holds. */
  restart(index: number): void {
    this.#machine(index).start()
  }

  /** Sets the node's clock so far ahead of the others, or behind them. */
  setClock(index: number, offsetMs: number): void {
    this.#machine(index).clockOffsetMs = offsetMs
  }

  /** Changes delay, loss and duplication of every link from now on. */
  setNetwork(faults: Partial<MemoryFaults>): void {
    this.#network.setFaults(faults)
  }

  /** Closes every node. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #machine(index: number): Machine {
    return this.#machines[this.#index(index)] as Machine
  }

  #index(index: number): number {
    if (this.#machines[index] !== undefined) return index
    throw invalid(`there is no node ${index}: the ${this.#machines.length} nodes are counted from 0`)
  }

  #isSettled(): boolean {
    const numbered = [...this.#machines.entries()].filter(([, { node }]) => node !== undefined)
    const groups = Map.groupBy(numbered, ([index]) =>
      this.#groups === undefined ? 'all' : (this.#groups.get(index) ?? `alone ${index}`),
    )
    return [...groups.values()].every((group) => this.#areEqual(group.map(([, machine]) => machine)))
  }

  /** Of every namespace, shards among them, those that hold it hold the same. */
  #areEqual(machines: readonly Machine[]): boolean {
    const names = new Set(machines.flatMap(({ node }) => node?.namespaces().map(({ name }) => name) ?? []))
    return [...names].every((name) => {
      const holders = machines.filter(({ node }) => node?.namespaces().some((each) => each.name === name))
      const digests = holders.map(({ store }) =>
        Buffer.from(digestOf(store?.frontier(openNamespaceId(name)) ?? [])).toString('hex'),
      )
      const wanted = holders.length === 1 ? 'alone' : 'in-sync'
      return new Set(digests).size === 1 && holders.every(({ node }) => node?.namespace(name).status().kind === wanted)
    })
  }
}

function clusterNode(machine: Machine, topic: string): ClusterNode {
  const running = (): RhizomeNode => {
    if (machine.node !== undefined) return machine.node
    throw new RhizomeError('RZ_CLUSTER_NODE_DOWN', `${machine.name} is down: restart it first`)
  }
  return {
    name: machine.name,
    peerId: machine.peerId,
    get isUp() {
      return machine.node !== undefined
    },
    get node() {
      return running()
    },
    namespace: (name = topic) => running().namespace(name),
  }
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_CLUSTER_INVALID', why)
}
