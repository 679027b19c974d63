/** Notes of sync's in the store: positions that save work when they are there and cost only work when they are not. */

import { RhizomeError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import type { Token } from './wire.ts'

/** Reads a position that was noted; undefined when there is none. */
export function readToken(store: Store, key: string): Token | undefined {
  return parseToken(store.note(key))
}

export function parseToken(text: string | undefined): Token | undefined {
  const [instance, position] = text?.split(':') ?? []
  if (instance === undefined || !/^\d+$/.test(position ?? '')) return undefined
  return { instance, position: Number(position) }
}

/** Answers false when the store is full, failing or closed: whoever needs to know learns it from their own writes. */
export function tryNoteToken(store: Store, key: string, token: Token): boolean {
  return tryNote(store, key, tokenText(token))
}

export function tokenText({ instance, position }: Token): string {
  return `${instance}:${position}`
}

/** As `tryNoteToken`, of any text. */
export function tryNote(store: Store, key: string, text: string): boolean {
  try {
    if (store.note(key) !== text) store.setNote(key, text)
    return true
  } catch (error) {
    if (error instanceof RhizomeError) return false
    throw error
  }
}
