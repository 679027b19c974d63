/** Namespaces: a name for people, 32 bytes in every header, a topic on the wire. design.md 2 and 4. */

import { hash as digest } from 'node:crypto'
import type { Brand } from '../delta/brand.ts'
import { RhizomeError } from '../errors.ts'

/** The 32 bytes of a namespace in 64 hex digits. */
export type NamespaceId = Brand<string, 'NamespaceId'>

const NAMESPACE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** Throws RZ_NAMESPACE_NAME for a name that is not `[a-z0-9][a-z0-9._-]{0,63}`. */
export function openNamespaceId(name: string): NamespaceId {
  if (!NAMESPACE_NAME.test(name)) {
    throw new RhizomeError(
      'RZ_NAMESPACE_NAME',
      `"${name}" is not a namespace name: 1 to 64 of a–z, 0–9, ".", "_", "-", the first a letter or digit`,
    )
  }
  return digest('sha256', `rhizome/namespace/open/${name}`, 'hex') as NamespaceId
}

/** The GossipSub topic of an open namespace. */
export function topicOf(name: string): string {
  return `/rhizome/1/${name}`
}
