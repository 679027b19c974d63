/** The network of a node by its options: the one place that names the libp2p implementation. */

import { join } from 'node:path'
import type { Net } from '../net/net.ts'
import { makeFolder } from './folder.ts'
import { defaultHome } from './home.ts'
import type { Identity } from './identity.ts'
import type { NodeOptions } from './options.ts'

const REGISTRY = 'registry'
const PEERS_MAX = 1_000

/** The network stack is loaded when it is needed: commands that work offline start without it. */
export async function openNet(options: NodeOptions, identity: Identity): Promise<Net> {
  const { openLibp2pNet } = await import('../net/libp2p.ts')
  const network = options.network === false ? {} : (options.network ?? {})
  const {
    listen,
    announce,
    peers,
    seeds,
    relay,
    via,
    dht,
    upnp,
    mdns = true,
    secret,
    allow,
    registry = options.memory !== true,
    log,
    peersMax,
  } = network
  const registryFolder = registry ? await usableFolder(join(options.home ?? defaultHome(), REGISTRY)) : undefined
  return openLibp2pNet({
    identity: { privateKey: identity.seed },
    mdns: mdns ? {} : false,
    ...(listen === undefined ? {} : { listen }),
    ...(announce === undefined ? {} : { announce }),
    ...(peers === undefined ? {} : { peers }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(relay === undefined ? {} : { relay }),
    ...(via === undefined ? {} : { via }),
    ...(dht === undefined ? {} : { dht }),
    ...(upnp === undefined ? {} : { upnp }),
    ...(secret === undefined ? {} : { secret }),
    ...(allow === undefined ? {} : { allow }),
    ...(peersMax === undefined ? {} : { connectionsMax: Math.min(Math.max(1, Math.floor(peersMax)), PEERS_MAX) }),
    ...(registryFolder === undefined ? {} : { registry: { directory: registryFolder } }),
    ...(log === undefined ? {} : { log }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
}

/** Undefined where it cannot be had: one way of finding others less, and the node works without it. */
async function usableFolder(path: string): Promise<string | undefined> {
  return makeFolder(path).then(
    () => path,
    () => undefined,
  )
}
