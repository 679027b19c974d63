/**
 * What a holder tells of a shard's changes to whoever follows it: which records they bear upon, and which rules of the parent
 * have changed; what became of them is read elsewhere. A cursor of another store, or of another life of this one, is
 * told as that: the other then begins with all records.
 */

import { parseEntityId } from '../../delta/record.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Position, Store } from '../../store/store.ts'
import { concernedBy } from '../concerned.ts'
import type { Environment } from '../environment.ts'
import type { Namespace } from '../namespace.ts'
import { type RuleChange, ruleChangesIn } from '../rule-change.ts'
import { TOLD_MAX, TOLD_MS } from './limits.ts'
import { lifeOf, type StoreCursor } from './watch-cursor.ts'

/** What happened since a cursor. */
export interface Changes {
  /** Records that the changes bear upon, by their entities' ids, each once. */
  readonly records: readonly string[]
  readonly rules: readonly RuleChange[]
  /** Whoever goes on from here misses nothing. */
  readonly cursor: StoreCursor
  /** Whether the cursor was one of this store, and what happened since can be told. */
  readonly isKnown: boolean
  /** Whether that is all there is by now. */
  readonly isAll: boolean
}

export interface ChangesParts {
  readonly store: Store
  readonly environment: Pick<Environment, 'steadyMs'>
}

const PAGE = { countMax: 256, bytesMax: 1_048_576 }

/** Some milliseconds of work, and `TOLD_MAX` records and a block's, at the most: then the rest is asked for again. */
export function changesSince(
  { id, rules }: Namespace,
  after: StoreCursor | undefined,
  { store, environment }: ChangesParts,
): Changes {
  const end = store.position()
  const life = lifeOf(store.instance)
  if (after?.life !== life || after.position > end) return anew({ life, position: end })
  const records = new Set<string>()
  const changed = new Map<string, RuleChange>()
  const startMs = environment.steadyMs()
  let { position } = after
  while (position < end) {
    const page = store.changesNow({ after: position, ...PAGE })
    for (const change of page) {
      ;({ position } = change)
      const isOfRules = change.namespace === rules.namespace
      if (!isOfRules && change.namespace !== id) continue
      const concerned = concernedBy(change, store, change.namespace)
      if (isOfRules) for (const rule of ruleChangesIn(change, concerned, rules)) changed.set(JSON.stringify(rule), rule)
      if (change.namespace === id) {
        for (const entity of concerned) if (parseEntityId(entity) !== undefined) records.add(entity)
        // A whole log was voided, say: whoever follows looks at all records instead.
        if (records.size > 2 * TOLD_MAX) return anew({ life, position })
        if (records.size >= TOLD_MAX) return told(position)
      }
    }
    // What is left out at the end is void, and what voided it comes later.
    if (page.length === 0) position = end
    if (environment.steadyMs() - startMs > TOLD_MS) break
  }
  return told(position)

  function told(to: Position): Changes {
    return {
      records: [...records],
      rules: [...changed.values()],
      cursor: { life, position: to },
      isKnown: true,
      isAll: to >= end,
    }
  }
}

function anew(cursor: StoreCursor): Changes {
  return { records: [], rules: [], cursor, isKnown: false, isAll: true }
}

/** The namespaces whose changes are to be told of a shard. */
export function toldOf({ id, rules }: Namespace): ReadonlySet<NamespaceId> {
  return new Set([id, rules.namespace])
}
