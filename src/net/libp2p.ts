/**
 * Opens the real network: libp2p over TCP, Noise and yamux, GossipSub, mDNS. It makes the parts from the options and gives
 * them to `libp2p-net.ts`, which is the port. design.md 4, stack-notes.md, containers.md.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { isRelayed, isWeb, parsePeerAddress } from './address.ts'
import { RhizomeError } from '../errors.ts'
import { createGater } from './gater.ts'
import { findGateways } from './gateway.ts'
import { Libp2pNet } from './libp2p-net.ts'
import { CONNECTIONS_MAX } from './limits.ts'
import { MdnsDiscovery } from './mdns.ts'
import type { Net } from './net.ts'
import { Notices } from './notices.ts'
import {
  DEFAULT_LISTEN,
  DEFAULT_MDNS,
  DEFAULT_PORT_FALLBACK_COUNT,
  type Libp2pNetOptions,
  type RelayChoice,
} from './options.ts'
import { Outside } from './outside.ts'
import { createProtector } from './secret.ts'
import { PortMapping } from './port-mapping.ts'
import { readPeers } from './seeds.ts'
import { openStack } from './stack.ts'
import { Standing } from './standing.ts'

/**
 * Listening when it resolves; dialling goes on from then until `close`.
 * Throws RZ_NET_ADDRESS_INVALID, RZ_NET_PORT_TAKEN, RZ_NET_RELAY_SECRET, and the signal's reason.
 */
export async function openLibp2pNet(options: Libp2pNetOptions): Promise<Net> {
  const { signal, secret, log } = options
  signal?.throwIfAborted()
  const { addresses, seeds } = readPeers(options.peers ?? [], options.seeds ?? [])
  const via = (options.via ?? []).map(parsePeerAddress)
  const announce = (options.announce ?? []).map(announcedAddress)
  const serve = relayChoice(options)
  const { dht: hasDht = false } = options
  // Who is met in the DHT may be reached through a relay alone.
  const canReachRelays = hasDht || via.length > 0 || addresses.some(({ address }) => isRelayed(address))
  const canReachWeb = [...via, ...addresses].some(({ address }) => isWeb(address))
  const allow = options.allow && new Set(options.allow)
  const outside = new Outside({ hasSecret: secret !== undefined, allow })
  const standing = new Standing(Date.now)
  const notices = new Notices(Date.now)
  const mdnsOptions = options.mdns === false ? undefined : { ...DEFAULT_MDNS, ...options.mdns }
  const mdns = mdnsOptions && new MdnsDiscovery({ ...mdnsOptions, log: (line) => log?.(line) })
  const { connectionsMax = CONNECTIONS_MAX } = options
  let portMapping: PortMapping | undefined
  const stack = await openStack({
    connectionsMax,
    seed: options.identity.privateKey,
    listen: options.listen ?? DEFAULT_LISTEN,
    portFallbackCount: options.portFallbackCount ?? (options.listen === undefined ? DEFAULT_PORT_FALLBACK_COUNT : 0),
    standing,
    gater: createGater({
      allow,
      standing,
      outside,
      onRefused: (peer, address, message) =>
        notices.tell(peer, { kind: 'dial-failed', address, code: 'refused', message }),
    }),
    protector: createProtector({
      secret,
      outside,
      onMismatch: (address, message) =>
        notices.tell(hostOf(address), { kind: 'dial-failed', address, code: 'secret-mismatch', message }),
    }),
    mdns,
    outside,
    relaying: { serve, reach: canReachRelays },
    dht: hasDht
      ? { isClient: via.length > 0 || options.listen?.length === 0, secret, allow, outside, connectionsMax }
      : undefined,
    web: canReachWeb,
    reachedAt: () => [...announce, ...(portMapping?.addresses() ?? [])],
    log,
  })
  if (options.upnp === true) {
    portMapping = new PortMapping({
      find: findGateways,
      nowMs: () => performance.now(),
      wait: (delayMs, stopping) => wait(delayMs, undefined, { signal: stopping }),
      listening: () => stack.libp2p.getMultiaddrs().map(String),
      onMapped: (address) => notices.emit({ kind: 'upnp', isMapped: true, address }),
      onFailed: (message) => notices.emit({ kind: 'upnp', isMapped: false, message }),
      log: (line) => log?.(line),
    })
  }
  const hasSecret = secret !== undefined
  const isRelay = serve !== undefined
  const parts = {
    stack,
    standing,
    notices,
    mdns,
    hasSecret,
    outside,
    portMapping,
    via,
    canReachRelays,
    canReachWeb: canReachWeb || (options.listen ?? []).some(isWeb),
    isRelay,
    connectionsMax,
    log,
  }
  const net = new Libp2pNet(parts)
  try {
    for (const address of addresses) net.dialForever(address)
    await net.start(options.registry?.directory)
    for (const seed of seeds) net.follow(seed)
    signal?.throwIfAborted()
    return net
  } catch (error) {
    await net.close()
    throw error
  }
}

function relayChoice({ relay = false, secret }: Libp2pNetOptions): RelayChoice | undefined {
  if (relay === false) return undefined
  if (secret === undefined) return relay === true ? {} : relay
  throw new RhizomeError(
    'RZ_NET_RELAY_SECRET',
    'a relay has no secret: start it without, and nodes that have one are relayed all the same; it cannot read what they say',
  )
}

/** Without the peer id, which is this node's own. */
function announcedAddress(text: string): string {
  let cause: unknown
  try {
    const { address, peer } = parsePeerAddress(text)
    if (peer === undefined && !isRelayed(address)) return address
  } catch (error) {
    cause = error
  }
  const message = `cannot announce '${text}': write wss://host, host:port or a multiaddr without a peer id; relays are named with --via`
  throw new RhizomeError('RZ_NET_ADDRESS_INVALID', message, { cause })
}

/** The host part: an inbound connection's port is another each time. */
function hostOf(address: string): string {
  return address.split('/').slice(0, 3).join('/')
}
