/**
 * How far a watch has come in the changes of every store that it follows, to come back to: one place for the parent, and one for
 * each shard, in the store of whoever answers for it. Positions mean something in one life of one store alone, so each names
 * that. As text: `<life>-<position>` of the parent, then `~<shard>:<life>-<position>`; `0` is before everything. A shard that is
 * not named begins with all its records.
 */

import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Position } from '../../store/store.ts'
import { PLACEMENTS_MAX } from '../../view/placements/placement-set.ts'

/** A place in the changes of one store. */
export interface StoreCursor {
  /** The beginning of the store's instance. */
  readonly life: string
  readonly position: Position
}

/** By `cursorKey`. */
export type StoreCursors = ReadonlyMap<string, StoreCursor>

const LIFE_CHARS = 8
/** Enough that nobody makes a shard that is taken for another. */
const KEY_CHARS = 32
const START = '0'
const LIFE = new RegExp(`^[0-9a-f]{${LIFE_CHARS}}$`)
/** `.<index>` behind it, as the cursors of deltas have, is within the block. */
const PLACE = `[0-9a-f]{${LIFE_CHARS}}-(?:0|[1-9][0-9]{0,15})(?:\\.(?:0|[1-9][0-9]{0,3}))?`
const PART = `(?:[0-9a-f]{${KEY_CHARS}}:)?${PLACE}`
export const WATCH_CURSOR_PATTERN = `^(?:${START}|${PART}(?:~${PART}){0,${PLACEMENTS_MAX}})$`
const WATCH_CURSOR = new RegExp(WATCH_CURSOR_PATTERN)

export function lifeOf(instance: string): string {
  return instance.slice(0, LIFE_CHARS)
}

export function isLife(text: string): boolean {
  return LIFE.test(text)
}

/** Undefined: the parent. */
export function cursorKey(shard: NamespaceId | undefined): string {
  return shard === undefined ? '' : shard.slice(0, KEY_CHARS)
}

export function cursorsText(cursors: StoreCursors): string {
  if (cursors.size === 0) return START
  return [...cursors].map(([key, { life, position }]) => `${key === '' ? '' : `${key}:`}${life}-${position}`).join('~')
}

/** Throws RZ_WATCH_CURSOR. */
export function parseCursors(text: string): StoreCursors {
  if (!WATCH_CURSOR.test(text)) {
    throw new RhizomeError(
      'RZ_WATCH_CURSOR',
      `"${text}" is no place to go on from: take the cursor of what was told last, or none`,
    )
  }
  if (text === START) return new Map()
  return new Map(
    text.split('~').map((part): [string, StoreCursor] => {
      const colon = part.indexOf(':')
      const [life = '', place = ''] = part.slice(colon + 1).split('-')
      const [digits, index] = place.split('.')
      const position = index === undefined ? Number(digits) : Math.max(0, Number(digits) - 1)
      return [part.slice(0, Math.max(0, colon)), { life, position: position as Position }]
    }),
  )
}
