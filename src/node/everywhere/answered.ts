/** Answers that say who gave them. What is held here is answered at once; what is not, later. */

import type { PeerId } from '../../delta/delta.ts'

/** Who answered: this node alone where it holds all that was asked for, else each peer that was asked, once. */
export interface AnsweredBy {
  readonly answeredBy: readonly PeerId[]
}

export interface Answered<Value> extends AnsweredBy {
  readonly value: Value
}

/** What is known of an answer that may go without a part. */
export interface PartlyAnswered<Value> extends Answered<Value> {
  /** Names of the shards that could not be asked, since nobody who holds them answers; absent where there is none. */
  readonly unheld?: readonly string[]
}

/** A promise where another node is asked. `await` takes both. */
export type Answer<Value> = Answered<Value> | Promise<Answered<Value>>

/** What becomes of an answer, at once where it is here already. */
export function whenAnswered<Told extends AnsweredBy, Result>(
  answer: Told | Promise<Told>,
  use: (answered: Told) => Result,
): Result | Promise<Result> {
  return answer instanceof Promise ? answer.then(use) : use(answer)
}

/** `result`, as `self` gave it. */
export function givenBy<Result extends object>(self: PeerId, result: Result): Result & AnsweredBy {
  return { ...result, answeredBy: [self] }
}

/** One answer of several, at once where all are here already. */
export function together<Found, Joined>(
  answers: readonly Answer<Found>[],
  join: (values: readonly Found[]) => Joined,
): Answer<Joined> {
  const joined = (all: readonly Answered<Found>[]): Answered<Joined> => ({
    value: join(all.map(({ value }) => value)),
    answeredBy: [...new Set(all.flatMap(({ answeredBy }) => answeredBy))],
  })
  if (areHere(answers)) return joined(answers)
  // Those that are here already among them.
  return Promise.all(answers.map(async (answer) => answer)).then(joined)
}

function areHere<Found>(answers: readonly Answer<Found>[]): answers is readonly Answered<Found>[] {
  return answers.every((answer) => !(answer instanceof Promise))
}
