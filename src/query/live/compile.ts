/**
 * From a parsed query to operators that follow changes. What may be asked, which columns there are and in which order rows
 * come is the plan's matter: each step is planned as for a run (`../compile.ts`), and throws the same errors.
 */

import type { CollectionQuery, PointersQuery, Query, Rule } from '../algebra.ts'
import { planClosure } from '../closure.ts'
import { planGroup } from '../group.ts'
import { addedColumns, planJoin } from '../join.ts'
import { NO_CATALOGUE, type Plan } from '../plan.ts'
import {
  columnMakers,
  planProject,
  planRename,
  planSelect,
  planUnnest,
  projecting,
  renaming,
  unnested,
} from '../row-operators.ts'
import { rowFilter, wantedValues } from '../rule.ts'
import type { Row } from '../row.ts'
import { planCollection, planPointers } from '../scan.ts'
import { planFilterBySide, planUnion } from '../sets.ts'
import { keyed, planLimit, planOrder } from '../sort.ts'
import { Closure } from './closure.ts'
import { Distinct, Sides } from './counted.ts'
import { FirstRows } from './first-rows.ts'
import { Grouped } from './group.ts'
import { FilteringJoin, isMerging, MergingJoin } from './join.ts'
import { Leaf, type RowMap } from './leaf.ts'
import type { Ledger } from './ledger.ts'
import { Mapped } from './mapped.ts'
import type { LiveOperator } from './operator.ts'
import { claimsRelation, collectionRelation } from './relations.ts'

type LeafQuery = CollectionQuery | PointersQuery

/** A leaf, and what it reads. */
export interface LiveLeaf {
  readonly query: LeafQuery
  readonly leaf: Leaf
}

/** A step as it is put together: what looks at one row at a time runs with what is below it, in a leaf if that is one. */
interface Step {
  readonly plan: Plan
  readonly base: LiveOperator | { readonly query: LeafQuery; readonly ids?: readonly string[] }
  readonly maps: readonly RowMap[]
}

/** The operators of `query`, in whose order `plan.key` says it is; every leaf is added to `leaves`. Throws as `planQuery`. */
export function compileLive(query: Query, leaves: LiveLeaf[], ledger: Ledger): LiveOperator {
  return new Compiler(leaves, ledger).operator(query, 'query').operator
}

class Compiler {
  readonly #leaves: LiveLeaf[]
  readonly #ledger: Ledger

  constructor(leaves: LiveLeaf[], ledger: Ledger) {
    this.#leaves = leaves
    this.#ledger = ledger
  }

