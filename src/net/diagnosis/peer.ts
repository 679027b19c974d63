/**
 * Goes the whole way to a peer, step by step, under an identity made for it: name, TCP, secret and handshake, who it is, what
 * it speaks, how long a round trip takes, which topics it is in. It listens nowhere, joins no topic and sends no data, so
 * the peer's own reports do not change.
 */
import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { parsePeerAddress, tcpAddress } from '../address.ts'
import { dialTarget } from '../dialler.ts'
import { createGater } from '../gater.ts'
import type { PeerIdText } from '../net.ts'
import { Outside } from '../outside.ts'
import { createProtector } from '../secret.ts'
import { openStack, type Stack } from '../stack.ts'
import { Standing } from '../standing.ts'
import { type ConnectTry, tryConnect } from './port.ts'

/** What was met on the way, in this order; the last one is where it ended. */
export type PeerStep =
  | { readonly kind: 'resolved'; readonly host: string; readonly addresses: readonly string[] }
  | { readonly kind: 'unresolved'; readonly host: string; readonly why: string }
  | { readonly kind: 'reached'; readonly address: string }
  | { readonly kind: 'unreached'; readonly address: string; readonly outcome: Exclude<ConnectTry, { kind: 'open' }> }
  /** The handshake is done, so the secret is the same and the peer has proved who it is. */
  | { readonly kind: 'met'; readonly peer: PeerIdText }
  | {
      readonly kind: 'unmet'
      readonly code: 'unreachable' | 'secret-mismatch' | 'refused' | 'self' | 'other'
      readonly message: string
    }
  | { readonly kind: 'protocols'; readonly protocols: readonly string[]; readonly agent?: string }
  | { readonly kind: 'round-trip'; readonly roundTripMs: number }
  | { readonly kind: 'no-answer'; readonly why: string }
  /** Of those asked about, the topics that it says it is in. */
  | { readonly kind: 'topics'; readonly topics: readonly string[] }

export interface PeerProbeOptions {
  readonly secret?: string | undefined
  /** Gossip topics that are asked about. */
  readonly topics: readonly string[]
  readonly signal?: AbortSignal | undefined
}

const PING_MS = 5_000
/** A peer tells its topics as soon as gossip flows; one that is in none says nothing. */
const TOPICS_MS = 3_000
const TOPICS_POLL_MS = 50

/** Asks peers; open as long as there are some to ask. */
export class PeerProbe implements AsyncDisposable {
  readonly #stack: Stack
  readonly #outside: Outside
  readonly #options: PeerProbeOptions

  private constructor({ stack, outside }: { stack: Stack; outside: Outside }, options: PeerProbeOptions) {
    this.#stack = stack
    this.#outside = outside
    this.#options = options
  }

  static async open(options: PeerProbeOptions): Promise<PeerProbe> {
    const standing = new Standing(Date.now)
    const outside = new Outside({ hasSecret: options.secret !== undefined, allow: undefined })
    const stack = await openStack({
      seed: new Uint8Array(randomBytes(32)),
      listen: [],
      portFallbackCount: 0,
      connectionsMax: 16,
      standing,
      gater: createGater({ allow: undefined, standing, outside, onRefused: () => {} }),
      protector: createProtector({ secret: options.secret, outside, onMismatch: () => {} }),
      mdns: undefined,
      outside,
      relaying: { serve: undefined, reach: true },
      dht: undefined,
      web: true,
      log: undefined,
    })
    return new PeerProbe({ stack, outside }, options)
  }

  /** `text` as people type it. Throws RZ_NET_ADDRESS_INVALID. */
  async *walk(text: string): AsyncGenerator<PeerStep> {
    const { address, peer } = parsePeerAddress(text)
    const [, family = '', host = '', , port = ''] = address.split('/')
    const resolved = family.startsWith('dns')
      ? await resolve(host, family)
      : { kind: 'resolved' as const, host, addresses: [host] }
    if (isIP(host) === 0) yield resolved
    if (resolved.kind === 'unresolved') return
    const reached = await reach(resolved.addresses, Number(port))
    yield reached
    if (reached.kind !== 'reached') return
    // What was reached is the relay, where the peer is behind one, or speaks WebSocket.
    const beyond = address.split('/').slice(5)
    const dialled = [tcpAddress(reached.address, Number(port)), ...beyond].join('/')
    const target = { key: address, kind: 'address' as const, peer, addresses: [dialled] }
    const met = await dialTarget(target, {
      libp2p: this.#stack.libp2p,
      hasSecret: this.#options.secret !== undefined,
      hasMet: () => false,
      outside: this.#outside,
    })
    if (met.kind === 'failed') {
      yield { kind: 'unmet', code: met.code, message: met.message }
      return
    }
    yield { kind: 'met', peer: met.peer }
    yield await this.#protocols(met.peer)
    yield await this.#ping(met.peer)
    yield { kind: 'topics', topics: await this.#topics(met.peer) }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#stack.libp2p.stop())
  }

  async #protocols(id: PeerIdText): Promise<PeerStep> {
    const peer = await this.#stack.libp2p.peerStore.get(peerIdFromString(id))
    const agent = peer.metadata.get('AgentVersion')
    return {
      kind: 'protocols',
      protocols: peer.protocols,
      ...(agent === undefined ? {} : { agent: Buffer.from(agent).toString('utf8').slice(0, 200) }),
    }
  }

  async #ping(id: PeerIdText): Promise<PeerStep> {
    try {
      const signal = AbortSignal.timeout(PING_MS)
      return {
        kind: 'round-trip',
        roundTripMs: await this.#stack.libp2p.services.ping.ping(peerIdFromString(id), { signal }),
      }
    } catch (error) {
      return { kind: 'no-answer', why: error instanceof Error ? error.message : String(error) }
    }
  }

  async #topics(id: PeerIdText): Promise<readonly string[]> {
    const { pubsub } = this.#stack.libp2p.services
    const shared = () =>
      this.#options.topics.filter((topic) => pubsub.getSubscribers(topic).some((peer) => String(peer) === id))
    const deadlineMs = performance.now() + TOPICS_MS
    while (shared().length === 0 && performance.now() < deadlineMs && this.#options.signal?.aborted !== true) {
      await setTimeout(TOPICS_POLL_MS)
    }
    return shared()
  }
}

async function resolve(host: string, family: string): Promise<Extract<PeerStep, { kind: 'resolved' | 'unresolved' }>> {
  try {
    const wanted = family === 'dns4' ? 4 : family === 'dns6' ? 6 : 0
    const found = await lookup(host, { all: true, family: wanted })
    return { kind: 'resolved', host, addresses: found.map(({ address }) => address) }
  } catch (error) {
    return { kind: 'unresolved', host, why: (error as NodeJS.ErrnoException).code ?? String(error) }
  }
}

/** The first address that answers, else what became of the last. */
async function reach(addresses: readonly string[], port: number): Promise<PeerStep> {
  let last: PeerStep = { kind: 'unreached', address: addresses[0] ?? '', outcome: { kind: 'no-route' } }
  for (const address of addresses) {
    const outcome = await tryConnect(address, port)
    if (outcome.kind === 'open') return { kind: 'reached', address }
    last = { kind: 'unreached', address, outcome }
  }
  return last
}
