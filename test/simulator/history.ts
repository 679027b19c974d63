/**
 * One simulated history: a few nodes, a seed, and everything that can go wrong on the way; then the network heals, and
 * what must hold is checked. Real store logic, real sync, real writers, on virtual time and a network in memory.
 */

import { encode } from '../../src/delta/cbor.ts'
import type { DeltaId, Pointer, Value } from '../../src/delta/delta.ts'
import { negationPointers } from '../../src/delta/delta.ts'
import { toJson } from '../../src/delta/json.ts'
import { recordPointers } from '../../src/delta/record.ts'
import { digestOf } from '../../src/log/frontier.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { createMemoryNetwork, type MemoryNetwork } from '../../src/net/memory.ts'
import { losslessView } from '../../src/view/lossless.ts'
import { NAMESPACE_NAME, runOf, TestLog } from '../support/blocks.ts'
import { SimulatedNode } from './simulated-node.ts'
import { type Random, seededRandom } from '../../src/testing/seeded-random.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

export interface HistoryOptions {
  readonly seed: number
  readonly nodes: number
  /** Steps of a write or a fault, each followed by some virtual time. */
  readonly steps: number
}

export interface HistoryOutcome {
  readonly seed: number
  /** What did not hold; empty when all did. */
  readonly violations: readonly string[]
  readonly blocks: number
  readonly deltas: number
  readonly forks: number
  readonly events: number
  readonly virtualMs: number
}

const START_MS = Date.UTC(2026, 0, 1)
const SKEW_MS_MAX = 4 * 60_000
/** Long enough for clocks that are apart to be due, and for every retry. */
const HEALING_MS_MAX = 30 * 60_000
const HEALING_STEP_MS = 5_000

export async function runHistory(options: HistoryOptions): Promise<HistoryOutcome> {
  const history = new History(options)
  await history.unfold()
  return history.judge()
}

class History {
  readonly #options: HistoryOptions
  readonly #random: Random
  readonly #time = new VirtualTime(START_MS)
  readonly #network: MemoryNetwork
  readonly #nodes: SimulatedNode[]
  readonly #acknowledged = new Set<DeltaId>()
  readonly #violations: string[] = []
  readonly #namespace = openNamespaceId(NAMESPACE_NAME)

