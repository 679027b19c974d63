/**
 * Bearer tokens: made at random, shown once, kept as a SHA-256 in `<directory>/http-token`. A token has 256 random bits, so a
 * plain hash is enough: there is nothing to guess. Showing it again means making a new one, which voids the old.
 */

import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RhizomeError } from '../errors.ts'
import { replaceFile } from './whole-file.ts'

/** Tells whether a presented token is the one. Takes the same time wherever they differ. */
export type TokenCheck = (presented: string) => boolean | Promise<boolean>

const TOKEN_BYTES = 32
const STORED = /^sha256:([0-9a-f]{64})\n?$/

/** A new token: `rz_` and 256 random bits in base64url. */
export function makeToken(): string {
  return `rz_${randomBytes(TOKEN_BYTES).toString('base64url')}`
}

/** Checks against a token held in memory. */
export function tokenCheck(token: string): TokenCheck {
  const expected = hash('sha256', token, 'hex')
  return (presented) => isHashOf(expected, presented)
}

/** Checks against the file in `directory`, read anew each time: a renewed token counts at once. No file: none passes. */
export function tokenFileCheck(directory: string): TokenCheck {
  return async (presented) => {
    const expected = await readHash(directory)
    return expected !== undefined && isHashOf(expected, presented)
  }
}

/** True when `directory` holds a token's hash. Throws RZ_HTTP_TOKEN_DAMAGED for a file that is none. */
export async function hasToken(directory: string): Promise<boolean> {
  return (await readHash(directory)) !== undefined
}

/** Makes a new token, keeps its hash alone, and returns it to be shown: the last time that anyone can. */
export async function renewToken(directory: string): Promise<string> {
  const token = makeToken()
  await replaceFile(join(directory, FILE), `sha256:${hash('sha256', token, 'hex')}\n`)
  return token
}

const FILE = 'http-token'

async function readHash(directory: string): Promise<string | undefined> {
  const path = join(directory, FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const expected = STORED.exec(text)?.[1]
  if (expected === undefined) {
    throw new RhizomeError(
      'RZ_HTTP_TOKEN_DAMAGED',
      `${path} does not hold a token's hash: make a new one with rhizome-node token`,
    )
  }
  return expected
}

function isHashOf(expectedHex: string, presented: string): boolean {
  return timingSafeEqual(Buffer.from(expectedHex, 'hex'), hash('sha256', presented, 'buffer'))
}
