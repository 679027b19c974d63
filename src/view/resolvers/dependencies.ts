/**
 * In which order things that read one another can be computed, and which of them cannot because they read themselves.
 * Tarjan's strongly connected components (SIAM J. Comput. 1972), without recursion, so a long chain is no danger.
 */

export interface Dependencies {
  /** Everything that has reads, after all that it reads. */
  readonly order: readonly string[]
  /** For each that reads itself, however many steps away: all that take part, in the order of `names`. */
  readonly cycles: ReadonlyMap<string, readonly string[]>
}

interface Visit {
  readonly name: string
  readonly index: number
  low: number
  /** The next of its reads to look at. */
  next: number
  open: boolean
}

/** `reads` says what each of `names` reads; what is not among `names` is of no account. Linear in the reads. */
export function dependenciesOf(names: readonly string[], reads: (name: string) => readonly string[]): Dependencies {
  const rank = new Map(names.map((name, index) => [name, index]))
  const visits = new Map<string, Visit>()
  const order: string[] = []
  const cycles = new Map<string, readonly string[]>()
  /** Visited, and not yet known to which component they belong. */
  const open: Visit[] = []

  for (const root of names) {
    if (visits.has(root)) continue
    const path = [enter(root)]
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const read = reads(visit.name)[visit.next++]
      if (read === undefined) {
        path.pop()
        const parent = path.at(-1)
        if (parent !== undefined) parent.low = Math.min(parent.low, visit.low)
        if (visit.low === visit.index) close(visit)
      } else if (rank.has(read)) {
        const seen = visits.get(read)
        if (seen === undefined) path.push(enter(read))
        else if (seen.open) visit.low = Math.min(visit.low, seen.index)
      }
    }
  }
  return { order, cycles }

  function enter(name: string): Visit {
    const visit = { name, index: visits.size, low: visits.size, next: 0, open: true }
    visits.set(name, visit)
    open.push(visit)
    return visit
  }

  /** The component whose first visited is `first`: all that were opened since. */
  function close(first: Visit): void {
    const component = open.splice(open.lastIndexOf(first))
    for (const visit of component) visit.open = false
    const members = component.map((visit) => visit.name)
    order.push(...members)
    if (members.length === 1 && !reads(first.name).includes(first.name)) return
    const named = members.toSorted((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0))
    for (const name of members) cycles.set(name, named)
  }
}
