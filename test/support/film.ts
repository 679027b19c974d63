/** The example of the documentation: one delta that ties an actor, a role, a film, a salary and its currency together. */

export const KEANU_AS_NEO = [
  { localContext: 'actor', target: 'keanu', targetContext: 'roles' },
  { localContext: 'role', target: 'neo', targetContext: 'actor' },
  { localContext: 'film', target: 'the_matrix', targetContext: 'cast' },
  { localContext: 'base_salary', target: 1_000_000 },
  { localContext: 'salary_currency', target: 'usd' },
] as const

/** For each side that it is read from: the property there, the pointer that names it, and what is said of the others. */
export const SIDES = [
  {
    id: 'keanu',
    property: 'roles',
    localContext: 'actor',
    value: { role: 'neo', film: 'the_matrix', base_salary: 1_000_000, salary_currency: 'usd' },
  },
  {
    id: 'neo',
    property: 'actor',
    localContext: 'role',
    value: { actor: 'keanu', film: 'the_matrix', base_salary: 1_000_000, salary_currency: 'usd' },
  },
  {
    id: 'the_matrix',
    property: 'cast',
    localContext: 'film',
    value: { actor: 'keanu', role: 'neo', base_salary: 1_000_000, salary_currency: 'usd' },
  },
] as const
