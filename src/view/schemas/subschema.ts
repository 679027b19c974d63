/** A compiled schema or part of one, and how it is applied to a value. */

import type { Value } from '../../delta/delta.ts'
import type { Path, Run } from './run.ts'

/** A schema with an identity of its own (`$id`), within which `#…` is looked up; the whole document is one. */
export interface Resource {
  readonly uri: string
  readonly root: Value
  /** By names of `$anchor` and `$dynamicAnchor`. */
  readonly anchors: ReadonlyMap<string, Value>
  readonly dynamicAnchors: ReadonlyMap<string, Value>
}

/** The resources through which a validation came to where it is, for `$dynamicRef`. */
export interface Scope {
  readonly resource: Resource
  readonly outer: Scope | undefined
}

/** What of a value schemas have dealt with: the annotations that `unevaluatedProperties` and `unevaluatedItems` look at. */
export class Evaluated {
  readonly properties = new Set<string>()
  /** Items before this index. */
  itemsCount = 0
  readonly items = new Set<number>()

  add(other: Evaluated, run: Run): void {
    run.spend(other.properties.size + other.items.size)
    for (const property of other.properties) this.properties.add(property)
    for (const index of other.items) this.items.add(index)
    this.itemsCount = Math.max(this.itemsCount, other.itemsCount)
  }
}

/** Where a value is met. */
export interface Place {
  readonly path: Path
  readonly scope: Scope
  /** What this schema has dealt with so far; absent where nobody asks. */
  readonly evaluated: Evaluated | undefined
}

/** One keyword, or several that work together. False when the value breaks it; the reason is in the run. */
export type Check = (value: Value, place: Place, run: Run) => boolean

export interface Subschema {
  readonly resource: Resource
  /** In the order in which they are to run. Filled once everything is compiled: schemas may refer to one another. */
  readonly checks: Check[]
  /** Those that look at what the others have dealt with: run if all of these hold. */
  readonly lastChecks: Check[]
}

/** What the document as a whole is asked while its keywords are compiled. */
export interface Compiling {
  /** Where in the schema: a JSON pointer, for messages. */
  readonly at: string
  readonly resource: Resource
  /** Compiles what is under these keys of the schema at hand. */
  readonly part: (...keys: readonly (string | number)[]) => Subschema
  /** What a `$ref` names. Throws RZ_SCHEMA_REF. */
  readonly target: (reference: string) => Subschema
  /** What a `$dynamicRef` names, given where a validation came from. Throws RZ_SCHEMA_REF. */
  readonly dynamicTarget: (reference: string) => (scope: Scope, run: Run) => Subschema
  /** Throws RZ_SCHEMA_PATTERN. */
  readonly pattern: (source: string) => (text: string, run: Run) => boolean
  /** Whether some schema of the document asks what was evaluated. */
  readonly evaluates: boolean
}

/** The fields of the schema object at hand. */
export type Fields = { readonly [keyword: string]: Value }

/** Makes a check of the keywords that it knows; undefined when the schema has none of them. Throws RZ_SCHEMA_INVALID. */
export type Keyword = (fields: Fields, compiling: Compiling) => Check | undefined

/** Applies a schema to the value of a property or an item. */
export function applyInside(schema: Subschema, value: Value, key: string | number, place: Place, run: Run): boolean {
  return apply(schema, value, { outer: place.path, key }, place.scope, undefined, run, place.evaluated !== undefined)
}

/** Applies a schema to the same value; what it has dealt with counts as dealt with here, if the value satisfies it. */
export function applyHere(schema: Subschema, value: Value, place: Place, run: Run): boolean {
  return apply(schema, value, place.path, place.scope, place.evaluated, run, place.evaluated !== undefined)
}

/** The whole document, at the root of a record. */
export function applyRoot(schema: Subschema, value: Value, run: Run, evaluates: boolean): boolean {
  return apply(schema, value, undefined, { resource: schema.resource, outer: undefined }, undefined, run, evaluates)
}

function apply(
  { checks, lastChecks, resource }: Subschema,
  value: Value,
  path: Path,
  from: Scope,
  into: Evaluated | undefined,
  run: Run,
  evaluates: boolean,
): boolean {
  run.enter()
  const evaluated = evaluates ? new Evaluated() : undefined
  const scope = from.resource === resource ? from : { resource, outer: from }
  const place: Place = { path, scope, evaluated }
  const isSatisfied = holdAll(checks, value, place, run) && holdAll(lastChecks, value, place, run)
  run.leave()
  if (isSatisfied && evaluated !== undefined) into?.add(evaluated, run)
  return isSatisfied
}

function holdAll(checks: readonly Check[], value: Value, place: Place, run: Run): boolean {
  let holds = true
  for (const check of checks) {
    if (check(value, place, run)) continue
    holds = false
    if (run.isDecided) break
  }
  return holds
}
