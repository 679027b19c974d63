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

const BRIDGE_PREFIX = 'rzb'
const PORT_PREFIX = 'rzp'
const HOSTS_MAX = 100

export interface Host {
  readonly name: string
  readonly address: string
  /** What to put in front of a command line so that it runs on this host. It keeps process id, descriptors and signals. */
  readonly enter: readonly string[]
}

interface Port extends Host {
  /** The end of the veth pair that is on the bridge. */
  readonly port: string
  readonly namespace: string
}

export class Lan implements Disposable {
  readonly #id = randomBytes(3).toString('hex')
  readonly #bridge = `${BRIDGE_PREFIX}${this.#id}`
  readonly #ports = new Map<string, Port>()

  constructor(names: readonly string[]) {
    assertAlone()
    // Without an address of their own, bridge and ports are no interfaces to whoever runs beside the hosts.
    ip(
      `link add ${this.#bridge} type bridge`,
      `link set ${this.#bridge} addrgenmode none`,
      `link set ${this.#bridge} up`,
    )
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
    ip(`link set ${this.#port(name).port} down`)
  }

  plug(name: string): void {
    ip(`link set ${this.#port(name).port} up`)
  }

  /** Takes the host's interface away, as a dongle is pulled: address, route, and every multicast group joined there. */
  takeInterface(name: string): void {
    ip(`link del ${this.#port(name).port}`)
  }

  /** An interface of the same name comes, with the address that the host had. */
  giveInterface(name: string): void {
    const { port, namespace, address } = this.#port(name)
    ip(
      `link add ${port} type veth peer name eth0 netns ${namespace}`,
      `link set ${port} addrgenmode none`,
      `link set ${port} master ${this.#bridge} up`,
      `-n ${namespace} addr add ${address}/24 dev eth0`,
      `-n ${namespace} link set eth0 up`,
      `-n ${namespace} route add default dev eth0`,
    )
  }

  /** Takes the address away and gives the host another, as a new lease does. */
  readdress(name: string, address: string): void {
    const { namespace, address: old } = this.#port(name)
    ip(
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
    run(['tc', '-n', namespace], `qdisc replace dev eth0 root tbf rate ${kilobits}kbit burst 32kb latency 400ms`)
  }

  /** Of what is sent to the host, so many packets in a hundred are lost. */
  lose(name: string, percent: number): void {
    this.#nft(name, `insert rule ip lan input numgen random mod 100 < ${percent} drop`)
  }

  /** Bytes that the host has received since it exists. */
  receivedBytes(name: string): number {
    const { namespace } = this.#port(name)
    const [link] = JSON.parse(run(['ip', '-json', '-n', namespace], '-statistics link show eth0')) as LinkStatistics[]
    return link?.stats64.rx.bytes ?? 0
  }

  [Symbol.dispose](): void {
    for (const { namespace } of this.#ports.values()) ip(`netns del ${namespace}`)
    this.#ports.clear()
    ip(`link del ${this.#bridge}`)
  }

  #addHost(name: string): void {
    const index = this.#ports.size + 1
    if (index > HOSTS_MAX) throw new Error(`a LAN has at most ${HOSTS_MAX} hosts`)
    const port = `${PORT_PREFIX}${this.#id}-${index}`
    const namespace = `rz${this.#id}-${name}`
    const address = `10.7.0.${index}`
    ip(`netns add ${namespace}`, `-n ${namespace} link set lo up`)
    this.#ports.set(name, { name, address, port, namespace, enter: ['nsenter', `--net=/run/netns/${namespace}`] })
    this.giveInterface(name)
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
    run(['bridge', 'link', 'set', 'dev', this.#port(name).port, 'state'], state === 'disabled' ? '0' : '3')
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

interface Link {
  readonly ifname: string
  readonly link_type: string
  readonly flags: readonly string[]
}

function assertAlone(): void {
  const links = JSON.parse(run(['ip', '-json'], 'link show')) as Link[]
  const outside = links.filter(
    ({ ifname, link_type, flags }) =>
      flags.includes('UP') && link_type !== 'loopback' && ![BRIDGE_PREFIX, PORT_PREFIX].includes(ifname.slice(0, 3)),
  )
  if (outside.length === 0) return
  const names = outside.map(({ ifname }) => ifname).join(', ')
  throw new Error(`this is no namespace of its own, it has ${names}: run it with \`npm run test:network\``)
}

function ip(...commands: readonly string[]): void {
  for (const command of commands) run(['ip'], command)
}

function run(command: readonly [string, ...string[]], words: string): string {
  const [program, ...first] = command
  return execFileSync(program, [...first, ...words.split(' ')], { encoding: 'utf8' })
}
