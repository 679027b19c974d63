/**
 * Places in the sequence of deltas as text, for `after`, `Link` and `Last-Event-ID`: `<life>-<position>` is behind a whole
 * block, `<life>-<position>.<index>` behind one delta of it, because deltas of a block share a position and a page may end
 * between them. The life is the beginning of the store's instance: after a restore, positions of the life before lie
 * elsewhere, and whoever went on from one would miss deltas. `0` is the beginning, in every life.
 */

import type { FastifyRequest } from 'fastify'
import { RhizomeError } from '../errors.ts'
import type { PlacedDelta } from '../node/delta-stream.ts'
import type { Namespace } from '../node/namespace.ts'

type Position = PlacedDelta['position']

const LIFE_CHARS = 8
const CURSOR = /^(?:0|([0-9a-f]{8})-(0|[1-9][0-9]{0,15})(?:\.(0|[1-9][0-9]{0,3}))?)$/
export const CURSOR_PATTERN = CURSOR.source
/** Before everything. */
export const CURSOR_START = '0'

export class Cursors {
  readonly #life: string

  /** `instance`: of the node's store. */
  constructor(instance: string) {
    this.#life = instance.slice(0, LIFE_CHARS)
  }

  /** Behind one delta. */
  behind({ position, delta }: PlacedDelta): string {
    return `${this.at(position)}.${delta.index}`
  }

  /** Behind everything up to a position. */
  at(position: Position): string {
    return `${this.#life}-${position}`
  }

  /**
   * Where to begin reading, and what to leave out there. Throws RZ_HTTP_CURSOR for a place of another life of the store,
   * RZ_HTTP_INPUT for what no store handed out.
   */
  open(
    namespace: Namespace,
    text: string,
  ): { readonly after: Position; readonly isNew: (placed: PlacedDelta) => boolean } {
    const [matched, life, digits = '0', indexDigits] = CURSOR.exec(text) ?? []
    if (life !== undefined && life !== this.#life) {
      throw new RhizomeError(
        'RZ_HTTP_CURSOR',
        `"${text}" is a place in another life of this node's store, or in another node's: begin anew without it`,
      )
    }
    const position = Number(digits)
    if (matched === undefined || position > namespace.position()) {
      throw new RhizomeError(
        'RZ_HTTP_INPUT',
        `"${text}" is no place in this node's log: take one from an answer of the same node, or leave it out to begin anew`,
      )
    }
    if (indexDigits === undefined) return { after: position as Position, isNew: () => true }
    const index = Number(indexDigits)
    return {
      after: Math.max(0, position - 1) as Position,
      isNew: (placed) => placed.position > position || placed.delta.index > index,
    }
  }
}

/** What a browser saw last, which is newer than what its page asked for first. */
export function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id']
  return typeof id === 'string' && id !== '' ? id : undefined
}
