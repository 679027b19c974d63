/**
 * Hashes of 32 bytes as 52 characters of base32 (RFC 4648, lower case, no padding) and back. Written out for this one length
 * because every block and every delta that is read has its id made here: `uint8arrays` takes three times as long.
 */

export const HASH_CHARACTERS = 52

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const HASH_BYTES = 32
const CODES = Buffer.from(ALPHABET, 'latin1')
const VALUES = new Uint8Array(128)
for (const [value, code] of CODES.entries()) VALUES[code] = value

/** Written anew at each call; nothing that is waited for comes between writing and reading it. */
const text = Buffer.alloc(HASH_CHARACTERS)

/** Of exactly 32 bytes. */
export function hashToBase32(hash: Uint8Array): string {
  let held = 0
  let bits = 0
  let at = 0
  for (let index = 0; index < HASH_BYTES; index++) {
    held = ((held & 0xf) << 8) | (hash[index] as number)
    for (bits += 8; bits >= 5; at++) {
      bits -= 5
      text[at] = CODES[(held >> bits) & 0x1f] as number
    }
  }
  // 256 bits fill 51 characters and one bit of the last.
  text[at] = CODES[(held << 4) & 0x1f] as number
  return text.toString('latin1')
}

/** Of text that `hashToBase32` may have made; other text gives bytes without a meaning. */
export function base32ToHash(hash: string): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES)
  let held = 0
  let bits = 0
  let at = 0
  for (let index = 0; at < HASH_BYTES; index++) {
    held = ((held & 0x7f) << 5) | (VALUES[hash.charCodeAt(index)] as number)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >> bits) & 0xff
  }
  return bytes
}
