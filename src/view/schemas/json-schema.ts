/**
 * JSON Schema 2020-12, interpreted. Written here, not taken from a package, since schemas come from whoever writes to the
 * namespace: none of the validators that there are can be told how much work one schema may make, and all hand its patterns
 * to an engine that can take exponential time. What it holds to is in view/README.md, Schemas.
 *
 * Sources: draft-bhutton-json-schema-01 (Core), draft-bhutton-json-schema-validation-01 (Validation).
 */

import type { Value } from '../../delta/delta.ts'
import { isList } from '../../delta/value.ts'
import { RhizomeError } from '../../errors.ts'
import { compileDocument } from './document.ts'
import { invalidSchema } from './keywords/written.ts'
import { GAS_BASE, GAS_PER_ITEM, SCHEMA_DEPTH_MAX, SCHEMA_ITEMS_MAX, VALUE_LEVELS_MAX } from './limits.ts'
import { Run, type SchemaFault } from './run.ts'
import { applyRoot } from './subschema.ts'

export interface JsonSchema {
  /** Why a value breaks the schema, at most 16 reasons; none when it satisfies it. Never throws. */
  readonly faultsOf: (value: Value) => readonly SchemaFault[]
}

/**
 * Throws RZ_SCHEMA_INVALID for what is no JSON Schema, RZ_SCHEMA_TOO_LARGE past 16,384 values or 64 levels, RZ_SCHEMA_REF for
 * a `$ref` that leads out of it or nowhere, RZ_SCHEMA_PATTERN for a pattern that is none, or not of linear time.
 */
export function compileJsonSchema(written: unknown): JsonSchema {
  const { schema, evaluates } = compileDocument(new Copy().of(written, 0, ''))
  return {
    faultsOf: (value) => {
      const run = new Run(GAS_BASE)
      try {
        run.spend(-GAS_PER_ITEM * itemsIn(value, 0))
        applyRoot(schema, value, run, evaluates)
      } catch (error) {
        if (!(error instanceof RhizomeError) || error.code !== 'RZ_SCHEMA_GAS') throw error
        return [{ path: '', keyword: '', code: 'RZ_SCHEMA_GAS', message: error.message }]
      }
      return run.faults
    },
  }
}

/** A copy of what was handed in, so that nobody changes it later, and each schema in it is an object of its own. */
class Copy {
  #items = 0

  of(written: unknown, depth: number, at: string): Value {
    this.#count(1)
    switch (typeof written) {
      case 'string':
      case 'boolean':
        return written
      case 'number':
        if (!Number.isFinite(written)) throw invalidSchema(at, `${written} is no JSON`)
        return written + 0
      case 'object':
        return written === null ? null : this.#composite(written, depth, at)
      default:
        throw invalidSchema(at, `a value of type ${typeof written} is no JSON`)
    }
  }

  #composite(written: object, depth: number, at: string): Value {
    if (written instanceof Uint8Array) return written.slice()
    if (depth >= SCHEMA_DEPTH_MAX) {
      throw new RhizomeError(
        'RZ_SCHEMA_TOO_LARGE',
        `a schema is nested at most ${SCHEMA_DEPTH_MAX} deep: make it flatter`,
      )
    }
    if (Array.isArray(written))
      return Array.from(written, (item: unknown, index) => this.of(item, depth + 1, `${at}/${index}`))
    const prototype: unknown = Object.getPrototypeOf(written)
    if (prototype !== Object.prototype && prototype !== null)
      throw invalidSchema(at, 'only plain objects and lists are JSON')
    const entries = Object.entries(written)
    this.#count(entries.length)
    return Object.fromEntries(entries.map(([key, item]) => [key, this.of(item, depth + 1, `${at}/${key}`)]))
  }

  #count(items: number): void {
    this.#items += items
    if (this.#items <= SCHEMA_ITEMS_MAX) return
    throw new RhizomeError('RZ_SCHEMA_TOO_LARGE', `a schema holds at most ${SCHEMA_ITEMS_MAX} values: shorten it`)
  }
}

/** Values in a value, itself and those at any depth. Throws RZ_SCHEMA_GAS where it is deeper than any record's. */
function itemsIn(value: Value, depth: number): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1
  if (depth > VALUE_LEVELS_MAX)
    throw new RhizomeError('RZ_SCHEMA_GAS', 'is nested too deep to be held against its schema')
  const parts = isList(value) ? value : Object.values(value)
  let count = 1
  for (const part of parts) count += itemsIn(part, depth + 1)
  return count
}
