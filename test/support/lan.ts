/**
 * A LAN of network namespaces on one machine: a bridge, and hosts with one veth each and a default route, without which
 * multicast fails in silence. Cables can be pulled, interfaces taken, frames dropped both ways or one way, links
 * slowed, connections reset.
 *
 * Runs only inside a namespace of its own (test/real-network/alone.sh): it refuses where any interface beside loopback and its
 * own is up, and touches no interface but the veth pairs it made. All of it vanishes with the namespace.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { bridgeName, type Cable, Links, portName } from '../../deploy/cluster/links.ts'

const HOSTS_MAX = 100

export interface Host {
  readonly name: string
  readonly address: string
  /** What to put in front of a command line so that it runs on this host. It keeps process id, descriptors and signals. */
  readonly enter: readonly string[]
}

type Port = Host & Cable

export class Lan implements Disposable {
  readonly #id = randomBytes(3).toString('hex')
  readonly #bridge = bridgeName(this.#id)
  readonly #links = new Links()
  readonly #ports = new Map<string, Port>()
  readonly #network: string

  /** `network` is that of its addresses, the first three bytes. */
  constructor(names: readonly string[], network = '10.7.0') {
    this.#network = network
    this.#links.addBridge(this.#bridge)
    for (const name of names) this.#addHost(name)
  }

  host(name: string): Host {
    return this.#port(name)
  }

  /** No frame passes between this host and the others any more, and nobody is told: its own link stays up. */
  cut(name: string): void {
    this.#portState(name, 'disabled')
  }

  heal(name: string): void {
    this.#portState(name, 'forwarding')
  }

  /** Pulls the cable: the host sees its interface go down, and its route with it. */
  unplug(name: string): void {
    this.#links.ip(`link set ${this.#port(name).port} down`)
  }

  plug(name: string): void {
    this.#links.ip(`link set ${this.#port(name).port} up`)
  }

  /** Takes the host's interface away, as a dongle is pulled: address, route, and every multicast group joined there. */
  takeInterface(name: string): void {
    this.#links.ip(`link del ${this.#port(name).port}`)
  }

  /** An interface of the same name comes, with the address that the host had. */
  giveInterface(name: string): void {
    this.#links.addCable(this.#port(name), this.#bridge)
  }

  /** Takes the address away and gives the host another, as a new lease does. */
  readdress(name: string, address: string): void {
    const { namespace, address: old } = this.#port(name)
    this.#links.ip(
      `-n ${namespace} addr del ${old}/24 dev eth0`,
      `-n ${namespace} addr add ${address}/24 dev eth0`,
      `-n ${namespace} route replace default dev eth0`,
    )
    this.#ports.set(name, { ...this.#port(name), address })
  }

  /** What `from` sends no longer arrives at `to`; the other direction stays. */
  drop(from: string, to: string): void {
    this.#nft(to, `add element ip lan dropped { ${this.#port(from).address} }`)
  }

  allow(from: string, to: string): void {
    this.#nft(to, `delete element ip lan dropped { ${this.#port(from).address} }`)
  }

  dropBetween(a: string, b: string): void {
    this.drop(a, b)
    this.drop(b, a)
  }

  allowBetween(a: string, b: string): void {
    this.allow(a, b)
    this.allow(b, a)
  }

  /** TCP from `from` to `to` is answered with a reset, which ends connections at once, until `allowTcp`. */
  resetTcp(from: string, to: string): void {
    this.#nft(to, `add element ip lan refused { ${this.#port(from).address} }`)
  }

  allowTcp(from: string, to: string): void {
    this.#nft(to, `delete element ip lan refused { ${this.#port(from).address} }`)
  }

  /** Limits what the host can send to so many kilobits a second. */
  slow(name: string, kilobits: number): void {
    const { namespace } = this.#port(name)
    this.#links.run(
      'tc',
      `-n ${namespace} qdisc replace dev eth0 root tbf rate ${kilobits}kbit burst 32kb latency 400ms`,
    )
  }

  /** Of what is sent to the host, so many packets in a hundred are lost. */
  lose(name: string, percent: number): void {
    this.#nft(name, `insert rule ip lan input numgen random mod 100 < ${percent} drop`)
  }

  /** Bytes that the host has received since it exists. */
  receivedBytes(name: string): number {
    const { namespace } = this.#port(name)
    const [link] = JSON.parse(
      this.#links.run('ip', `-json -n ${namespace} -statistics link show eth0`),
    ) as LinkStatistics[]
    return link?.stats64.rx.bytes ?? 0
  }

  [Symbol.dispose](): void {
    for (const { namespace } of this.#ports.values()) this.#links.ip(`netns del ${namespace}`)
    this.#ports.clear()
    this.#links.removeBridge(this.#bridge)
  }

  #addHost(name: string): void {
    const index = this.#ports.size + 1
    if (index > HOSTS_MAX) throw new Error(`a LAN has at most ${HOSTS_MAX} hosts`)
    const namespace = `rz${this.#id}-${name}`
    const cable = { port: portName(this.#id, index), namespace, address: `${this.#network}.${index}` }
    this.#links.addHost(cable, this.#bridge)
    this.#ports.set(name, { ...cable, name, enter: ['nsenter', `--net=/run/netns/${namespace}`] })
    this.#nft(
      name,
      `table ip lan {
        set dropped { type ipv4_addr; }
        set refused { type ipv4_addr; }
        chain input {
          type filter hook input priority 0;
          ip saddr @dropped drop
          ip saddr @refused tcp flags & rst == rst accept
          ip saddr @refused ip protocol tcp reject with tcp reset
        }
      }`,
    )
  }

  #portState(name: string, state: 'disabled' | 'forwarding'): void {
    this.#links.run('bridge', `link set dev ${this.#port(name).port} state ${state === 'disabled' ? 0 : 3}`)
  }

  #nft(name: string, commands: string): void {
    execFileSync('nsenter', [...this.#port(name).enter.slice(1), 'nft', '-f', '-'], { input: commands })
  }

  #port(name: string): Port {
    const port = this.#ports.get(name)
    if (port === undefined) throw new Error(`this LAN has no host ${name}`)
    return port
  }
}

interface LinkStatistics {
  readonly stats64: { readonly rx: { readonly bytes: number } }
}
