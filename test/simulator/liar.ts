/**
 * Peers that lie, over the network in memory: each with a key of its own, in the namespace's topic, and beyond that whatever
 * its lie is. What honest nodes do about them is nowhere told here: they must come together all the same.
 */

import { hashText } from '../../src/delta/identifiers.ts'
import { type BlockHash, type LogKey, logKeyOf } from '../../src/log/block.ts'
import type { FrontierEntry } from '../../src/log/frontier.ts'
import { topicOf } from '../../src/log/namespace.ts'
import { type Signer, signerOf } from '../../src/log/signature.ts'
import type { Net, NetStream } from '../../src/net/net.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { encodeGossipHead, encodeGossipRun } from '../../src/sync/gossip-message.ts'
import { SYNC_PROTOCOL } from '../../src/sync/limits.ts'
import { openReplication } from '../../src/sync/replication.ts'
import { encodeFrame } from '../../src/sync/wire.ts'
import type { Random } from '../../src/testing/seeded-random.ts'
import { claim, NAMESPACE_NAME, TestLog } from '../support/blocks.ts'
import type { World } from './world.ts'

export interface Lie {
  readonly kind: string
  readonly begin: (liar: Liar) => void
}

interface Liar {
  readonly world: World
  readonly net: Net
  readonly signer: Signer
  readonly random: Random
}

const AGAIN_MS = 4_000
/** The collection of forged records. */
export const FORGED = 'forged'

export const LIES: readonly Lie[] = [
  { kind: 'false-frontier', begin: (liar) => replicate(liar, inventedLogs(liar)) },
  { kind: 'withheld-payload', begin: withhold },
  { kind: 'forgery', begin: forge },
  { kind: 'garbage', begin: throwGarbage },
  { kind: 'slow-reader', begin: readNothing },
]

export function openLiar(world: World, lie: Lie, seed: Uint8Array): void {
  const signer = signerOf(seed)
  const net = world.network.open(signer.id)
  lie.begin({ world, net, signer, random: world.chance(`liar ${signer.id}`) })
}

/**
 * Takes part as a node does, and claims logs that are not there. It waits for others to open sessions: what it claims keeps it
 * from ever being done, and it would open one after the other.
 */
function replicate({ world, net, random }: Liar, claims: readonly FrontierEntry[], store = openMemoryStore()): void {
  store.openNamespace(world.namespace, NAMESPACE_NAME)
  const replication = openReplication({
    store: claiming(store, claims),
    net: overriding(net, { open: () => Promise.reject(new Error('it opens no sessions')) }),
    name: 'liar',
    nowMs: () => world.time.nowMs(),
    random: () => random.next(),
    schedule: (delayMs, run) => world.time.schedule(delayMs, run),
  })
  replication.attach(world.namespace, NAMESPACE_NAME)
}

/** Logs of nobody, and more blocks of logs that somebody has. */
function inventedLogs({ world, random }: Liar): readonly FrontierEntry[] {
  const real = world.members.flatMap(({ machine }) => machine.store?.frontier(world.namespace) ?? []).slice(0, 2)
  const invented = Array.from({ length: 3 }, () => ({
    log: logKeyOf(signerOf(random.bytes(32)).id, Buffer.from(random.bytes(16)).toString('hex')),
  }))
  return [...invented, ...real].map(({ log, ...rest }) => ({
    log,
    seq: ('seq' in rest ? (rest.seq ?? 0) : 0) + 1 + random.below(40),
    hash: hashText(random.bytes(32)) as BlockHash,
  }))
}

/** The store, with heads that it has no blocks of. */
function claiming(store: Store, claims: readonly FrontierEntry[]): Store {
  return overriding(store, {
    logState: (namespace, log) => claims.find((claimed) => claimed.log === log) ?? store.logState(namespace, log),
    frontierChanges: (namespace, after) => {
      const { revision, entries } = store.frontierChanges(namespace, after)
      const isClaimed = (log: LogKey): boolean => claims.some((claimed) => claimed.log === log)
      const honest = entries.filter(({ log }) => !isClaimed(log))
      return { revision: revision + 1, entries: after === 0 ? [...claims, ...honest] : honest }
    },
  })
}

