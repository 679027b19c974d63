/**
 * What a directory remembers of the overlay in which its data was shared: nothing when that was open, else a salted hash
 * of the secret. So a forgotten `--secret` never shows closed data to whoever is on the network.
 */

import { hash, randomBytes } from 'node:crypto'

const SALT_BYTES = 16
const MARK = /^[0-9a-f]{32}\.[0-9a-f]{64}$/

/** Of the secret, to be kept; the salt differs each time. */
export function markOf(secret: string): string {
  return markWith(randomBytes(SALT_BYTES).toString('hex'), secret)
}

/** Whether data with this mark may be shared under this secret, or in the open. What was open may become closed. */
export function mayShare(mark: string | undefined, secret: string | undefined): boolean {
  if (mark === undefined) return true
  if (secret === undefined || !MARK.test(mark)) return false
  return markWith(mark.slice(0, SALT_BYTES * 2), secret) === mark
}

function markWith(salt: string, secret: string): string {
  return `${salt}.${hash('sha256', `rhizome/overlay/${salt}/${secret}`, 'hex')}`
}
