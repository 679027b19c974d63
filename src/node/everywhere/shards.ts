/**
 * The shards of the namespaces that a node takes part in: which it holds, taking them over and dropping them. Who else holds
 * them is holders.ts's, what is asked and answered reading.ts's, writing.ts's and answers.ts's. design.md 4.
 */

import type { PeerId, Value } from '../../delta/delta.ts'
import { type ShardRange, shardRangeText } from '../../delta/shard-range.ts'
import { RhizomeError } from '../../errors.ts'
import type { LogKey } from '../../log/block.ts'
import { type NamespaceId, openNamespaceId, shardNamed, shardNameOf } from '../../log/namespace.ts'
import type { Store } from '../../store/store.ts'
import type { Holder } from '../../sync/delivery/holdings.ts'
import type { Asking } from '../../sync/questions/asking.ts'
import type { Replication } from '../../sync/replication.ts'
import { PLACEMENT } from '../definitions.ts'
import { isOfDisk } from '../disk-errors.ts'
import type { Environment } from '../environment.ts'
import type { NodeEvent } from '../events.ts'
import type { Namespace } from '../namespace.ts'
import { checkPlacement } from '../placing.ts'
import type { OwnLogs } from '../own-logs.ts'
import { Carrying } from './carrying.ts'
import { untilElsewhere } from './dropping.ts'
import { Following } from './following.ts'
import { Gathering } from './gathering.ts'
import { Holders } from './holders.ts'
import { ALONE_MS, DROP_AGAIN_MS, DROP_MS, HELD_MAX, TURN_MS } from './limits.ts'
import type { MovedResult, Shard, ShardStatus } from './shard.ts'
import type { Topic } from './topics.ts'
import { waitFor } from './waiting.ts'
import type { Word } from './words.ts'

export interface ShardsParts {
  readonly store: Store
  readonly environment: Environment
  /** This node as a holder. */
  readonly self: Holder
  /** Undefined for a node without a network. */
  readonly replication: () => Replication | undefined
  readonly asking: Asking | undefined
  /** A shard as a namespace of this node, in which it takes no part yet. */
  readonly open: (name: string, parent: Namespace) => { readonly namespace: Namespace; readonly ownLogs: OwnLogs }
  readonly renew: (log: LogKey, why: string) => void
  /** Asserts in shards what this node wrote to the parent before it knew of them. */
  readonly moveOwn: (parent: Namespace) => Promise<MovedResult>
  readonly tell: (event: NodeEvent) => void
  /** Refuses writing, placements among it. */
  readonly keep: boolean
  readonly closing: AbortSignal
}

export interface DropOptions {
  /** Does not ask whether another node has everything: what this one alone holds is lost to the others. Default false. */
  readonly force?: boolean
  /** How long another holder's receipt for everything is waited for, milliseconds. Default 30,000. */
  readonly deadlineMs?: number
}

interface Parent {
  readonly namespace: Namespace
  readonly topic: Topic
  /** Dropped while running: not taken over again by itself. */
  readonly dropped: Set<string>
  /** The placement records that were looked at last. */
  seen: string | undefined
  /** Whether this node knows how it is placed. */
  settled: boolean
  /** Whether records of this node's own may lie in the parent that belong to a shard. */
  /** Whether records of the parent may have to be moved, and whether they are being. */
  isMoveDue: boolean
  isMoving: boolean
}

/** What is noted of a shard in which this node takes part. */
const TAKING = 'taking'
const WHOLE = '1'

export class Shards {
  readonly holders: Holders
  readonly carrying: Carrying
  /** Records that are asked for in one turn. */
  readonly gathering: Gathering
  /** Shards that are held elsewhere and watched here. */
  readonly following: Following
  /** This node as a holder. */
  readonly self: Holder
  readonly #parts: ShardsParts
  readonly #parents = new Map<string, Parent>()
  readonly #shards = new Map<string, Shard>()
  readonly #byId = new Map<NamespaceId, Shard>()
  #cancelTurn: (() => void) | undefined

  constructor(parts: ShardsParts) {
    const { store, environment, self, renew, closing } = parts
    this.#parts = parts
    this.self = self
    this.holders = new Holders(parts)
    const ask = (shard: Shard, word: Word, content: Value, by?: PeerId) => this.holders.ask(shard, word, content, by)
    this.gathering = new Gathering({ environment, ask })
    this.following = new Following({ environment, closing, holders: this.holders })
    this.carrying = new Carrying({
      store,
      environment,
      self,
      renew,
      closing,
      ask,
    })
  }

