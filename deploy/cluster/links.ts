/**
 * The wiring of a LAN inside a network namespace made for it: bridges, and hosts in namespaces of their own, each with one
 * veth pair to a bridge and a default route, without which multicast fails in silence.
 *
 * Refuses to work where any interface beside loopback and its own is up, and to put on a bridge what is not a veth of its
 * own making: a helper that took the machine's own interface into a bridge did leak multicast once.
 */

import { execFileSync } from 'node:child_process'

const BRIDGE_PREFIX = 'rzb'
const PORT_PREFIX = 'rzp'
const PREFIXES = { bridge: BRIDGE_PREFIX, veth: PORT_PREFIX }

/** A host's two ends. `port` is on the bridge; the other end is `eth0` inside. */
export interface Cable {
  readonly port: string
  /** Its name under /run/netns. */
  readonly namespace: string
  readonly address: string
}

interface Link {
  readonly ifname: string
  readonly link_type: string
  readonly flags: readonly string[]
  readonly linkinfo?: { readonly info_kind?: string }
}

/** Runs `ip` where the LAN is. */
export class Links {
  readonly #within: readonly string[]

  /** `within`: command words that enter the namespace; none where this process is inside. */
  constructor(within: readonly string[] = []) {
    this.#within = within
  }

  /** Throws where this is a machine's own network. */
  assertAlone(): void {
    const outside = this.#list().filter(
      ({ ifname, link_type, flags }) => flags.includes('UP') && link_type !== 'loopback' && !isOwn(ifname),
    )
    if (outside.length === 0) return
    throw new Error(`this is no namespace of its own, it has ${outside.map(({ ifname }) => ifname).join(', ')}`)
  }

  /** Without an address of their own, bridge and ports are no interfaces to whoever runs beside the hosts. */
  addBridge(bridge: string): void {
    this.assertAlone()
    this.ip(`link add ${bridge} type bridge`, `link set ${bridge} addrgenmode none`, `link set ${bridge} up`)
  }

  removeBridge(bridge: string): void {
    this.#assertKind(bridge, 'bridge')
    this.ip(`link del ${bridge}`)
  }

  bridges(): readonly string[] {
    return this.#list()
      .filter(({ ifname, linkinfo }) => ifname.startsWith(BRIDGE_PREFIX) && linkinfo?.info_kind === 'bridge')
      .map(({ ifname }) => ifname)
  }

  addHost(cable: Cable, bridge: string): void {
    this.ip(`netns add ${cable.namespace}`, `-n ${cable.namespace} link set lo up`)
    this.addCable(cable, bridge)
  }

  addCable({ port, namespace, address }: Cable, bridge: string): void {
    this.ip(`link add ${port} type veth peer name eth0 netns ${namespace}`, `link set ${port} addrgenmode none`)
    this.plug(port, bridge)
    this.ip(
      `-n ${namespace} addr add ${address}/24 dev eth0`,
      `-n ${namespace} link set eth0 up`,
      `-n ${namespace} route add default dev eth0`,
    )
  }

  /** Takes the port from the bridge where it is, if any, to this one. */
  plug(port: string, bridge: string): void {
    this.#assertKind(port, 'veth')
    this.#assertKind(bridge, 'bridge')
    this.ip(`link set ${port} master ${bridge} up`)
  }

  ip(...commands: readonly string[]): void {
    for (const command of commands) this.run('ip', command)
  }

  run(program: string, words: string): string {
    const [first = program, ...rest] = [...this.#within, program, ...words.split(' ')]
    return execFileSync(first, rest, { encoding: 'utf8' })
  }

  #assertKind(name: string, kind: 'veth' | 'bridge'): void {
    const link = this.#list().find(({ ifname }) => ifname === name)
    if (name.startsWith(PREFIXES[kind]) && link?.linkinfo?.info_kind === kind) return
    throw new Error(`${name} is no ${kind} of this LAN, and is left alone`)
  }

  #list(): readonly Link[] {
    return JSON.parse(this.run('ip', '-details -json link show')) as Link[]
  }
}

export function bridgeName(lan: string, group = 0): string {
  return `${BRIDGE_PREFIX}${lan}${group === 0 ? '' : `-${group}`}`
}

export function portName(lan: string, index: number): string {
  return `${PORT_PREFIX}${lan}-${index}`
}

function isOwn(name: string): boolean {
  return name.startsWith(BRIDGE_PREFIX) || name.startsWith(PORT_PREFIX)
}
