/** The failures that every implementation of the port raises, in the same words. */
import { RhizomeError } from '../errors.ts'
import { FRAME_BYTES_MAX, GOSSIP_BYTES_MAX, type PeerIdText } from './net.ts'

export function closed(peer: PeerIdText, why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_NET_STREAM_CLOSED', `the stream with ${peer} is closed: ${why}`, { cause })
}

export function tooLarge(bytes: number): RhizomeError {
  return new RhizomeError('RZ_NET_FRAME_TOO_LARGE', `a frame of ${bytes} bytes is over the limit of ${FRAME_BYTES_MAX}`)
}

export function messageTooLarge(bytes: number): RhizomeError {
  const message = `a gossip message of ${bytes} bytes is over the limit of ${GOSSIP_BYTES_MAX}`
  return new RhizomeError('RZ_NET_MESSAGE_TOO_LARGE', message)
}

export function netClosed(): RhizomeError {
  return new RhizomeError('RZ_NET_CLOSED', 'the network is closed: open it again')
}

export function dialFailed(peer: PeerIdText, protocol: string, why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_NET_DIAL_FAILED', `cannot open ${protocol} to ${peer}: ${why}`, { cause })
}
