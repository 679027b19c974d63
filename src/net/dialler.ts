/**
 * One try at a target of the dial plan, over libp2p. Connected means met by identify: a peer that does not want this node
 * completes the handshake and hangs up before that.
 */
import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { isRelayed, relayOf } from './address.ts'
import { reasonOf } from './dial-failure.ts'
import type { DialOutcome } from './dial-loop.ts'
import type { Target } from './dial-plan.ts'
import { ADDRESS_DIAL_TIMEOUT_MS, DIAL_TIMEOUT_MS, REFUSAL_WINDOW_MS } from './limits.ts'
import type { PeerIdText } from './net.ts'
import type { Outside } from './outside.ts'

export interface DiallerOptions {
  readonly libp2p: Libp2p
  readonly hasSecret: boolean
  /** Whether identify has met the peer, on this connection or another. */
  readonly hasMet: (peer: PeerIdText) => boolean
  readonly outside: Outside
}

/** Never rejects: every failure is an outcome. */
export async function dialTarget(
  target: Target,
  { libp2p, hasSecret, hasMet, outside }: DiallerOptions,
): Promise<DialOutcome> {
  let answered = false
  try {
    await reachRelays(target.addresses, libp2p, outside)
    const connection = await libp2p.dial(
      target.addresses.map((address) => multiaddr(withPeer(address, target.peer))),
      {
        signal: AbortSignal.timeout(DIAL_TIMEOUT_MS),
        onProgress: ({ type }) => {
          answered ||= type === 'upgrader:encrypt-outbound-connection'
        },
      },
    )
    const peer = connection.remotePeer.toString()
    if (outside.has(connection))
      return { kind: 'failed', code: 'refused', message: 'it is a relay, and has no part in this' }
    if (hasMet(peer) || (await meets(libp2p, peer, connection)) || hasMet(peer)) return { kind: 'connected', peer }
    const message = `${peer} hung up at once: it may have an allow-list without this node`
    return { kind: 'failed', code: 'refused', message }
  } catch (error) {
    return { kind: 'failed', ...reasonOf(error, { answered, hasSecret }) }
  }
}

/** False if the connection ends before identify. A peer that is only slow is not waited for. */
function meets(libp2p: Libp2p, peer: PeerIdText, connection: Connection): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    if (detail.peerId.toString() === peer) resolve(true)
  }
  const onClose = (): void => resolve(false)
  const timer = setTimeout(() => resolve(connection.status === 'open'), REFUSAL_WINDOW_MS)
  libp2p.addEventListener('peer:identify', onIdentify)
  connection.addEventListener('close', onClose)
  if (connection.status !== 'open') resolve(false)
  return promise.finally(() => {
    clearTimeout(timer)
    libp2p.removeEventListener('peer:identify', onIdentify)
    connection.removeEventListener('close', onClose)
  })
}

function withPeer(address: string, peer: PeerIdText | undefined): string {
  return peer === undefined || address.endsWith(`/p2p/${peer}`) ? address : `${address}/p2p/${peer}`
}

/** libp2p would dial the relay of such an address as if it were a peer, with the secret. */
async function reachRelays(addresses: readonly string[], libp2p: Libp2p, outside: Outside): Promise<void> {
  const relays = addresses.filter(isRelayed).map(relayOf)
  const signal = AbortSignal.timeout(ADDRESS_DIAL_TIMEOUT_MS)
  // One that cannot be reached is told of by the dial through it.
  await Promise.allSettled(
    [...new Set(relays)]
      .filter((relay) => outside.holds(relay))
      .map((relay) => outside.dial(libp2p, relay, { signal })),
  )
}
