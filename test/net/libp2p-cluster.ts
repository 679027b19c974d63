import { createHash } from 'node:crypto'
import { openLibp2pNet } from '../../src/net/libp2p.ts'
import type { Net } from '../../src/net/net.ts'
import type { Libp2pNetOptions } from '../../src/net/options.ts'
import type { Cluster } from './contract.ts'

/** A key per name, so that a name is always the same peer. */
function seedOf(name: string): Uint8Array {
  return createHash('sha256').update(`test key of ${name}`).digest()
}

/** A node on loopback that discovers nothing by itself. */
export function openOnLoopback(name: string, options: Partial<Libp2pNetOptions> = {}): Promise<Net> {
  return openLibp2pNet({
    identity: { privateKey: seedOf(name) },
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    ...options,
  })
}

/** Nodes that dial all opened before them; a name that is opened again listens where it did. */
export function createLibp2pCluster(): Cluster {
  const nets = new Map<string, Net>()
  const addresses = new Map<string, string>()
  return {
    async open(name, { apart = [] } = {}) {
      const others = [...addresses].filter(([other]) => other !== name && !apart.includes(other))
      const before = addresses.get(name)?.replace(/\/p2p\/.*/, '')
      const net = await openOnLoopback(name, {
        peers: others.map(([, address]) => address),
        ...(before === undefined ? {} : { listen: [before] }),
      })
      nets.set(name, net)
      addresses.set(name, net.addresses()[0] ?? '')
      return net
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...nets.values()].map((net) => net.close()))
    },
  }
}
