/** Lossy views from deltas alone, as a node makes them from its store. */

import type { Delta } from '../../src/delta/delta.ts'
import { isReference } from '../../src/delta/delta.ts'
import { type Context, OPEN_CONTEXT, resolversIn, viewIn } from '../../src/view/contexts/context.ts'
import { readDefinition } from '../../src/view/definition.ts'
import { losslessView } from '../../src/view/lossless.ts'
import { compileResolver } from '../../src/view/resolvers/resolver.ts'
import { type ResolverSet, resolverSet } from '../../src/view/resolvers/resolver-set.ts'

/** The resolvers that the records among these deltas define. */
export function resolversOf(deltas: readonly Delta[]): ResolverSet {
  const targets = deltas.flatMap((delta) => delta.pointers.filter(isReference).map((pointer) => pointer.target))
  const records = [...new Set(targets)].filter((target) => target.startsWith('resolver/'))
  return resolverSet(records.map((record) => readDefinition(losslessView(record, deltas, deltas), compileResolver)))
}

/** The lossless and lossy view of `entity` from nothing but deltas. */
export function viewOf(entity: string, deltas: readonly Delta[], context: Context = OPEN_CONTEXT) {
  const resolvers = resolversIn(context, resolversOf(deltas))
  // What it took is not part of what it is.
  const { lossless, lossy, faults } = viewIn(context, resolvers, entity, deltas, deltas)
  return { lossless, lossy, faults }
}