  constructor(options: HistoryOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#network = createMemoryNetwork({
      schedule: (delayMs, run) => void this.#time.schedule(delayMs, run),
      random: () => this.#random.next(),
      nowMs: () => this.#time.nowMs(),
    })
    this.#nodes = Array.from(
      { length: options.nodes },
      (_, index) =>
        new SimulatedNode({
          name: `node-${index}`,
          namespace: NAMESPACE_NAME,
          seed: this.#random.bytes(32),
          time: this.#time,
          network: this.#network,
          random: this.#random,
          skewMs: (this.#random.next() * 2 - 1) * (index % 2 === 0 ? 0 : SKEW_MS_MAX),
        }),
    )
  }

  async unfold(): Promise<void> {
    this.#network.setFaults({
      delayMsMin: 0.2,
      delayMsMax: this.#random.pick([1, 20, 400]),
      lossRate: this.#random.pick([0, 0.1, 0.5]),
      duplicateRate: this.#random.pick([0, 0.2]),
      noticeMs: this.#random.pick([500, 10_000]),
    })
    for (const node of this.#nodes) node.start()
    for (let step = 0; step < this.#options.steps; step++) {
      this.#act()
      this.#checkStatus()
      await this.#time.advance(this.#random.pick([1, 50, 500, 3_000, 20_000]))
    }
    await this.#heal()
  }

  judge(): HistoryOutcome {
    const [first, ...others] = this.#nodes as [SimulatedNode, ...SimulatedNode[]]
    const digest = this.#digest(first)
    const views = this.#views(first)
    for (const other of others) {
      if (this.#digest(other) !== digest) this.#violated(`${other.name} has another frontier than ${first.name}`)
      else if (this.#views(other) !== views) this.#violated(`${other.name} shows other views than ${first.name}`)
    }
    for (const node of this.#nodes) {
      const lost = [...this.#acknowledged].filter((id) => !node.holds(id))
      if (lost.length > 0)
        this.#violated(`${node.name} lacks ${lost.length} acknowledged deltas, ${lost[0]} among them`)
      const status = node.status()
      if (status.kind !== 'in-sync') this.#violated(`${node.name} says "${status.kind}" after healing`)
    }
    const { blocks, deltas } = first.store.counts(this.#namespace)
    return {
      seed: this.#options.seed,
      violations: this.#violations,
      blocks,
      deltas,
      forks: first.store.frontier(this.#namespace).filter(({ cut }) => cut !== undefined).length,
      events: this.#time.eventsRun,
      virtualMs: this.#time.nowMs() - START_MS,
    }
  }

  #act(): void {
    const node = this.#random.pick(this.#nodes)
    switch (this.#random.below(18)) {
      case 0:
        return node.isUp ? node.crash() : node.start()
      case 1:
        return this.#partition()
      case 2:
        return this.#network.heal()
      case 3:
        return this.#network.cut(node.peerId, this.#random.pick(this.#nodes).peerId)
      case 4:
        return void this.#network.breakStreams(node.peerId, this.#random.pick(this.#nodes).peerId)
      case 5:
        return this.#write(node, this.#someNegation(node))
      case 6:
        return this.#write(node, Array.from({ length: 40 }, () => this.#someRecord()).flat())
      case 7:
        return this.#fork()
      default:
        return this.#write(node, this.#someRecord())
    }
  }

  #write(node: SimulatedNode, deltas: readonly (readonly Pointer[])[]): void {
    if (!node.isUp || deltas.length === 0) return
    node.write(deltas).then(
      (ids) => ids.forEach((id) => this.#acknowledged.add(id)),
      (error: unknown) => {
        if (node.isUp) this.#violated(`${node.name} could not write: ${String(error)}`)
      },
    )
  }

  /** Somebody signs two continuations of one log, and shows each to another node. */
  #fork(): void {
    const [one, other] = [this.#random.pick(this.#nodes), this.#random.pick(this.#nodes)]
    if (!one.isUp || !other.isUp) return
    const trunk = new TestLog({ logId: Buffer.from(this.#random.bytes(16)).toString('hex') })
    const shared = this.#random.below(3)
    for (let block = 0; block < shared; block++) trunk.append(this.#someRecord())
    const branch = trunk.fork()
    for (let block = 0; block <= this.#random.below(3); block++) {
      trunk.append(this.#someRecord())
      branch.append(this.#someRecord())
    }
    for (const [node, log] of [
      [one, trunk],
      [other, branch],
    ] as const) {
      for (const block of log.blocks) node.store.commit(runOf(block))
    }
  }

  #someRecord(): readonly (readonly Pointer[])[] {
    const id = `r${this.#random.below(12)}`
    const value: Value = this.#random.pick<Value>([
      this.#random.below(1_000),
      `text ${this.#random.below(100)}`,
      null,
      true,
    ])
    return recordPointers('thing', id, { [this.#random.pick(['a', 'b', 'c'])]: value })
  }

  #someNegation(node: SimulatedNode): readonly (readonly Pointer[])[] {
    const known = node.isUp ? [...this.#acknowledged].filter((id) => node.holds(id)) : []
    return known.length === 0 ? [] : [negationPointers(this.#random.pick(known))]
  }

  #partition(): void {
    const peers = this.#nodes.map(({ peerId }) => peerId)
    const left = new Set(peers.filter(() => this.#random.next() < 0.5))
    this.#network.partition(
      [...left],
      peers.filter((peer) => !left.has(peer)),
    )
  }

  /** A node with nobody connected must say so. */
  #checkStatus(): void {
    for (const node of this.#nodes) {
      if (!node.isUp) continue
      const { kind } = node.status()
      if (node.peerCount() === 0 && kind !== 'alone') this.#violated(`${node.name} has no peer and says "${kind}"`)
    }
  }

  async #heal(): Promise<void> {
    this.#network.heal()
    this.#network.setFaults({ lossRate: 0, duplicateRate: 0 })
    for (const node of this.#nodes) if (!node.isUp) node.start()
    for (let spentMs = 0; spentMs < HEALING_MS_MAX; spentMs += HEALING_STEP_MS) {
      await this.#time.advance(HEALING_STEP_MS)
      if (this.#settled()) return
    }
  }

  #settled(): boolean {
    const digests = new Set(this.#nodes.map((node) => this.#digest(node)))
    return digests.size === 1 && this.#nodes.every((node) => node.status().kind === 'in-sync')
  }

  #digest(node: SimulatedNode): string {
    return Buffer.from(digestOf(node.store.frontier(this.#namespace))).toString('hex')
  }

  #views(node: SimulatedNode): string {
    const ids = node.store.entities(this.#namespace, { prefix: '', countMax: 10_000 })
    const views = ids.map((id) => {
      const { deltas, negations } = node.store.entity(this.#namespace, id)
      return toJson(JSON.parse(JSON.stringify(losslessView(id, deltas, negations))) as Value)
    })
    return Buffer.from(encode(views as Value)).toString('base64')
  }

  #violated(what: string): void {
    this.#violations.push(what)
  }
}
