/**
 * A network behind a router that translates addresses, as at home: hosts inside reach all that the router's own LAN reaches, and
 * nobody reaches them unasked. Made of namespaces, a veth pair per host, and nftables on a host of a LAN that is the router.
 */
import { execFileSync } from 'node:child_process'
import type { Host } from './lan.ts'

/** `keeping` gives what goes out the port that it had inside, as most routers do; `scattering` one at random. */
export type NatKind = 'keeping' | 'scattering'

/** The same behind every router, as it is at home. */
const NETWORK = '192.168.1'

export class Nat implements Disposable {
  readonly inside: Host
  readonly #namespace: string

  /** One host behind `router`, which is a host of a LAN. */
  constructor(router: Host, name: string, kind: NatKind) {
    const routing = namespaceOf(router)
    this.#namespace = `${routing}-${name}`
    const address = `${NETWORK}.2`
    ip(`netns add ${this.#namespace}`)
    ip(`-n ${this.#namespace} link set lo up`)
    ip(`link add eth1 netns ${routing} type veth peer name eth0 netns ${this.#namespace}`)
    ip(`-n ${routing} addr add ${NETWORK}.1/24 dev eth1`)
    ip(`-n ${routing} link set eth1 up`)
    ip(`-n ${this.#namespace} addr add ${address}/24 dev eth0`)
    ip(`-n ${this.#namespace} link set eth0 up`)
    ip(`-n ${this.#namespace} route add default via ${NETWORK}.1`)
    within(router, ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
    within(
      router,
      ['nft', '-f', '-'],
      `table ip nat {
        chain out {
          type nat hook postrouting priority srcnat;
          oifname "eth0" masquerade ${kind === 'scattering' ? 'fully-random' : ''}
        }
        chain unasked {
          type filter hook input priority 0;
          iifname "eth0" ct state new drop
        }
        chain through {
          type filter hook forward priority 0;
          iifname "eth0" ct state new drop
        }
      }`,
    )
    this.inside = { name, address, enter: ['nsenter', `--net=/run/netns/${this.#namespace}`] }
  }

  [Symbol.dispose](): void {
    ip(`netns del ${this.#namespace}`)
  }
}

function namespaceOf({ enter }: Host): string {
  return enter.at(-1)?.replace(/^.*\//, '') ?? ''
}

function ip(words: string): void {
  run(['ip', ...words.split(' ')])
}

function within({ enter }: Host, command: readonly string[], input = ''): void {
  run([...enter, ...command], input)
}

function run([program = '', ...args]: readonly string[], input = ''): void {
  execFileSync(program, args, { input })
}
