/**
 * What nodes wrote to records that each writes alone: the last value is known, whoever held the shard, unless its writer could
 * not know its own last one. Values are numbers that come once in a history.
 */

import type { DeltaId } from '../../../src/delta/delta.ts'
import type { NamespaceId } from '../../../src/log/namespace.ts'
import type { Member } from '../world.ts'

export interface Attempt {
  readonly writer: Member
  readonly collection: string
  readonly id: string
  readonly value: number
  /** Among all that began and ended. */
  readonly begun: number
  ended: number
  /** Empty until it is acknowledged. */
  deltas: readonly DeltaId[]
  /** Where it was written to. */
  place: NamespaceId | undefined
}

/** What is asked of whoever knows. */
export interface Knowing {
  /** Whether it must still be there. */
  readonly isKept: (attempt: Attempt) => boolean
  /** Where records of that name lie now. */
  readonly placeOf: (collection: string, id: string) => NamespaceId
  readonly parent: NamespaceId
  /** Whether a record of that name stands in another shard, where it was moved to before it was known whose range was first. */
  readonly isElsewhere: (collection: string, id: string) => boolean
  /** A power cut has taken its own last writes from it, and with them the time of those. */
  readonly hasForgotten: (writer: Member) => boolean
}

export class Attempts {
  #order = 0
  readonly #attempts = new Map<string, Attempt[]>()

  begin(writer: Member, collection: string, id: string): Attempt {
    const begun = ++this.#order
    const attempt = {
      writer,
      collection,
      id,
      value: begun,
      begun,
      ended: Infinity,
      deltas: [],
      place: undefined,
    }
    const key = `${collection}/${id}`
    this.#attempts.set(key, [...(this.#attempts.get(key) ?? []), attempt])
    return attempt
  }

  end(attempt: Attempt, deltas: readonly DeltaId[] = [], place?: NamespaceId): void {
    attempt.ended = ++this.#order
    attempt.deltas = deltas
    attempt.place = place
  }

  /** What is wrong with the values that are shown in the end. */
  faults(shown: (collection: string, id: string) => unknown, knowing: Knowing): readonly string[] {
    return [...this.#attempts].flatMap(([key, attempts]) => {
      const [{ collection, id } = { collection: '', id: '' }] = attempts
      const fault = faultOf(shown(collection, id), attempts, knowing)
      return fault === undefined ? [] : [`${key} ${fault}`]
    })
  }
}

function faultOf(shown: unknown, attempts: readonly Attempt[], knowing: Knowing): string | undefined {
  const { isKept, placeOf, parent, isElsewhere, hasForgotten } = knowing
  const kept = attempts.filter((attempt) => attempt.deltas.length > 0 && isKept(attempt))
  // What was written to a shard whose range another had first stays there, and is not seen.
  const seen = kept.filter(
    ({ place, collection, id }) =>
      place === placeOf(collection, id) || (place === parent && !isElsewhere(collection, id)),
  )
  if (shown === undefined) return seen.length === 0 ? undefined : `is not shown, and ${seen[0]?.value} was acknowledged`
  const attempt = attempts.find(({ value }) => value === shown)
  if (attempt === undefined) return `shows ${JSON.stringify(shown)}, which nobody wrote`
  if (hasForgotten(attempt.writer)) return undefined
  const later = seen.find(
    ({ begun, place }) => begun > attempt.ended && place === placeOf(attempt.collection, attempt.id),
  )
  return later === undefined ? undefined : `shows ${attempt.value}, and ${later.value} was written after it`
}
