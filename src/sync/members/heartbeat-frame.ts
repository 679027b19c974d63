/**
 * A heartbeat: `[number, interval, clock, echoed number or null, held]`, one frame of `/rhizome/heartbeat/1`. Decoding answers
 * for every input.
 */

import { decode, encode } from '../../delta/cbor.ts'
import { RhizomeError } from '../../errors.ts'
import { HEARTBEAT_BYTES_MAX, HEARTBEAT_MS_MAX, HEARTBEAT_MS_MIN } from './limits.ts'

export interface Heartbeat {
  /** Rises with each of a stream. */
  readonly number: number
  /** How often its sender sends one. */
  readonly intervalMs: number
  /** The sender's clock, milliseconds since 1970. */
  readonly clockMs: number
  /** The newest heartbeat that the sender had from the receiver, and how long ago it came. */
  readonly echo?: { readonly number: number; readonly heldMs: number }
}

const LIMITS = { depthMax: 1, itemsMax: 6 }

export function encodeHeartbeat({ number, intervalMs, clockMs, echo }: Heartbeat): Uint8Array {
  return encode([number, intervalMs, Math.max(0, Math.trunc(clockMs)), echo?.number ?? null, echo?.heldMs ?? 0])
}

/** Throws RZ_SYNC_MEMBER_INVALID. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat {
  try {
    if (bytes.length > HEARTBEAT_BYTES_MAX) throw new Error(`${bytes.length} bytes`)
    const fields = decode(bytes, LIMITS)
    if (!Array.isArray(fields) || fields.length !== 5) throw new Error('no five fields')
    const [number, intervalMs, clockMs, echoed, heldMs] = fields as readonly unknown[]
    const beat = { number: integer(number), intervalMs: integer(intervalMs), clockMs: integer(clockMs) }
    if (beat.intervalMs < HEARTBEAT_MS_MIN || beat.intervalMs > HEARTBEAT_MS_MAX) throw new Error('an odd interval')
    const held = integer(heldMs)
    return echoed === null ? beat : { ...beat, echo: { number: integer(echoed), heldMs: held } }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RhizomeError('RZ_SYNC_MEMBER_INVALID', `not a heartbeat: ${why}`, { cause })
  }
}

function integer(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error('no integer')
  return value
}