  /** Takes part in the shards that the topic names, and in those that are placed if it names all. */
  start(topics: readonly Topic[], namespaceOf: (name: string) => Namespace): void {
    for (const topic of topics) {
      const namespace = namespaceOf(topic.name)
      const parent: Parent = {
        namespace,
        topic,
        dropped: new Set(),
        seen: undefined,
        settled: false,
        isMoveDue: false,
        isMoving: false,
      }
      this.#parents.set(topic.name, parent)
      if (topic.shards !== 'all') for (const range of topic.shards) this.#take(this.of(parent.namespace, range))
    }
    // What was written to shards that are not held, in an earlier life, is still to be carried.
    for (const { name } of this.#parts.store.namespaces()) {
      const { parent, range } = shardNamed(name) ?? {}
      const namespace = parent === undefined ? undefined : this.#parents.get(parent)?.namespace
      if (namespace === undefined || range === undefined) continue
      const shard = this.of(namespace, range)
      // This node may be the only one that has it: it holds it until another does.
      const wasHeld = this.#parts.store.note(heldKey(shard)) !== undefined
      if (shard.holding !== 'apart' || !wasHeld || this.#parts.replication() === undefined) continue
      this.#take(shard)
      shard.isLeaving = this.#parents.get(namespace.name)?.topic.shards !== 'all'
    }
    this.#turn()
  }

  close(): void {
    this.#cancelTurn?.()
  }

  /** Has the ranges placed that topics name and nobody has placed yet. Throws RZ_PLACEMENT_OVERLAP, RZ_PLACEMENT_TAKEN. */
  async place(): Promise<void> {
    for (const { namespace, topic } of this.#parents.values()) {
      if (topic.shards === 'all') continue
      for (const range of topic.shards) await this.#place(namespace, range)
    }
  }

  /** The shard of a range, known or not, held or not. */
  of(parent: Namespace, range: ShardRange): Shard {
    const name = shardNameOf(parent.name, range)
    const known = this.#shards.get(name)
    if (known !== undefined) return known
    const opened = this.#parts.open(name, parent)
    const shard: Shard = {
      name,
      id: openNamespaceId(name),
      range,
      parent,
      ...opened,
      holding: 'apart',
      isLeaving: false,
      sinceMs: 0,
      preferred: undefined,
      writing: Promise.resolve(),
      isMissed: false,
    }
    this.#shards.set(name, shard)
    this.#byId.set(shard.id, shard)
    return shard
  }

  /**
   * Whether this node knows by now how the namespace is placed: one that holds parts must not take what it has not heard of yet for
   * what is not placed. One that holds all of it writes to the parent meanwhile, and moves that later.
   */
  isSettled(parent: Namespace): boolean {
    const known = this.#parents.get(parent.name)
    if (known === undefined || known.settled || known.topic.shards === 'all') return true
    const { replication, store } = this.#parts
    const noted = `settled/${parent.id}`
    const isSettled =
      replication() === undefined ||
      store.note(noted) !== undefined ||
      parent.status().kind === 'in-sync' ||
      this.holders.isSettled
    if (!isSettled) return false
    known.settled = true
    if (replication() !== undefined) store.setNote(noted, '1')
    return true
  }

  /** Throws RZ_STORE_CLOSED. */
  async untilSettled(parent: Namespace): Promise<void> {
    const { environment, closing } = this.#parts
    while (!this.isSettled(parent)) await waitFor(DROP_AGAIN_MS, environment, closing)
  }

  /** Resolves once what was written in this turn of the event loop is committed. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#parts.environment.defer(resolve))
  }

  /** What this node had lost, and wrote before it knew how the namespace is placed, may have to be moved. */
  ownCame(namespace: NamespaceId): void {
    for (const parent of this.#parents.values()) if (parent.namespace.id === namespace) this.#moveSoon(parent)
  }

  byId(id: NamespaceId): Shard | undefined {
    return this.#byId.get(id)
  }

  /** Those that this node takes part in. */
  attached(): readonly Shard[] {
    return [...this.#shards.values()].filter(({ holding }) => holding !== 'apart')
  }

  /** Whether this node answers for it. */
  isHere(shard: Shard): boolean {
    if (shard.holding === 'taking' && this.#isWhole(shard)) this.#becomeHolder(shard)
    return shard.holding === 'held'
  }

  /** Throws RZ_SHARD_UNKNOWN, RZ_PLACEMENT_OVERLAP, RZ_PLACEMENT_TAKEN; places the range if nobody has. */
  async hold(name: string): Promise<void> {
    const { parent, range } = this.#named(name)
    await this.#place(parent.namespace, range)
    parent.dropped.delete(name)
    const shard = this.of(parent.namespace, range)
    shard.isLeaving = false
    this.#take(shard)
  }

  /**
   * Ends taking part, once another holder has given its receipt for everything here; what is here stays on the disk. Throws
   * RZ_SHARD_UNKNOWN, RZ_SHARD_LAST_COPY.
   */
  async drop(name: string, { force = false, deadlineMs = DROP_MS }: DropOptions = {}): Promise<void> {
    const { parent, range } = this.#named(name)
    const shard = this.of(parent.namespace, range)
    if (shard.holding === 'apart' || shard.holding === 'dropping') return
    const before = shard.holding
    shard.holding = 'dropping'
    try {
      if (!force) await untilElsewhere(shard, deadlineMs, { ...this.#parts, holders: this.holders })
    } catch (error) {
      shard.holding = before
      throw error
    }
    parent.dropped.add(name)
    shard.holding = 'apart'
    shard.isLeaving = false
    this.#parts.store.setNote(heldKey(shard), undefined)
    if (!force) this.carrying.noteAll(shard)
    await this.#parts.replication()?.detach(shard.id)
  }

  /** By name; of one namespace, or of all. */
  status(parent?: string): readonly ShardStatus[] {
    const wanted = [...this.#parents.values()].filter(
      ({ namespace }) => parent === undefined || namespace.name === parent,
    )
    return wanted.flatMap(({ namespace }) => {
      const placed = namespace.placements.ranges
      for (const range of placed) this.of(namespace, range)
      const texts = new Set(placed.map(shardRangeText))
      return [...this.#shards.values()]
        .filter((shard) => shard.parent === namespace)
        .map((shard) => this.#statusOf(shard, texts.has(shardRangeText(shard.range))))
        .filter((status) => status.isPlaced || status.state !== 'unheld' || status.waitingBlocks > 0)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  #statusOf(shard: Shard, isPlaced: boolean): ShardStatus {
    const holders = this.holders.of(shard)
    const apart = holders.length > 0 ? 'elsewhere' : 'unheld'
    this.isHere(shard)
    return {
      name: shard.name,
      range: shardRangeText(shard.range),
      state: shard.holding === 'apart' ? apart : shard.isLeaving ? 'dropping' : shard.holding,
      holders,
      waitingBlocks: shard.holding === 'apart' ? this.carrying.waitingBlocks(shard) : 0,
      isPlaced,
    }
  }

  #named(name: string): { readonly parent: Parent; readonly range: ShardRange } {
    const { parent, range } = shardNamed(name) ?? {}
    const known = parent === undefined ? undefined : this.#parents.get(parent)
    if (known !== undefined && range !== undefined) return { parent: known, range }
    throw new RhizomeError(
      'RZ_SHARD_UNKNOWN',
      `"${name}" is no shard of a namespace that this node takes part in: such as "${[...this.#parents.keys()][0] ?? 'shop'}:*:a-g"`,
    )
  }

  // ------------------------------------------------------------------------------------------------------ taking over

  async #place(namespace: Namespace, range: ShardRange): Promise<void> {
    if (namespace.placements.has(range)) return
    checkPlacement(namespace.name, namespace.placements, range)
    if (!this.#parts.keep) await namespace.place(shardRangeText(range))
  }

  #take(shard: Shard): void {
    if (shard.holding !== 'apart') return
    const { store, replication, environment } = this.#parts
    if (this.attached().length + this.#parents.size >= HELD_MAX) {
      throw new RhizomeError('RZ_PLACEMENT_INVALID', `a node holds at most ${HELD_MAX} namespaces and shards`)
    }
    // It gives receipts from now on, and holds the shard after a crash as well.
    if (replication() !== undefined && store.note(heldKey(shard)) === undefined) store.setNote(heldKey(shard), TAKING)
    shard.holding = 'taking'
    shard.sinceMs = environment.steadyMs()
    replication()?.attach(shard.id, shard.name)
  }

  /** It has been whole before, or it has all that those have who are there. */
  #isWhole(shard: Shard): boolean {
    const { store, replication, environment } = this.#parts
    if (store.note(heldKey(shard)) === WHOLE) return true
    const { topic } = this.#parents.get(shard.parent.name) ?? {}
    // Offline there is nobody to ask: it is whole if this node is told to hold it, and by itself only once it has been.
    if (replication() === undefined) return topic?.shards !== 'all'
    const others = this.holders.members(shard).filter(({ connected }) => connected)
    if (others.length === 0) return environment.steadyMs() - shard.sinceMs >= ALONE_MS
    const status = replication()?.status(shard.id)
    return status?.kind === 'in-sync' && others.every(({ peer }) => status.peers.includes(peer))
  }

  /** A node that cannot note it, with a disk that is full say, is none yet: it would not know it after a restart. */
  #becomeHolder(shard: Shard): void {
    const { store, replication, tell } = this.#parts
    try {
      if (replication() !== undefined) store.setNote(heldKey(shard), WHOLE)
    } catch (error) {
      if (isOfDisk(error)) return
      throw error
    }
    shard.holding = 'held'
    tell({ kind: 'shard', namespace: shard.parent.name, shard: shard.name, change: 'held' })
  }

  // ------------------------------------------------------------------------------------------------------ turns

  #turn(): void {
    try {
      this.#lookAround()
    } catch (error) {
      // What could not be noted is tried again in the next turn.
      if (!isOfDisk(error)) throw error
    }
    this.#cancelTurn = this.#parts.environment.schedule(TURN_MS, () => {
      if (this.#parts.closing.aborted) return
      this.#turn()
    })
  }

  #lookAround(): void {
    for (const parent of this.#parents.values()) {
      this.#takePlaced(parent)
      if (parent.isMoveDue && !parent.isMoving) void this.#move(parent)
    }
    for (const shard of this.#shards.values()) {
      this.isHere(shard)
      this.#lookAt(shard)
      if (shard.isLeaving && shard.holding === 'held' && this.holders.members(shard).length > 0) void this.#leave(shard)
    }
  }

  /** Placement records that came are found by their ids alone: it is done every second. */
  #takePlaced(parent: Parent): void {
    const { namespace, topic } = parent
    const ids = this.#parts.store.entities(namespace.id, { prefix: `${PLACEMENT}/`, countMax: 1_024 }).join(' ')
    if (ids === parent.seen) return
    this.#moveSoon(parent)
    for (const range of namespace.placements.ranges) {
      const shard = this.of(namespace, range)
      if (topic.shards !== 'all' || parent.dropped.has(shard.name)) continue
      if (this.attached().length + this.#parents.size < HELD_MAX) this.#take(shard)
    }
    parent.seen = ids
  }

  #moveSoon(parent: Parent): void {
    if (!this.#parts.keep && !parent.namespace.placements.isEmpty) parent.isMoveDue = true
  }

  /** What cannot be moved now is tried again in the next turn. */
  async #move(parent: Parent): Promise<void> {
    parent.isMoving = true
    parent.isMoveDue = false
    try {
      const { records, isMoreDue } = await this.#parts.moveOwn(parent.namespace)
      if (records > 0) this.#parts.tell({ kind: 'records-moved', namespace: parent.namespace.name, records })
      // It may have become due meanwhile, too.
      if (isMoreDue) parent.isMoveDue = true
    } catch (error) {
      if (!(error instanceof RhizomeError)) throw error
      parent.isMoveDue = true
    } finally {
      parent.isMoving = false
    }
  }

  /** One look at who has everything; the next turn looks again. */
  async #leave(shard: Shard): Promise<void> {
    try {
      await this.drop(shard.name, { deadlineMs: 0 })
    } catch (error) {
      if (!(error instanceof RhizomeError)) throw error
    }
  }

  #lookAt(shard: Shard): void {
    if (shard.holding !== 'apart') return
    const holders = this.holders.members(shard)
    const isHeld = holders.length > 0
    if (isHeld) this.carrying.attend(shard, holders)
    const { tell, replication } = this.#parts
    if (isHeld === !shard.isMissed || !this.holders.isSettled || replication() === undefined) return
    if (!shard.parent.placements.has(shard.range)) return
    shard.isMissed = !isHeld
    tell({ kind: 'shard', namespace: shard.parent.name, shard: shard.name, change: isHeld ? 'reached' : 'unheld' })
  }
}

function heldKey({ id }: Shard): string {
  return `whole/${id}`
}
