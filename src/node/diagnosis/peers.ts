/** The way to each peer, a finding a step; and what that told of the namespaces that it holds. */

import { RhizomeError } from '../../errors.ts'
import { multiaddrHostPort } from '../../net/address.ts'
import { askSeed } from '../../net/diagnosis/seed.ts'
import { PeerProbe, type PeerStep } from '../../net/diagnosis/peer.ts'
import { SYNC_PROTOCOL } from '../../sync/limits.ts'
import { HEARTBEAT_PROTOCOL, ROLL_PROTOCOL } from '../../sync/members/limits.ts'
import type { Finding, HeardNode, PeerFound, Verdict } from './finding.ts'
import type { DiagnoseOptions, RunningPeer } from './options.ts'

/** Without these two nodes of this version exchange nothing. */
const PROTOCOLS = [SYNC_PROTOCOL, HEARTBEAT_PROTOCOL, ROLL_PROTOCOL] as const
const GOSSIP_PROTOCOL = /^\/meshsub\//
const OURS = /^\/rhizome\//
/** Peers that were not named are a sample, and so are those that one name stands for. */
const FOUND_MAX = 3
const SEED_ADDRESSES_MAX = 8
const DNSADDR = '/dnsaddr/'

export interface Examining extends DiagnoseOptions {
  readonly own: string | undefined
  /** Those that answered by multicast. */
  readonly heard: readonly HeardNode[]
  /** By gossip topic, the namespace. */
  readonly gossipTopics: ReadonlyMap<string, string>
}

/** A peer that was met, and the namespaces that it shares. */
export interface Examined {
  readonly id: string
  readonly topics: readonly string[]
}

/** A finding a step; `met` is given those that were met. */
export async function* examinePeers(
  addresses: readonly string[],
  examining: Examining,
  met: Examined[],
): AsyncGenerator<Finding> {
  if (addresses.length === 0) {
    const { running, peers = [], seeds = [] } = examining
    const isConnected = running?.peers.some(({ connected }) => connected) === true
    if (!isConnected && peers.length + seeds.length === 0) yield { check: 'peer', verdict: 'skip', kind: 'peers-none' }
    return
  }
  const { gossipTopics, secret, signal } = examining
  await using probe = await PeerProbe.open({ secret, topics: [...gossipTopics.keys()], signal })
  for (const address of addresses) {
    signal?.throwIfAborted()
    yield* examineOne(probe, address, examining, met)
  }
}

/** What the names say whose records are peers: a finding for each; `addresses` is given the peers. */
export async function* askSeeds(
  { peers = [], seeds = [], running }: DiagnoseOptions,
  addresses: string[],
): AsyncGenerator<Finding> {
  const own = new Set(running?.addresses.map(placeOf))
  for (const seed of [...seeds, ...peers.filter((text) => text.startsWith(DNSADDR))]) {
    const found = await answerOf(seed)
    if ('kind' in found) {
      yield { check: 'peer', verdict: 'fail', peer: seed, ...found }
      continue
    }
    const { host, why, addresses: said } = found
    if (said.length === 0) yield { check: 'peer', verdict: 'fail', peer: seed, kind: 'peer-unresolved', host, why }
    else yield { check: 'peer', verdict: 'pass', peer: seed, kind: 'peer-resolved', host, addresses: said }
    // Where a name stands for many, this node is one of them.
    addresses.push(...said.filter((address) => !own.has(placeOf(address))).slice(0, SEED_ADDRESSES_MAX))
  }
}

async function answerOf(seed: string): Promise<Awaited<ReturnType<typeof askSeed>> | PeerFound> {
  try {
    return await askSeed(seed)
  } catch (error) {
    if (!(error instanceof RhizomeError) || error.code !== 'RZ_NET_ADDRESS_INVALID') throw error
    return { kind: 'peer-address', why: error.message }
  }
}

function placeOf(address: string): string {
  const { host, port } = multiaddrHostPort(address) ?? {}
  return `${host} ${port}`
}

