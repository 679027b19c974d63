/**
 * Names whose DNS records are the peers, asked for anew for ever since what they say changes: `host[:port]`, whose A and AAAA
 * records are nodes at that port (as a Kubernetes headless service gives them) and whose `_dnsaddr` TXT records are
 * multiaddrs; or `/dnsaddr/<name>[/p2p/<id>]`, of which only the TXT records count.
 *
 * Records are hints: whoever answers at an address proves the id that a record names with it. A name that cannot be resolved,
 * or has no records just now, keeps what it said last.
 */
import { lookup, Resolver } from 'node:dns/promises'
import { invalid, type PeerAddress, parsePeerAddress, tcpAddress } from './address.ts'
import * as limits from './limits.ts'
import type { PeerIdText } from './net.ts'

export interface Seed {
  readonly host: string
  /** Where the nodes of its A and AAAA records listen; undefined for a `dnsaddr`, of which they do not count. */
  readonly port?: number
  /** Only this peer of its TXT records. */
  readonly peer?: PeerIdText
}

export interface SeedAddress extends PeerAddress {
  /** The seed as `seedAddress` has it. */
  readonly seed: string
}

function isDnsaddr(text: string): boolean {
  return text.trim().startsWith('/dnsaddr/')
}

/** `host[:port]` (port 4000), `/dns/<name>/tcp/<port>` or `/dnsaddr/<name>[/p2p/<id>]`. Throws RZ_NET_ADDRESS_INVALID. */
export function parseSeed(text: string): Seed {
  if (isDnsaddr(text)) return parseDnsaddr(text.trim())
  const { address } = parsePeerAddress(text)
  const [, family = '', host = '', , port] = address.split('/')
  if (!family.startsWith('dns')) throw invalid(text, 'a seed is a name, and this an address: it is for --peer')
  return { host, port: Number(port) }
}

function parseDnsaddr(text: string): Seed {
  const [, , host = '', ...rest] = text.split('/')
  // What name and id look like is told by the one who reads all addresses.
  const { peer } = parsePeerAddress(['', 'dns', host, 'tcp', '1', ...rest].join('/'))
  return { host, ...(peer === undefined ? {} : { peer }) }
}

/** Peers and seeds as they were typed: addresses to dial, and names to follow. Throws RZ_NET_ADDRESS_INVALID. */
export function readPeers(
  peers: readonly string[],
  seeds: readonly string[],
): { readonly addresses: readonly PeerAddress[]; readonly seeds: readonly Seed[] } {
  return {
    addresses: peers.filter((text) => !isDnsaddr(text)).map(parsePeerAddress),
    seeds: [...peers.filter(isDnsaddr), ...seeds].map(parseSeed),
  }
}

/** A seed as people are told of it. */
export function seedAddress({ host, port, peer }: Seed): string {
  if (port !== undefined) return `/dns/${host}/tcp/${port}`
  return peer === undefined ? `/dnsaddr/${host}` : `/dnsaddr/${host}/p2p/${peer}`
}

export interface SeedsOptions {
  /** Called after each answer, with what all seeds say. */
  readonly onAnswer: (addresses: readonly SeedAddress[]) => void
  /** A name has no records, or cannot be resolved. */
  readonly onFailed: (seed: string, message: string) => void
  /** Whether nobody is connected, so that there is haste. */
  readonly isAlone: () => boolean
  readonly log: (line: string) => void
}

export class Seeds {
  readonly #options: SeedsOptions
  /** By seed, what it said last. */
  readonly #said = new Map<string, readonly SeedAddress[]>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #resolvers = new Set<Resolver>()
  #stopped = false

  constructor(options: SeedsOptions) {
    this.#options = options
  }

  /** Asks at once, and from then on until `stop`. Adding a seed twice changes nothing. */
  add(seed: Seed): void {
    const key = seedAddress(seed)
    if (this.#said.has(key) || this.#stopped) return
    this.#said.set(key, [])
    void this.#follow(seed, key)
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    for (const resolver of this.#resolvers) resolver.cancel()
  }

  async #follow(seed: Seed, key: string): Promise<void> {
    const { addresses, failure } = await this.#ask(seed)
    if (this.#stopped) return
    if (addresses.length === 0) this.#options.onFailed(key, failure)
    else
      this.#said.set(
        key,
        addresses.slice(0, limits.SEED_ADDRESSES_MAX).map((each) => ({ ...each, seed: key })),
      )
    this.#options.onAnswer([...this.#said.values()].flat())
    const intervalMs = this.#options.isAlone() ? limits.SEED_ALONE_INTERVAL_MS : limits.SEED_INTERVAL_MS
    this.#timers.set(
      key,
      setTimeout(() => void this.#follow(seed, key), intervalMs * (0.75 + Math.random() / 2)),
    )
  }

  async #ask({ host, port, peer }: Seed): Promise<Answer> {
    const asked = [this.#dnsaddr(host, peer, 0)]
    if (port !== undefined) asked.push(hostAddresses(host, port))
    const answers = await Promise.all(asked)
    // Most names have no TXT records at all: what is told is about the name itself.
    return { addresses: answers.flatMap(({ addresses }) => addresses), failure: answers.at(-1)?.failure ?? '' }
  }

  /** TXT records of the form `dnsaddr=<multiaddr>`; one that is none is passed over, as is one of another peer. */
  async #dnsaddr(host: string, peer: PeerIdText | undefined, depth: number): Promise<Answer> {
    const name = `_dnsaddr.${host}`
    const resolver = new Resolver({ timeout: limits.DNS_TIMEOUT_MS, tries: 2 })
    this.#resolvers.add(resolver)
    try {
      const records = await resolver.resolveTxt(name)
      const texts = records.map((parts) => parts.join('')).filter((text) => text.startsWith('dnsaddr='))
      const answers: Answer[] = []
      for (const text of texts.slice(0, limits.SEED_ADDRESSES_MAX)) {
        answers.push(await this.#read(text.slice('dnsaddr='.length), depth))
      }
      const addresses = answers.flatMap((answer) => answer.addresses)
      const wanted = addresses.filter((each) => peer === undefined || each.peer === peer)
      return { addresses: wanted, failure: `${name} names no peer that can be dialled` }
    } catch (error) {
      return { addresses: [], failure: failureOf(name, error) }
    } finally {
      this.#resolvers.delete(resolver)
    }
  }

  async #read(text: string, depth: number): Promise<Answer> {
    try {
      if (!isDnsaddr(text)) return { addresses: [parsePeerAddress(text)], failure: '' }
      if (depth + 1 >= limits.DNSADDR_DEPTH_MAX) return { addresses: [], failure: '' }
      const { host, peer } = parseSeed(text)
      return await this.#dnsaddr(host, peer, depth + 1)
    } catch (error) {
      this.#options.log(`seeds: ${String(error)}`)
      return { addresses: [], failure: '' }
    }
  }
}

interface Answer {
  readonly addresses: readonly PeerAddress[]
  /** Why there are none, if there are none. */
  readonly failure: string
}

/** By the system's resolver, which knows search domains (the short names of a cluster) and `/etc/hosts`. */
async function hostAddresses(host: string, port: number): Promise<Answer> {
  try {
    const found = await lookup(host, { all: true })
    const addresses = found.map(({ address }) => ({ address: tcpAddress(address, port) }))
    return { addresses, failure: '' }
  } catch (error) {
    return { addresses: [], failure: failureOf(host, error) }
  }
}

function failureOf(name: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return /ENODATA|ENOTFOUND/.test(code) ? `${name} has no records` : `${name} cannot be resolved (${code})`
}
