/**
 * `RhizomeNode`: opens store, network and replication, wires them, and closes them in reverse order.
 * Owns no rule of its own: what happens to data is decided in the rooms below. design.md 6.
 */

import { hostname } from 'node:os'
import type { PeerId } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import type { LogKey } from '../log/block.ts'
import { type NamespaceId, openNamespaceId } from '../log/namespace.ts'
import type { Net } from '../net/net.ts'
import type { Store } from '../store/store.ts'
import { type DetectorOptions, parseDetector } from '../sync/members/detector.ts'
import type { OwnClock } from '../sync/members/own-clock.ts'
import type { HeldDurability } from '../sync/delivery/message.ts'
import { Answering } from '../sync/questions/answering.ts'
import { Asking } from '../sync/questions/asking.ts'
import { openReplication, type Replication } from '../sync/replication.ts'
import { parseMembers } from './delivery/declared.ts'
import { type DeliveryParts, durabilityOf } from './delivery/until.ts'
import { type Environment, machineEnvironment } from './environment.ts'
import { answererOf } from './everywhere/answers.ts'
import { ChangeBell } from './everywhere/change-bell.ts'
import { Everywhere } from './everywhere/everywhere.ts'
import { moveOwn } from './everywhere/moving.ts'
import type { ShardStatus } from './everywhere/shard.ts'
import { type DropOptions, Shards } from './everywhere/shards.ts'
import { parseTopics, type Topic } from './everywhere/topics.ts'
import type { NodeEvent } from './events.ts'
import { type Holding, Holdings } from './holdings.ts'
import { HybridClock } from './hybrid-clock.ts'
import { DEFAULT_IDENTITY, type Identity, type IdentitySummary } from './identity.ts'
import { checkNodeOptions, checkOptions } from './known-options.ts'
import { type LocalContexts, localContexts } from './local-contexts.ts'
import { NamespaceMembers } from './members.ts'
import { NamespaceMessages } from './messages.ts'
import { Namespace } from './namespace.ts'
import { openNet } from './network.ts'
import { Observers } from './observers.ts'
import { describeDirectory, type Kept, openKept } from './opening.ts'
import type { NodeOptions } from './options.ts'
import { type PeersOptions, type PeerSummary, summarise } from './peers.ts'
import { followCuts, type Reasserting, reassertSetAside } from './reassert.ts'
import { VERSION } from './version.ts'

/** A note that nobody writes: looking for it reads the store, and finds nothing. */
const NEVER_NOTED = 'never'

/**
 * Opens a node: its store, its identity, and, unless `network` is false, its connections.
 * Throws RZ_OPTION_UNKNOWN, RZ_NAMESPACE_NAME, RZ_STORE_LOCKED, RZ_STORE_UNWRITABLE, RZ_STORE_NEWER, RZ_STORE_DAMAGED, RZ_IDENTITY_INVALID,
 * RZ_NODE_SECRET_DIFFERS, RZ_NET_PORT_TAKEN, RZ_PLACEMENT_INVALID, RZ_PLACEMENT_OVERLAP, RZ_PLACEMENT_TAKEN, RZ_NET_ADDRESS_INVALID, RZ_DETECTOR_INVALID, RZ_DELIVERY_INVALID, and RZ_DEFINITION_INVALID or RZ_RULE_… for a context; then nothing stays open.
 */
export async function openNode(options: NodeOptions): Promise<RhizomeNode> {
  checkNodeOptions(options)
  const topics = parseTopics(options.topics)
  const contexts = localContexts(options.contexts, options.context)
  const detector = parseDetector(options.detector ?? 'lan')
  const members = options.members && parseMembers(options.members)
  await using opening = new AsyncDisposableStack()
  const kept = await openKept(options, topics)
  const { store, identities, directory } = kept
  opening.use(store)
  for (const { name } of topics) store.openNamespace(openNamespaceId(name), name)
  const name = options.name ?? hostname()
  if (directory !== undefined) await describeDirectory(directory, { name, store, options })
  const net = options.network === false ? undefined : await openNet(options, identities[0])
  if (net !== undefined) opening.use(net)
  const { keep = false, functions = false } = options
  const environment = machineEnvironment()
  const node = new RhizomeNode({
    ...kept,
    name,
    topics: options.topics,
    net,
    keep,
    functions,
    contexts,
    environment,
    detector,
    members,
    durability: durabilityOf(options),
  })
  opening.move()
  await using placing = new AsyncDisposableStack()
  placing.use(node)
  await node.placeShards()
  placing.move()
  return node
}

