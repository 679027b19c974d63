/**
 * What a history happens in: machines with real nodes, a network, virtual time, and a witness of what was promised. It does
 * what actions ask for, and decides nothing by itself: not what happens (actions), nor what must hold (invariants).
 */

import { openNamespaceId } from '../../src/log/namespace.ts'
import { createMemoryNetwork, type MemoryNetwork } from '../../src/net/memory.ts'
import type { Namespace } from '../../src/node/namespace.ts'
import type { Written } from '../../src/node/writer.ts'
import { DETECTORS } from '../../src/sync/members/detector.ts'
import { Machine } from '../../src/testing/machine.ts'
import type { Random } from '../../src/testing/seeded-random.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'
import { NAMESPACE_NAME } from '../support/blocks.ts'
import { chanceFor } from './chance.ts'
import { Follower } from './follower.ts'
import { Receiver } from './receiver.ts'
import { someTopics } from './shards/data.ts'
import { Shards } from './shards/shards.ts'
import { Witness } from './witness.ts'

export interface WorldOptions {
  readonly seed: number
  readonly machines: number
  /** Machines that are never started: others keep their numbers, keys and chance. */
  readonly without: ReadonlySet<number>
  /** Applications subscribe by each kind of delivery, and the failure detector is on. */
  readonly delivers: boolean
  /** The namespace lies in shards; machines hold all of them, some or none, and the failure detector is on. */
  readonly hasShards: boolean
}

/** A machine with what the world keeps beside it. */
export interface Member {
  readonly index: number
  readonly machine: Machine
  readonly follower: Follower
  readonly receiver: Receiver
  /** Its clock as it is when nobody sets it. */
  readonly homeOffsetMs: number
}

const START_MS = Date.UTC(2026, 0, 1)
/** Two of them still admit each other's blocks. */
const OFFSET_MS_MAX = 2 * 60_000

export class World {
  readonly namespace = openNamespaceId(NAMESPACE_NAME)
  readonly time = new VirtualTime(START_MS)
  readonly network: MemoryNetwork
  readonly members: readonly Member[]
  readonly witness: Witness
  readonly delivers: boolean
  /** Undefined where the namespace is one. */
  readonly shards: Shards | undefined
  readonly #hasShards: boolean
  readonly #seed: number

  constructor({ seed, machines, without, delivers, hasShards }: WorldOptions) {
    this.#seed = seed
    this.delivers = delivers
    this.#hasShards = hasShards
    const wire = this.chance('network')
    this.network = createMemoryNetwork({
      schedule: (delayMs, run) => void this.time.schedule(delayMs, run),
      random: () => wire.next(),
      nowMs: () => this.time.nowMs(),
    })
    this.members = Array.from({ length: machines }, (_, index) => this.#member(index)).filter(
      ({ index }) => !without.has(index),
    )
    this.witness = new Witness(this.namespace, this.time, this.members)
    this.shards = hasShards ? new Shards(this) : undefined
  }

  /** Chance for one purpose: the same whatever else happens in the history. */
  chance(purpose: string): Random {
    return chanceFor(this.#seed, purpose)
  }

  /** The member of that index, if it takes part and runs. */
  running(index: number): Member | undefined {
    const member = this.member(index)
    return member?.machine.node === undefined || member.machine.isPaused ? undefined : member
  }

  member(index: number): Member | undefined {
    return this.members.find((member) => member.index === index)
  }

  namespaceOf({ machine }: Member): Namespace {
    if (machine.node === undefined) throw new Error(`${machine.name} is down`)
    return machine.node.namespace(NAMESPACE_NAME)
  }

  /** A disk that answers with errors cannot be opened: the machine stays down. */
  start(member: Member): void {
    const { machine } = member
    if (machine.node !== undefined || machine.isClosing || machine.disk.fault !== 'none') return
    member.machine.start()
    const { store } = member.machine
    if (store === undefined) throw new Error('a machine that was started has a store')
    const isExcused = this.witness.restarted(member)
    this.shards?.keepers.restarted(member, isExcused)
    this.look()
    member.follower.follow(store.instance, this.namespaceOf(member))
    if (this.delivers)
      member.receiver.begin(
        this.namespaceOf(member),
        store,
        this.members.map((other) => other.machine.peerId),
      )
  }

  /** Notes what everybody holds now. */
  look(): void {
    this.witness.look()
    this.shards?.keepers.look()
  }

  powerCut(member: Member, lostShare: number): void {
    const { disk } = member.machine
    const lostCount = Math.ceil(lostShare * disk.unsyncedCount)
    if (lostCount > 0) this.witness.powerCut(member)
    member.machine.powerCut(lostCount)
    // It may start again within the same action, and what it held is lost all the same.
    this.look()
  }

  /** Has a member write: what it acknowledges is to survive. */
  write(member: Member, work: (namespace: Namespace) => Promise<Written>): void {
    const { node, disk } = member.machine
    const isExcused = disk.fault !== 'none'
    work(this.namespaceOf(member)).then(
      (written) => this.witness.acknowledged(member, written),
      (error: unknown) => {
        if (member.machine.node === node && !isExcused && disk.fault === 'none')
          this.witness.violated('writes', `${member.machine.name} could not write: ${String(error)}`)
      },
    )
  }

  /** Everything that keeps machines apart ends, and all of them run, with their own clocks and sound disks. */
  heal(): void {
    this.network.heal()
    this.network.setFaults({ lossRate: 0, duplicateRate: 0 })
    for (const member of this.members) {
      member.machine.resume()
      member.machine.disk.fault = 'none'
      member.machine.clockOffsetMs = member.homeOffsetMs
      this.start(member)
    }
  }

  #member(index: number): Member {
    const random = this.chance(`machine ${index}`)
    const homeOffsetMs = index % 2 === 0 ? 0 : Math.floor((random.next() * 2 - 1) * OFFSET_MS_MAX)
    const machine = new Machine({
      name: `node-${index}`,
      topics: this.#hasShards ? someTopics(this.chance(`topics ${index}`)) : [NAMESPACE_NAME],
      time: this.time,
      network: this.network,
      random,
      durability: index % 3 === 2 ? 'full' : 'normal',
      // What others have placed, or hold there, is found out by starting.
      onUnplaced: () => undefined,
      detector: this.delivers || this.#hasShards ? DETECTORS.lan : DETECTORS.off,
    })
    machine.clockOffsetMs = homeOffsetMs
    return { index, machine, follower: new Follower(machine.name), receiver: new Receiver(machine.name), homeOffsetMs }
  }
}
