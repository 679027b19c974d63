/** Answers that are there at once where this node holds what was asked for, and come later where another does. */

import type { Everywhere } from '../node/everywhere/everywhere.ts'

/** A namespace, wherever its records are held. */
export type Reach = Pick<Everywhere, 'get' | 'ids' | 'collections' | 'query' | 'put' | 'delete' | 'watch'>

/** A value, or one that comes. Whoever reads tens of thousands a second does not await what is there. */
export type Soon<What> = What | Promise<What>

/** `use` of what is read, at once where it is there. */
export function after<What, Result>(answer: Soon<What>, use: (what: What) => Soon<Result>): Soon<Result> {
  return answer instanceof Promise ? answer.then(use) : use(answer)
}
