/**
 * Named views: queries that records hold (`stored-query.ts`), as other queries name them by `{ "view": id }`. They are put in
 * the place of their names before anything is planned, so that a plan knows nothing of them. What they may grow to is
 * bounded, and one that names itself, however many steps away, is found: RZ_QUERY_CYCLE, RZ_QUERY_TOO_LARGE,
 * RZ_QUERY_UNKNOWN.
 */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { OPERATORS_MAX, VIEWS_DEPTH_MAX } from './limits.ts'

/** The query that is stored under an id. */
export type ViewOf = (id: string) => Json | undefined

/** What one query names, and how large it has become by it. */
export class NamedViews {
  /** What was found under each id. */
  readonly found = new Map<string, Json>()
  readonly #viewOf: ViewOf
  readonly #open: string[] = []
  #operatorCount = 0

  constructor(viewOf: ViewOf) {
    this.#viewOf = viewOf
  }

  /** To be called for every operator, those of views included. */
  countOperator(): void {
    if (++this.#operatorCount <= OPERATORS_MAX) return
    const message = `with the views that it names the query has more than ${OPERATORS_MAX} operators: name fewer`
    throw new RhizomeError('RZ_QUERY_TOO_LARGE', message)
  }

  /** What `read` makes of the query under that id; `where` says who names it. */
  within<Answer>(id: string, where: string, read: (json: Json) => Answer): Answer {
    if (this.#open.includes(id)) {
      const cycle = [...this.#open.slice(this.#open.indexOf(id)), id].join(' → ')
      throw new RhizomeError(
        'RZ_QUERY_CYCLE',
        `the view "${id}" is made of itself: ${cycle}; let one not name the next`,
      )
    }
    if (this.#open.length === VIEWS_DEPTH_MAX) {
      const message = `${where}: views name one another at most ${VIEWS_DEPTH_MAX} deep: ${this.#open.join(' → ')}`
      throw new RhizomeError('RZ_QUERY_TOO_LARGE', message)
    }
    const json = this.#viewOf(id)
    if (json === undefined) throw unknownView(id, where)
    this.found.set(id, json)
    this.#open.push(id)
    const answer = read(json)
    this.#open.pop()
    return answer
  }
}

function unknownView(id: string, where: string): RhizomeError {
  const message = `${where}: no query is stored as "${id}": store one as the record query/${id}, or mend it if problems() names it`
  return new RhizomeError('RZ_QUERY_UNKNOWN', message)
}
