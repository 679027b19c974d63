/**
 * Keeps the listening ports mapped by the router of this network, while it is there: looks for it, asks, asks anew before the
 * mapping lapses, and takes it back at the end. What cannot be had is told once, and tried for ever.
 */
import { BlockList, isIPv4 } from 'node:net'
import { type Gateway, GatewayRefusal } from './gateway.ts'
import { EXTERNAL_PORTS_TRIED_MAX, GATEWAY_CALL_MS, PORT_LEASE_S, PORT_RENEWAL_MS, PORT_RETRY_MS } from './limits.ts'

/** UPnP: another machine has that port. */
const CONFLICT = 718
const PORT_MAX = 65_535

/** What is asked of a router. */
export type Router = Pick<Gateway, 'host' | 'localAddress' | 'externalAddress' | 'map' | 'unmap'>

export interface PortMappingOptions {
  /** The routers that answer now. */
  readonly find: (signal: AbortSignal) => Promise<readonly Router[]>
  /** Only ever grows. */
  readonly nowMs: () => number
  /** Resolves after so long, or rejects once the signal says so. */
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>
  /** Multiaddrs of this machine that the node listens on. */
  readonly listening: () => readonly string[]
  /** From now on the node can be reached there. */
  readonly onMapped: (address: string) => void
  /** It can be reached through no router, and why. */
  readonly onFailed: (message: string) => void
  readonly log: (line: string) => void
}

interface Mapping {
  readonly router: Router
  readonly externalPort: number
  /** A multiaddr, without the peer id. */
  readonly address: string
  /** It lapses then. */
  readonly untilMs: number
}

export class PortMapping {
  readonly #options: PortMappingOptions
  readonly #stopping = new AbortController()
  /** By the listening address. */
  #mappings: ReadonlyMap<string, Mapping> = new Map()
  #failure: string | undefined
  #running: Promise<void> | undefined

  constructor(options: PortMappingOptions) {
    this.#options = options
  }

  /** Where others outside reach this node; empty while no router maps a port. */
  addresses(): readonly string[] {
    return [...this.#mappings.values()].map(({ address }) => address)
  }

  start(): void {
    this.#running ??= this.#keep()
  }

  /** What is mapped is given back, as far as the router answers. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    const mappings = [...this.#mappings.values()]
    this.#mappings = new Map()
    const signal = AbortSignal.timeout(GATEWAY_CALL_MS)
    const given = mappings.map(({ router, externalPort }) => router.unmap(externalPort, signal))
    for (const each of await Promise.allSettled(given)) {
      if (each.status === 'rejected')
        this.#options.log(`router: a mapping stays until it lapses: ${String(each.reason)}`)
    }
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping
    const { wait, onFailed } = this.#options
    while (!signal.aborted) {
      const { failure, isFresh } = await this.#renew(signal)
      if (signal.aborted) return
      if (failure !== undefined && failure !== this.#failure) onFailed(failure)
      this.#failure = failure
      await wait(isFresh ? PORT_RENEWAL_MS : PORT_RETRY_MS, signal).catch(() => undefined)
    }
  }

  /** Answers why nothing is mapped, and whether all that is was asked for just now. */
  async #renew(signal: AbortSignal): Promise<{ readonly failure?: string; readonly isFresh: boolean }> {
    const { find, nowMs, log, onMapped } = this.#options
    const before = this.#mappings
    const routers = await find(signal)
    const mappings = new Map(this.#keptBySilent(routers))
    let isFresh = mappings.size === 0
    let failure = 'no router on this network answers UPnP: it may be switched off there'
    for (const router of routers) {
      try {
        const host = await router.externalAddress(signal)
        if (!isPublic(host))
          throw new Error(`its own address (${host || 'none'}) is not public: another router is before it`)
        const ports = this.#ports(router)
        if (ports.length === 0) throw new Error('nothing here listens on its network')
        for (const { listening, port, rest } of ports) {
          const wanted = before.get(listening)?.externalPort ?? port
          const externalPort = await mapNear(router, port, wanted, signal)
          const address = `/ip4/${host}/tcp/${externalPort}${rest}`
          mappings.set(listening, { router, externalPort, address, untilMs: nowMs() + PORT_LEASE_S * 1_000 })
          // What is mapped by now is given back, should this be stopped.
          this.#mappings = new Map([...this.#mappings, ...mappings])
        }
      } catch (error) {
        isFresh = false
        log(`router: ${router.host}: ${String(error)}`)
        failure = `the router at ${router.host} maps no port: ${error instanceof Error ? error.message : String(error)}`
      }
    }
    if (signal.aborted) return { isFresh: false }
    this.#mappings = mappings
    const known = new Set([...before.values()].map(({ address }) => address))
    for (const address of this.addresses()) if (!known.has(address)) onMapped(address)
    return mappings.size === 0 ? { failure, isFresh: false } : { isFresh }
  }

  /** A search is easily lost, and a router soon back: its mappings stand until they lapse, or this machine has left its network. */
  #keptBySilent(answering: readonly Router[]): readonly (readonly [string, Mapping])[] {
    const hosts = new Set(answering.map(({ host }) => host))
    const nowMs = this.#options.nowMs()
    const here = new Set(this.#options.listening())
    return [...this.#mappings].filter(
      ([listening, { router, untilMs }]) => here.has(listening) && !hosts.has(router.host) && nowMs < untilMs,
    )
  }

  #ports({ localAddress }: Router) {
    return this.#options.listening().flatMap((listening) => {
      const match = /^\/ip4\/([\d.]+)\/tcp\/(\d+)(\/ws)?(?:\/p2p\/[^/]+)?$/.exec(listening)
      return match?.[1] === localAddress ? [{ listening, port: Number(match[2]), rest: match[3] ?? '' }] : []
    })
  }
}

/** The wanted port outside, or one of the next where others have it. */
async function mapNear(router: Router, port: number, wanted: number, signal: AbortSignal): Promise<number> {
  for (let tried = 1; ; tried += 1) {
    const externalPort = Math.min(wanted + tried - 1, PORT_MAX)
    try {
      await router.map(port, externalPort, signal)
      return externalPort
    } catch (error) {
      const isTaken = error instanceof GatewayRefusal && error.code === CONFLICT
      if (!isTaken || tried >= EXTERNAL_PORTS_TRIED_MAX) throw error
    }
  }
}

const RESERVED = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  RESERVED.addSubnet(network, bits)
}

function isPublic(host: string): boolean {
  return isIPv4(host) && !RESERVED.check(host)
}
