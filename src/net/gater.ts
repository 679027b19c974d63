/**
 * Who may be connected to: peers on the allow-list (when there is one) that are not blocked, in both directions.
 * Checked before a dial and again when the handshake has proved who is there.
 */
import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { PeerIdText } from './net.ts'
import type { Outside } from './outside.ts'
import type { Standing } from './standing.ts'

export interface GaterOptions {
  readonly allow: ReadonlySet<PeerIdText> | undefined
  readonly standing: Standing
  /** Relays need not be on the allow-list: they take no part. */
  readonly outside: Outside
  readonly onRefused: (peer: PeerIdText, address: string, message: string) => void
}

export function createGater({ allow, standing, outside, onRefused }: GaterOptions): ConnectionGater {
  function refusal(peer: PeerIdText): string | undefined {
    if (allow !== undefined && !allow.has(peer)) return `${peer} is not on this node's allow-list`
    if (standing.blocked(peer)) return `${peer} is blocked for a while: it sent invalid data`
    return undefined
  }
  function deny(id: PeerId, address: string): boolean {
    const peer = id.toString()
    const message = refusal(peer)
    if (message !== undefined) onRefused(peer, address, message)
    return message !== undefined
  }
  return {
    denyDialPeer: (id) => !outside.isDialling(id.toString()) && deny(id, `/p2p/${id.toString()}`),
    denyInboundEncryptedConnection: (id, connection) => deny(id, connection.remoteAddr.toString()),
    denyOutboundEncryptedConnection: (id, connection) =>
      !outside.has(connection) && deny(id, connection.remoteAddr.toString()),
  }
}
