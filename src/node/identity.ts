/**
 * Identities: Ed25519 key pairs kept in files that only their owner can read. The default one is the node's peer id and
 * the creator of what it writes; others may stand beside it. Files: `<directory>/identities/<name>.json`, mode 0600.
 */

import { randomBytes } from 'node:crypto'
import { access, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromString, toString } from 'uint8arrays'
import type { PeerId } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { SEED_BYTES, type Signer, signerOf } from '../log/signature.ts'
import { replaceFile } from './whole-file.ts'

export const DEFAULT_IDENTITY = 'default'
const IDENTITY_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const FORMAT = 'rhizome-identity/1'

export interface IdentitySummary {
  readonly name: string
  readonly id: PeerId
  readonly isDefault: boolean
}

export interface Identity {
  readonly name: string
  readonly signer: Signer
  /** The private key. Whoever has it can sign in this identity's name. */
  readonly seed: Uint8Array
}

/** An identity that was never stored. */
export function makeIdentity(name: string = DEFAULT_IDENTITY): Identity {
  return identityOf(name, new Uint8Array(randomBytes(SEED_BYTES)))
}

/**
 * The identities of a node's directory, the default one first; it is made when there is none.
 * Throws RZ_IDENTITY_INVALID for a damaged file: it is never replaced, since a key cannot be made again.
 */
export async function loadIdentities(directory: string): Promise<readonly [Identity, ...Identity[]]> {
  const folder = identityFolder(directory)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = (await readdir(folder)).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5))
  const others = names.filter((name) => name !== DEFAULT_IDENTITY).sort()
  const first = names.includes(DEFAULT_IDENTITY)
    ? await readIdentity(directory, DEFAULT_IDENTITY)
    : await storeNew(directory, makeIdentity())
  return [first, ...(await Promise.all(others.map((name) => readIdentity(directory, name))))]
}

/** Makes and stores another identity. Throws RZ_IDENTITY_EXISTS, RZ_IDENTITY_INVALID for a bad name. */
export function addIdentity(directory: string, name: string): Promise<Identity> {
  return storeNew(directory, makeIdentity(name))
}

/** The identity as one line of text for `importIdentity`: the private key is in it. */
export function exportIdentity(identity: Identity): string {
  return JSON.stringify({ format: FORMAT, id: identity.signer.id, seed: toString(identity.seed, 'base64url') })
}

/** Stores an exported identity under `name`. Throws RZ_IDENTITY_INVALID, and RZ_IDENTITY_EXISTS unless `replace`. */
export async function importIdentity(
  directory: string,
  text: string,
  options: { readonly name?: string; readonly replace?: boolean } = {},
): Promise<Identity> {
  const identity = parseIdentity(options.name ?? DEFAULT_IDENTITY, text)
  await mkdir(identityFolder(directory), { recursive: true, mode: 0o700 })
  return options.replace === true ? write(directory, identity) : storeNew(directory, identity)
}

/** Throws RZ_IDENTITY_INVALID, and what reading the file throws. */
export async function readIdentity(directory: string, name: string): Promise<Identity> {
  return parseIdentity(name, await readFile(identityPath(directory, name), 'utf8'))
}

function parseIdentity(name: string, text: string): Identity {
  const parsed = parseJson(name, text)
  if (typeof parsed !== 'object' || parsed === null) throw invalid(name, 'it is no JSON object')
  const { format, id, seed } = parsed as { format?: unknown; id?: unknown; seed?: unknown }
  if (format !== FORMAT) throw invalid(name, `its format is not ${FORMAT}`)
  if (typeof seed !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(seed))
    throw invalid(name, 'its key is no 32 bytes of base64url')
  const identity = identityOf(name, fromString(seed, 'base64url'))
  if (identity.signer.id !== id) throw invalid(name, 'its key and its id do not belong together')
  return identity
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(name, 'it is not JSON', cause)
  }
}

function identityOf(name: string, seed: Uint8Array): Identity {
  if (!IDENTITY_NAME.test(name)) throw invalid(name, 'a name has 1 to 64 of a–z, 0–9, ".", "_", "-"')
  return { name, seed, signer: signerOf(seed) }
}

async function storeNew(directory: string, identity: Identity): Promise<Identity> {
  const path = identityPath(directory, identity.name)
  if (await exists(path)) {
    throw new RhizomeError(
      'RZ_IDENTITY_EXISTS',
      `there is an identity "${identity.name}" already in ${directory}: export it first, then replace it on purpose`,
    )
  }
  return write(directory, identity)
}

async function write(directory: string, identity: Identity): Promise<Identity> {
  const path = identityPath(directory, identity.name)
  await replaceFile(path, `${exportIdentity(identity)}\n`, { durable: true })
  return identity
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function identityFolder(directory: string): string {
  return join(directory, 'identities')
}

export function identityPath(directory: string, name: string): string {
  return join(identityFolder(directory), `${name}.json`)
}

function invalid(name: string, why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_IDENTITY_INVALID', `identity "${name}" cannot be used: ${why}`, { cause })
}
