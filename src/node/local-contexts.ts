/**
 * Contexts of this node alone, from its configuration and never from the log: some pinned in the place of records of the
 * same id, and one in which everything is seen that is read without a context. design.md 5.
 */

import { RhizomeError } from '../errors.ts'
import { compileContext, type Context } from '../view/contexts/context.ts'
import { type ContextInput, contextValue } from './definition-input.ts'

export interface LocalContexts {
  /** By id: each takes the place of the record context/<id>, in every namespace and at every moment. */
  readonly pinned: ReadonlyMap<string, Context>
  /** Id of the context of a read that names none. */
  readonly standard?: string
}

/** Throws RZ_DEFINITION_INVALID and RZ_RULE_… that name the context. */
export function localContexts(
  definitions: Readonly<Record<string, ContextInput>> = {},
  standard?: string,
): LocalContexts {
  const pinned = new Map(Object.entries(definitions).map(([id, input]) => [id, compiled(id, input)]))
  return { pinned, ...(standard !== undefined && { standard }) }
}

function compiled(id: string, input: ContextInput): Context {
  try {
    return compileContext(contextValue(input))
  } catch (cause) {
    if (!(cause instanceof RhizomeError)) throw cause
    throw new RhizomeError(cause.code, `the context "${id}" of this node's configuration: ${cause.message}`, { cause })
  }
}