/** The same, with other methods in place of some. */
function overriding<Whole extends object>(whole: Whole, others: Partial<Whole>): Whole {
  return new Proxy(whole, {
    get: (target, key) => {
      const value: unknown = Reflect.get(key in others ? others : target, key, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}

/** Announces signed blocks of its own again and again, and never gives one out. */
function withhold(liar: Liar): void {
  const { world, net, signer } = liar
  const log = new TestLog({ signer, startMs: world.time.nowMs() - 1_000 })
  for (let block = 0; block < 20; block++) log.append()
  const head = log.blocks.at(-1)
  const { dependency } = log
  replicate(liar, [{ log: log.key, seq: dependency.seq, hash: dependency.hash }])
  const tell = (): void => {
    if (head !== undefined) void net.publish(topicOf(NAMESPACE_NAME), encodeGossipHead(head))
    world.time.schedule(AGAIN_MS, tell)
  }
  tell()
}

/** Signs in the name of a node, by gossip and by sync. */
function forge(liar: Liar): void {
  const { world, net, signer, random } = liar
  const victim = random.pick(world.members).machine.peerId
  const store = openMemoryStore()
  replicate(liar, [], store)
  const log = new TestLog({
    signer: { id: victim, sign: (message) => signer.sign(message) },
    logId: Buffer.from(random.bytes(16)).toString('hex'),
    host: signer.id,
    startMs: world.time.nowMs() - 1_000,
  })
  const forgeSome = (): void => {
    const run = log.write([claim(FORGED, `${log.blocks.length}`, 'by', 'a liar')])
    store.commit(run)
    void net.publish(topicOf(NAMESPACE_NAME), encodeGossipRun(run))
    world.time.schedule(AGAIN_MS, forgeSome)
  }
  forgeSome()
}

/** Random bytes on the topic and on streams. */
function throwGarbage({ world, net, random }: Liar): void {
  const topic = topicOf(NAMESPACE_NAME)
  net.join(
    topic,
    () => 'accept',
    () => undefined,
  )
  net.handle(SYNC_PROTOCOL, async (stream) => stream.send(random.bytes(200)))
  const throwSome = (): void => {
    void net.publish(topic, random.bytes(10 + random.below(500)))
    for (const { id } of net.peers()) void toStream(net, id, (stream) => stream.send(random.bytes(50)))
    world.time.schedule(AGAIN_MS, throwSome)
  }
  throwSome()
}

/** Opens sessions, asks to be told everything, and reads nothing. */
function readNothing({ world, net, random }: Liar): void {
  net.join(
    topicOf(NAMESPACE_NAME),
    () => 'ignore',
    () => undefined,
  )
  net.handle(SYNC_PROTOCOL, () => Promise.withResolvers<void>().promise)
  const ask = (): void => {
    for (const { id } of net.peers()) {
      void toStream(net, id, async (stream) => {
        await stream.send(
          encodeFrame({
            kind: 'hello',
            namespace: world.namespace,
            name: 'slow',
            digest: random.bytes(32),
            logs: 1,
            token: { instance: Buffer.from(random.bytes(16)).toString('hex'), position: 0 },
            clockMs: world.time.nowMs(),
          }),
        )
        await stream.send(encodeFrame({ kind: 'compare', items: [{ kind: 'list', prefix: '', entries: [] }] }))
        await stream.send(encodeFrame({ kind: 'turn', final: false }))
      })
    }
    world.time.schedule(AGAIN_MS, ask)
  }
  ask()
}

/** What a peer makes of it is the peer's affair. */
async function toStream(net: Net, peer: string, work: (stream: NetStream) => Promise<void>): Promise<void> {
  try {
    await work(await net.open(peer, SYNC_PROTOCOL, { signal: new AbortController().signal }))
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
}