/** What a node is put together from: `openNode` opens them, `testing` has its own. The topics' names are open in the store. */
export interface NodeParts extends Kept {
  readonly name: string
  /** As `NodeOptions.topics`. */
  readonly topics: readonly string[]
  readonly net: Net | undefined
  readonly keep: boolean
  readonly functions: boolean | readonly PeerId[]
  readonly contexts: LocalContexts
  readonly environment: Environment
  /** Default: `lan`. */
  readonly detector?: DetectorOptions
  /** The declared ones. Default: none are. */
  readonly members?: readonly PeerId[] | undefined
  /** What its commits survive. */
  readonly durability: HeldDurability
}

/** An open node. Made by `openNode`. */
export class RhizomeNode implements AsyncDisposable {
  readonly name: string
  /** The node's identity: the default creator of what it writes, and its address on the network. */
  readonly peerId: PeerId
  /** Where the data lies; undefined for a node that keeps nothing. */
  readonly directory: string | undefined
  readonly version: string = VERSION
  readonly startedAtMs: number

  readonly #store: Store
  readonly #net: Net | undefined
  readonly #replication: Replication | undefined
  readonly #identities: readonly [Identity, ...Identity[]]
  readonly #clock: HybridClock
  readonly #environment: Environment
  readonly #keep: boolean
  readonly #functions: boolean | readonly PeerId[]
  readonly #contexts: LocalContexts
  readonly #delivery: Pick<NodeParts, 'members' | 'detector' | 'durability'>
  /** Of the topics, then of shards, those that are not held here among them. */
  readonly #holdings: Holdings
  readonly #topics: readonly Topic[]
  readonly #shards: Shards
  readonly #asking: Asking | undefined
  readonly #answering: Answering | undefined
  readonly #observers = new Observers()
  readonly #closing = new AbortController()
  readonly #following: Promise<void>
  /** Work that ends before the store closes. */
  readonly #working = new Set<Promise<void>>()
  #closed: Promise<void> | undefined