/** Those given, by whatever name; else those that answered by multicast or are known, and are not connected to the running node. */
export function addressesToTry(
  { peers = [], seeds = [], heard, running, own }: Pick<Examining, 'peers' | 'seeds' | 'heard' | 'running' | 'own'>,
  /** What the names said. */
  seeded: readonly string[],
): readonly string[] {
  if (peers.length + seeds.length > 0) return [...peers.filter((text) => !text.startsWith(DNSADDR)), ...seeded]
  const connected = new Set(running?.peers.filter((peer) => peer.connected).map(({ id }) => id))
  const found = new Map(heard.map(({ id, address }) => [id, address]))
  for (const { id, addresses } of running?.peers ?? []) if (!found.has(id)) found.set(id, firstOf(addresses))
  return [...found]
    .filter(([id, address]) => id !== own && !connected.has(id) && address !== '')
    .map(([, address]) => address)
    .slice(0, FOUND_MAX)
}

function firstOf(addresses: RunningPeer['addresses']): string {
  return addresses[0] ?? ''
}

async function* examineOne(
  probe: PeerProbe,
  address: string,
  { own, running, secret, gossipTopics }: Examining,
  met: Examined[],
): AsyncGenerator<Finding> {
  const tell = (verdict: Verdict, found: PeerFound): Finding => ({ check: 'peer', verdict, peer: address, ...found })
  let id = ''
  try {
    for await (const step of probe.walk(address)) {
      if (step.kind === 'met') id = step.peer
      if (step.kind === 'met' && step.peer === own) {
        const isItself = running !== undefined
        if (isItself) yield tell('warn', { kind: 'peer-self', id })
        else yield { check: 'identity', verdict: 'fail', kind: 'identity-twin', peer: id, address }
        return
      }
      if (step.kind === 'topics') {
        const topics = step.topics.map((topic) => gossipTopics.get(topic) ?? topic)
        met.push({ id, topics })
        if (gossipTopics.size === 0) return
        if (topics.length > 0) yield tell('pass', { kind: 'peer-shares', topics })
        else yield tell('fail', { kind: 'peer-shares-none', topics: [...gossipTopics.values()] })
        return
      }
      const [verdict, found] = judgeStep(step, secret !== undefined)
      yield tell(verdict, found)
      if (found.kind === 'peer-stranger') return
    }
  } catch (error) {
    if (!(error instanceof RhizomeError) || error.code !== 'RZ_NET_ADDRESS_INVALID') throw error
    yield tell('fail', { kind: 'peer-address', why: error.message })
  }
}

export function judgeStep(
  step: Exclude<PeerStep, { kind: 'topics' }>,
  hasSecret: boolean,
): readonly [Verdict, PeerFound] {
  switch (step.kind) {
    case 'resolved':
      return ['pass', { kind: 'peer-resolved', host: step.host, addresses: step.addresses }]
    case 'unresolved':
      return ['fail', { kind: 'peer-unresolved', host: step.host, why: step.why }]
    case 'reached':
      return ['pass', { kind: 'peer-reached', address: step.address }]
    case 'unreached':
      return ['fail', unreached(step)]
    case 'met':
      return ['pass', { kind: 'peer-met', id: step.peer }]
    case 'unmet':
      return ['fail', unmet(step, hasSecret)]
    case 'protocols':
      return judgeProtocols(step)
    case 'round-trip':
      return ['pass', { kind: 'peer-answers', roundTripMs: step.roundTripMs }]
    case 'no-answer':
      return ['fail', { kind: 'peer-no-answer', why: step.why }]
  }
}

function unreached({ address, outcome }: Extract<PeerStep, { kind: 'unreached' }>): PeerFound {
  if (outcome.kind === 'failed') return { kind: 'peer-unreached', address, why: outcome.why }
  return { kind: `peer-${outcome.kind}`, address }
}

function unmet({ code, message }: Extract<PeerStep, { kind: 'unmet' }>, hasSecret: boolean): PeerFound {
  if (code === 'secret-mismatch') return { kind: 'peer-secret', hasSecret }
  if (code === 'refused') return { kind: 'peer-hung-up', why: message }
  return { kind: 'peer-other', why: message }
}

function judgeProtocols({
  protocols,
  agent = 'unknown',
}: Extract<PeerStep, { kind: 'protocols' }>): readonly [Verdict, PeerFound] {
  const speaks = protocols.filter((protocol) => OURS.test(protocol))
  if (speaks.length === 0) return ['fail', { kind: 'peer-stranger', agent }]
  const missing: string[] = PROTOCOLS.filter((protocol) => !protocols.includes(protocol))
  if (!protocols.some((protocol) => GOSSIP_PROTOCOL.test(protocol))) missing.push('gossip')
  if (missing.length > 0) return ['fail', { kind: 'peer-version', missing, speaks }]
  return ['pass', { kind: 'peer-speaks', protocols: speaks, agent }]
}