  /** `where` says where the query stands, for errors. */
  operator(query: Query, where: string): { readonly plan: Plan; readonly operator: LiveOperator } {
    const { plan, base, maps } = this.#step(query, where)
    const isOperator = 'changed' in base
    if (isOperator && maps.length === 0) return { plan, operator: base }
    const map = chained(maps)
    const operator = isOperator ? new Mapped(base, map) : this.#leaf(base.query, base.ids, map)
    // Where rows have no key of their own, several may become the same.
    return { plan, operator: plan.key === undefined ? new Distinct(operator, this.#ledger) : operator }
  }

  #step(query: Query, where: string): Step {
    const at = `${where}.${query.kind}`
    switch (query.kind) {
      case 'collection':
        return { plan: planCollection(query, NO_CATALOGUE), base: { query }, maps: [] }
      case 'pointers':
        return { plan: planPointers(query), base: { query }, maps: [] }
      case 'select': {
        const below = this.#step(query.of, at)
        const passes = rowFilter(query.rule, below.plan, at)
        const plan = planSelect(below.plan, query.rule, at)
        const wanted = query.of.kind === 'collection' ? idsWanted(query.of, query.rule, below.plan) : undefined
        const base =
          wanted === undefined || query.of.kind !== 'collection' ? below.base : { query: query.of, ids: wanted }
        return { plan, base, maps: [...below.maps, (row, run) => (passes(row, run) ? [row] : [])] }
      }
      case 'project': {
        const below = this.#step(query.of, at)
        const make = projecting(columnMakers(query.columns, below.plan, at))
        const plan = planProject(below.plan, query.columns, at)
        return { ...below, plan, maps: [...below.maps, (row, run) => [make(row, run)]] }
      }
      case 'rename': {
        const below = this.#step(query.of, at)
        const make = renaming(query.names)
        return { ...below, plan: planRename(below.plan, query.names, at), maps: [...below.maps, (row) => [make(row)]] }
      }
      case 'unnest': {
        const below = this.#step(query.of, at)
        const plan = planUnnest(below.plan, query.path, query.name, at)
        return { ...below, plan, maps: [...below.maps, (row) => unnested(row, query.path, query.name)] }
      }
      case 'join': {
        const { join: kind, on } = query
        const [left, right] = [this.operator(query.left, `${at}[0]`), this.operator(query.right, `${at}[1]`)]
        const plan = planJoin(kind, left.plan, right.plan, on, at)
        const sides = { left: left.operator, right: right.operator, on }
        if (!isMerging(kind)) return stateful(plan, new FilteringJoin(sides, kind, this.#ledger))
        return stateful(plan, new MergingJoin(sides, kind, addedColumns(left.plan, right.plan, on, at), this.#ledger))
      }
      case 'union':
      case 'intersect':
      case 'minus': {
        const { kind } = query
        const [left, right] = [this.operator(query.left, `${at}[0]`), this.operator(query.right, `${at}[1]`)]
        const plan =
          kind === 'union' ? planUnion(left.plan, right.plan, at) : planFilterBySide(kind, left.plan, right.plan, at)
        return stateful(plan, new Sides(left.operator, right.operator, KEEPS[kind], this.#ledger))
      }
      case 'group': {
        const { by, aggregates } = query
        const input = this.operator(query.of, at)
        const plan = planGroup(input.plan, by, aggregates, at)
        const byOf = projecting(columnMakers(by, input.plan, at))
        const isWhole = by.length === 0
        return stateful(plan, new Grouped({ input: input.operator, by: byOf, isWhole, aggregates }, this.#ledger))
      }
      // An order alone changes no set: it is in the plan's key, for the limit above it.
      case 'order': {
        const input = this.operator(query.of, at)
        return stateful(planOrder(input.plan, query.by, at), input.operator)
      }
      case 'limit': {
        const input = this.operator(query.of, at)
        const { key } = keyed(input.plan)
        return stateful(
          planLimit(input.plan, query.count),
          new FirstRows(input.operator, key, query.count, this.#ledger),
        )
      }
      case 'closure': {
        const input = this.operator(query.of, at)
        return stateful(planClosure(input.plan, query, at), new Closure(input.operator, query, this.#ledger))
      }
    }
  }

  #leaf(query: LeafQuery, ids: readonly string[] | undefined, map: RowMap): Leaf {
    const relation = query.kind === 'collection' ? collectionRelation(query, ids) : claimsRelation(query)
    const leaf = new Leaf(relation, map, this.#ledger)
    this.#leaves.push({ query, leaf })
    return leaf
  }
}

function stateful(plan: Plan, operator: LiveOperator): Step {
  return { plan, base: operator, maps: [] }
}

const KEEPS = {
  union: (isLeft: boolean, isRight: boolean) => isLeft || isRight,
  intersect: (isLeft: boolean, isRight: boolean) => isLeft && isRight,
  minus: (isLeft: boolean, isRight: boolean) => isLeft && !isRight,
} as const

function chained(maps: readonly RowMap[]): RowMap {
  const [only] = maps
  if (only !== undefined && maps.length === 1) return only
  return (row, run) => {
    let rows: readonly Row[] = [row]
    for (const map of maps) rows = rows.flatMap((one) => map(one, run))
    return rows
  }
}

/** Records that the rule names by their ids are read alone. */
function idsWanted({ id, alias }: CollectionQuery, rule: Rule, { lookups }: Plan): readonly string[] | undefined {
  const path = alias === undefined ? id : `${alias}.${id}`
  const lookup = lookups.find((one) => one.path === path)
  return lookup && wantedValues(rule, path, lookup.isText)
}
