/**
 * One line that carries everything a colleague needs to join: topics, secret, the inviting node and where it listens.
 * `rhizome:` and base64url of four bytes of SHA-256 over what follows, a version byte, and a JSON object with short keys.
 * Whoever has the line has the secret: it is as confidential as that.
 */

import { hash } from 'node:crypto'
import { RhizomeError } from '../errors.ts'

export interface Invitation {
  readonly topics: readonly string[]
  readonly secret?: string
  /** The inviting node; absent, any node with the topic will do. */
  readonly peer?: string
  /** Multiaddrs without the peer id. */
  readonly addresses: readonly string[]
}

const PREFIX = 'rhizome:'
const VERSION = 1
const CHECK_BYTES = 4
/** A secret of 4 KiB and a few addresses fit. */
const LINE_CHARACTERS_MAX = 16_384

export function formatInvitation(invitation: Invitation): string {
  const { topics, secret, peer, addresses } = invitation
  const content = JSON.stringify({ t: topics, s: secret, p: peer, a: addresses })
  const body = Buffer.concat([Uint8Array.of(VERSION), Buffer.from(content, 'utf8')])
  return PREFIX + Buffer.concat([checkOf(body), body]).toString('base64url')
}

/** Throws RZ_CLI_INVITE_INVALID and says whether to copy again or to upgrade. */
export function parseInvitation(line: string): Invitation {
  // Mail and chat programs break long lines.
  const text = line.replaceAll(/\s/g, '')
  if (!text.startsWith(PREFIX)) throw invalid(`it must begin with ${PREFIX}`)
  if (text.length > LINE_CHARACTERS_MAX) throw invalid(`it is longer than ${LINE_CHARACTERS_MAX} characters`)
  const encoded = text.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.toString('base64url') !== encoded) throw invalid('it has characters that do not belong there')
  const body = bytes.subarray(CHECK_BYTES)
  if (body.length === 0 || !bytes.subarray(0, CHECK_BYTES).equals(checkOf(body))) {
    throw invalid('it is cut off or was changed')
  }
  if (body[0] !== VERSION) throw invalid('it was made by a later release: upgrade rhizome-node')
  return parseContent(body.subarray(1).toString('utf8'))
}

function parseContent(text: string): Invitation {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw invalid('its content is not JSON', cause)
  }
  if (typeof content !== 'object' || content === null) throw invalid('its content is no object')
  const { t, s, p, a } = content as { t?: unknown; s?: unknown; p?: unknown; a?: unknown }
  if (!isTexts(t) || t.length === 0 || !isTexts(a)) throw invalid('it names no topic')
  if ((s !== undefined && typeof s !== 'string') || (p !== undefined && typeof p !== 'string')) {
    throw invalid('its secret or peer is no text')
  }
  return { topics: t, addresses: a, ...(s === undefined ? {} : { secret: s }), ...(p === undefined ? {} : { peer: p }) }
}

/** What to dial: each address with the id that must answer there. */
export function invitedPeers({ peer, addresses }: Invitation): readonly string[] {
  return peer === undefined ? addresses : addresses.map((address) => `${address}/p2p/${peer}`)
}

function checkOf(body: Uint8Array): Buffer {
  return hash('sha256', body, 'buffer').subarray(0, CHECK_BYTES)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function invalid(why: string, cause?: unknown): RhizomeError {
  const message = `this is not the line of an invitation: ${why}. Copy it again, from ${PREFIX} to its end`
  return new RhizomeError('RZ_CLI_INVITE_INVALID', message, { cause })
}