  /** @internal Use `openNode`. */
  constructor(parts: NodeParts) {
    this.#environment = parts.environment
    this.startedAtMs = parts.environment.nowMs()
    this.name = parts.name
    this.directory = parts.directory
    this.#identities = parts.identities
    this.peerId = parts.identities[0].signer.id
    this.#store = parts.store
    this.#keep = parts.keep
    this.#functions = parts.functions
    this.#contexts = parts.contexts
    this.#delivery = {
      members: parts.members,
      durability: parts.durability,
      ...(parts.detector && { detector: parts.detector }),
    }
    this.#net = parts.net
    this.#clock = new HybridClock({ nowMs: parts.environment.nowMs, admitted: () => parts.store.latestTime() })
    this.#holdings = new Holdings({ ...parts, clock: this.#clock, tell: (event) => this.#observers.tell(event) })
    this.#replication = parts.net === undefined ? undefined : this.#replicate(parts.net, parts.detector)
    this.#topics = parseTopics(parts.topics)
    this.#asking = parts.net && new Asking({ net: parts.net, schedule: parts.environment.schedule })
    this.#shards = this.#makeShards()
    this.#answering = parts.net && this.#answer(parts.net)
    for (const { name } of this.#topics) {
      this.#open(name)
      const shards = () => this.#shards.attached().filter(({ parent }) => parent.name === name)
      this.#replication?.attach(openNamespaceId(name), name, () => shards().map(({ id }) => id))
    }
    this.#observe()
    this.#shards.start(this.#topics, (name) => this.namespace(name))
    this.#following = this.#followCuts()
  }

  /** Multiaddrs that others can dial; empty without a network. */
  addresses(): readonly string[] {
    return this.#net?.addresses() ?? []
  }

  /** In the order of `topics`: the first is the default. Then the shards that this node holds. */
  namespaces(): readonly Namespace[] {
    const shards = this.#shards.attached().map(({ namespace }) => namespace)
    return [...this.#topics.map(({ name }) => this.namespace(name)), ...shards]
  }

  /** Throws RZ_NAMESPACE_UNKNOWN for one that this node does not hold. */
  namespace(name: string): Namespace {
    const namespace = this.#holdings.named(name)
    const isHeld = namespace?.parent === undefined || this.#shards.attached().some((shard) => shard.name === name)
    if (namespace !== undefined && isHeld) return namespace
    throw unknownNamespace(name, this.#heldNames())
  }

  /** Shards of one namespace, or of all: who holds them, and what waits for a holder. */
  shards(name?: string): readonly ShardStatus[] {
    return this.#shards.status(name)
  }

  /**
   * Takes over a shard (`shop:*:a-g`) until this node stops; with the topic of that name it does so at every start. It answers for
   * it once it has what the other holders have. A range that nobody has placed is placed. Throws RZ_SHARD_UNKNOWN, RZ_PLACEMENT_….
   */
  hold(shard: string): Promise<void> {
    return this.#shards.hold(shard)
  }

  /**
   * Holds a shard no longer, until this node stops: once another holder has given its receipt for everything here, unless
   * `force` says otherwise. What is here stays on the disk, and is not answered from. Throws RZ_SHARD_UNKNOWN, RZ_SHARD_LAST_COPY.
   */
  drop(shard: string, options: DropOptions = {}): Promise<void> {
    return this.#shards.drop(shard, options)
  }

  /** @internal Has the ranges placed that topics name. */
  placeShards(): Promise<void> {
    return this.#shards.place()
  }

  /**
   * The namespace wherever its records are held: reads and writes that say who answered. Throws RZ_NAMESPACE_UNKNOWN for one
   * that this node takes no part in.
   */
  everywhere(name: string): Everywhere {
    const namespace = this.namespace(name)
    return new Everywhere({
      self: this.peerId,
      namespace,
      shards: this.#shards,
      contexts: this.#contexts,
      clock: this.#clock,
      creatorOf: (identity) => this.#holdings.identity(identity ?? DEFAULT_IDENTITY).signer.id,
      environment: this.#environment,
      instance: this.#store.instance,
      closing: this.#closing.signal,
    })
  }

  /** Differs whenever positions of an earlier life of its data no longer hold: after a restore or a repair. 32 hex digits. */
  get instance(): string {
    return this.#store.instance
  }

  /** Contexts of its own configuration: those pinned, and the one in which it reads unless told otherwise. */
  contexts(): { readonly pinned: readonly string[]; readonly standard?: string } {
    const { pinned, standard } = this.#contexts
    return { pinned: [...pinned.keys()], ...(standard !== undefined && { standard }) }
  }

  /** This node as `peers` shows others. */
  self(): PeerSummary {
    return {
      id: this.peerId,
      name: this.name,
      self: true,
      connected: true,
      addresses: this.addresses(),
      namespaces: this.#heldNames(),
      state: 'self',
      version: VERSION,
    }
  }

  /** Peers that are connected, and with `all` every member that is known; without this node. */
  peers(options: PeersOptions = {}): readonly PeerSummary[] {
    checkOptions('peers', options)
    if (this.#net === undefined || this.#replication === undefined) return []
    return summarise(this.#net.peers(), this.namespaces(), this.#replication, options)
  }

  /** This node's clock by those of its connected peers; undefined while none is known. Nothing is adjusted by it. */
  ownClock(): OwnClock | undefined {
    return this.#replication?.ownClock()
  }

  /** Reads once, and little, from the store: for a supervisor. Throws RZ_STORE_CLOSED, RZ_STORE_FAILED or RZ_STORE_DAMAGED. */
  checkReadable(): void {
    this.#store.note(NEVER_NOTED)
  }

  /** The identities that can write here, the default one first. */
  identities(): readonly IdentitySummary[] {
    return this.#identities.map(({ name, signer }) => ({ name, id: signer.id, isDefault: name === DEFAULT_IDENTITY }))
  }

  /**
   * Observes; answers the function that stops observing. The first listener is told what happened while the node opened.
   * A listener that throws is a bug of its owner, and is not caught.
   */
  onEvent(listener: (event: NodeEvent) => void): () => void {
    return this.#observers.add(listener)
  }

  /**
   * Asserts again, in a new log, what this node's identities had written, a repair had to set aside, and no peer has given
   * back. Answers the number of deltas. For after a repair; twice writes twice.
   */
  reassertSetAside(): Promise<number> {
    return reassertSetAside(this.#reasserting())
  }

  /** Writes what waits, takes leave of peers and closes the store. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await using closing = new AsyncDisposableStack()
    this.#shards.close()
    this.#asking?.close()
    this.#answering?.close()
    closing.use(this.#store)
    if (this.#net !== undefined) closing.use(this.#net)
    if (this.#replication !== undefined) closing.use(this.#replication)
    this.#holdings.close()
    this.#closing.abort(new RhizomeError('RZ_STORE_CLOSED', 'the node was closed'))
    await Promise.all([this.#following, ...this.#working])
  }

  #awaitEnd(ended: Promise<void>): void {
    this.#working.add(ended)
    void ended.then(() => this.#working.delete(ended))
  }

  #replicate(net: Net, detector?: DetectorOptions): Replication {
    return openReplication({
      store: this.#store,
      net,
      name: this.name,
      nowMs: this.#environment.nowMs,
      steadyMs: this.#environment.steadyMs,
      random: this.#environment.random,
      schedule: this.#environment.schedule,
      own: (log) => this.#holdings.hasWritten(log),
      receipts: {
        signer: this.#identities[0].signer,
        durability: this.#delivery.durability,
        steadyMs: this.#environment.steadyMs,
      },
      messages: { signer: this.#identities[0].signer, steadyMs: this.#environment.steadyMs },
      members: {
        signer: this.#identities[0].signer,
        version: VERSION,
        steadyMs: this.#environment.steadyMs,
        onOwnClock: (clock) => this.#observers.tell({ kind: 'own-clock', clock }),
        ...(detector === undefined ? {} : { detector }),
      },
    })
  }

  #makeShards(): Shards {
    return new Shards({
      store: this.#store,
      environment: this.#environment,
      self: { peer: this.peerId, durability: this.#delivery.durability },
      replication: () => this.#replication,
      asking: this.#asking,
      keep: this.#keep,
      open: (name, parent) => {
        this.#store.openNamespace(openNamespaceId(name), name)
        return this.#open(name, parent)
      },
      renew: (log, why) => this.#holdings.leave(log, why),
      moveOwn: (parent) => moveOwn(parent, this.everywhere(parent.name), this.peerId),
      tell: (event) => this.#observers.tell(event),
      closing: this.#closing.signal,
    })
  }

  #answer(net: Net): Answering {
    const answer = answererOf({
      store: this.#store,
      shards: this.#shards,
      replication: () => this.#replication,
      environment: this.#environment,
      bell: new ChangeBell(this.#store),
    })
    const { schedule, steadyMs } = this.#environment
    return new Answering({ net, schedule, steadyMs, answer })
  }

  #heldNames(): readonly string[] {
    return this.namespaces().map(({ name }) => name)
  }

  /** Makes the namespace known here; it takes part in nothing yet. */
  #open(name: string, parent?: Namespace): Holding {
    const id = openNamespaceId(name)
    const namespace = new Namespace(name, id, {
      store: this.#store,
      writer: (identity) => this.#holdings.writer(name, identity ?? DEFAULT_IDENTITY),
      status: () => this.#replication?.status(id) ?? { kind: 'alone' },
      waitForSync: (signal) => this.#waitForSync(id, signal),
      members: new NamespaceMembers(() => this.#replication, id),
      messages: new NamespaceMessages(() => this.#replication, id),
      delivery: this.#deliveryOf(id),
      keep: this.#keep,
      // Functions that are records follow the log that holds them.
      functions: parent === undefined && this.#functions,
      signer: this.#identities[0].signer,
      closing: this.#closing.signal,
      tell: (event) => this.#observers.tell(event),
      awaitEnd: (ended) => this.#awaitEnd(ended),
      contexts: this.#contexts,
      environment: this.#environment,
      ...(parent && { parent }),
    })
    return this.#holdings.add(namespace)
  }

  #deliveryOf(namespace: NamespaceId): DeliveryParts {
    const { members, detector, durability } = this.#delivery
    return {
      store: this.#store,
      namespace,
      replication: () => this.#replication,
      self: { peer: this.peerId, durability },
      members,
      detects: detector?.kind !== 'off',
      environment: this.#environment,
      closing: this.#closing.signal,
    }
  }

  #waitForSync(id: NamespaceId, signal: AbortSignal) {
    if (this.#replication !== undefined) return this.#replication.waitForSync(id, { signal })
    throw new RhizomeError(
      'RZ_NODE_OFFLINE',
      'the node was opened with `network: false`: it has nobody to be in sync with',
    )
  }

  #observe(): void {
    this.#net?.onEvent((event) => this.#observers.tell({ kind: 'network', event }))
    this.#replication?.onEvent((event) => {
      if (event.kind === 'own-log-ahead') this.#ownLogAhead(event)
      this.#observers.tell({ kind: 'replication', namespace: this.#holdings.nameOf(event.namespace), event })
    })
  }

  #ownLogAhead({ namespace, log }: { readonly namespace: NamespaceId; readonly log: LogKey }): void {
    this.#holdings.leave(log, 'a peer holds more of it than this node does')
    this.#shards.ownCame(namespace)
  }

  #followCuts(): Promise<void> {
    return followCuts({
      ...this.#reasserting(),
      schedule: this.#environment.schedule,
      own: (namespace, log) => this.#holdings.hasWritten(log, namespace),
      signal: this.#closing.signal,
    })
  }

  #reasserting(): Reasserting {
    return {
      store: this.#store,
      write: (namespace, creator, deltas) => this.#holdings.writerOf(namespace, creator)?.write(deltas),
      onReasserted: (namespace, deltas) =>
        this.#observers.tell({ kind: 'reasserted', namespace: this.#holdings.nameOf(namespace), deltas }),
    }
  }
}

/** Throws RZ_NAMESPACE_UNKNOWN with what there is instead. */
function unknownNamespace(name: string, names: readonly string[]): RhizomeError {
  return new RhizomeError(
    'RZ_NAMESPACE_UNKNOWN',
    `this node does not hold "${name}"; it holds ${names.join(', ')}: start it with --topic ${name} as well`,
  )
}
