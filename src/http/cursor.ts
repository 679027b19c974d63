/**
 * Places in the sequence of deltas as text, for `after`, `Link` and `Last-Event-ID`: `<position>` is behind a whole block,
 * `<position>.<index>` behind one delta of it, because deltas of a block share a position and a page may end between them.
 */

import type { FastifyRequest } from 'fastify'
import { RhizomeError } from '../errors.ts'
import type { Namespace, PlacedDelta } from '../node/namespace.ts'

type Position = PlacedDelta['position']

const CURSOR = /^(0|[1-9][0-9]{0,15})(?:\.(0|[1-9][0-9]{0,3}))?$/
export const CURSOR_PATTERN = CURSOR.source

export function cursorOf({ position, delta }: PlacedDelta): string {
  return `${position}.${delta.index}`
}

/** Where to begin reading, and what to leave out there. Throws RZ_HTTP_INPUT for what this store never handed out. */
export function openCursor(
  namespace: Namespace,
  text: string,
): { readonly after: Position; readonly isNew: (placed: PlacedDelta) => boolean } {
  const match = CURSOR.exec(text)
  const position = Number(match?.[1])
  if (match === null || position > namespace.position()) {
    throw new RhizomeError(
      'RZ_HTTP_INPUT',
      `"${text}" is no place in this node's log: take one from an answer of the same node, or leave it out to begin anew`,
    )
  }
  if (match[2] === undefined) return { after: position as Position, isNew: () => true }
  const index = Number(match[2])
  return {
    after: Math.max(0, position - 1) as Position,
    isNew: (placed) => placed.position > position || placed.delta.index > index,
  }
}

/** What a browser saw last, which is newer than what its page asked for first. */
export function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id']
  return typeof id === 'string' && id !== '' ? id : undefined
}
