/**
 * Keeps the listening ports mapped by the router of this network, while it is there: looks for it, asks, asks anew before the
 * mapping lapses, and takes it back at the end. What cannot be had is told once, and tried for ever.
 */
import { BlockList, isIPv4 } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { findGateways, type Gateway, GatewayRefusal } from './gateway.ts'
import { EXTERNAL_PORTS_TRIED_MAX, GATEWAY_CALL_MS, PORT_RENEWAL_MS, PORT_RETRY_MS } from './limits.ts'

/** UPnP: another machine has that port. */
const CONFLICT = 718
const PORT_MAX = 65_535

export interface PortMappingOptions {
  /** Multiaddrs of this machine that the node listens on. */
  readonly listening: () => readonly string[]
  /** From now on the node can be reached there. */
  readonly onMapped: (address: string) => void
  /** It can be reached through no router, and why. */
  readonly onFailed: (message: string) => void
  readonly log: (line: string) => void
}

interface Mapping {
  readonly gateway: Gateway
  readonly externalPort: number
  /** A multiaddr, without the peer id. */
  readonly address: string
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
    const given = mappings.map(({ gateway, externalPort }) => gateway.unmap(externalPort, signal))
    for (const each of await Promise.allSettled(given)) {
      if (each.status === 'rejected')
        this.#options.log(`router: a mapping stays until it lapses: ${String(each.reason)}`)
    }
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const failure = await this.#renew(signal)
      if (signal.aborted) return
      if (failure !== undefined && failure !== this.#failure) this.#options.onFailed(failure)
      this.#failure = failure
      await wait(failure === undefined ? PORT_RENEWAL_MS : PORT_RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Answers why nothing is mapped; undefined when something is. */
  async #renew(signal: AbortSignal): Promise<string | undefined> {
    const before = this.#mappings
    const mappings = new Map<string, Mapping>()
    let failure = 'no router on this network answers UPnP: it may be switched off there'
    for (const gateway of await findGateways(signal)) {
      try {
        const host = await gateway.externalAddress(signal)
        if (!isPublic(host))
          throw new Error(`its own address (${host || 'none'}) is not public: another router is before it`)
        const ports = this.#ports(gateway)
        if (ports.length === 0) throw new Error('nothing here listens on its network')
        for (const { listening, port, rest } of ports) {
          const wanted = before.get(listening)?.externalPort ?? port
          const externalPort = await mapNear(gateway, port, wanted, signal)
          mappings.set(listening, { gateway, externalPort, address: `/ip4/${host}/tcp/${externalPort}${rest}` })
          this.#mappings = new Map([...this.#mappings, ...mappings])
        }
      } catch (error) {
        this.#options.log(`router: ${gateway.host}: ${String(error)}`)
        failure = `the router at ${gateway.host} maps no port: ${error instanceof Error ? error.message : String(error)}`
      }
    }
    if (signal.aborted) return undefined
    this.#mappings = mappings
    const known = new Set([...before.values()].map(({ address }) => address))
    for (const address of this.addresses()) if (!known.has(address)) this.#options.onMapped(address)
    return mappings.size === 0 ? failure : undefined
  }

  #ports({ localAddress }: Gateway) {
    return this.#options.listening().flatMap((listening) => {
      const match = /^\/ip4\/([\d.]+)\/tcp\/(\d+)(\/ws)?(?:\/p2p\/[^/]+)?$/.exec(listening)
      return match?.[1] === localAddress ? [{ listening, port: Number(match[2]), rest: match[3] ?? '' }] : []
    })
  }
}

/** The wanted port outside, or one of the next where others have it. */
async function mapNear(gateway: Gateway, port: number, wanted: number, signal: AbortSignal): Promise<number> {
  for (let tried = 1; ; tried += 1) {
    const externalPort = Math.min(wanted + tried - 1, PORT_MAX)
    try {
      await gateway.map(port, externalPort, signal)
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
