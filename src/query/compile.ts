/** From a parsed query to its plan, operator by operator. Throws RZ_QUERY_COLUMN, RZ_QUERY_INVALID, RZ_RULE_…. */

import type { Query } from './algebra.ts'
import { planClosure } from './closure.ts'
import { planGroup } from './group.ts'
import { planJoin } from './join.ts'
import type { Catalogue, Plan } from './plan.ts'
import { planProject, planRename, planSelect, planUnnest } from './row-operators.ts'
import { planCollection, planPointers } from './scan.ts'
import { planFilterBySide, planUnion } from './sets.ts'
import { planLimit, planOrder } from './sort.ts'

/** The plan of `query`; `where` says where it stands, for errors. */
export function planQuery(query: Query, catalogue: Catalogue, where = 'query'): Plan {
  const at = `${where}.${query.kind}`
  switch (query.kind) {
    case 'collection':
      return planCollection(query, catalogue)
    case 'pointers':
      return planPointers(query)
    case 'select':
      return planSelect(planQuery(query.of, catalogue, at), query.rule, at)
    case 'project':
      return planProject(planQuery(query.of, catalogue, at), query.columns, at)
    case 'rename':
      return planRename(planQuery(query.of, catalogue, at), query.names, at)
    case 'unnest':
      return planUnnest(planQuery(query.of, catalogue, at), query.path, query.name, at)
    case 'join':
      return planJoin(
        query.join,
        planQuery(query.left, catalogue, `${at}[0]`),
        planQuery(query.right, catalogue, `${at}[1]`),
        query.on,
        at,
      )
    case 'union':
      return planUnion(planQuery(query.left, catalogue, `${at}[0]`), planQuery(query.right, catalogue, `${at}[1]`), at)
    case 'intersect':
    case 'minus':
      return planFilterBySide(
        query.kind,
        planQuery(query.left, catalogue, `${at}[0]`),
        planQuery(query.right, catalogue, `${at}[1]`),
        at,
      )
    case 'group':
      return planGroup(planQuery(query.of, catalogue, at), query.by, query.aggregates, at)
    case 'order':
      return planOrder(planQuery(query.of, catalogue, at), query.by, at)
    case 'limit':
      return planLimit(planQuery(query.of, catalogue, at), query.count)
    case 'closure':
      return planClosure(planQuery(query.of, catalogue, at), query, at)
  }
}
