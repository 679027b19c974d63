/**
 * Definitions: the JSON values in the property `definition` of records that say how other records are read. They
 * themselves are read by the built-in latest, whatever other records say. design.md 5.
 */

import type { Delta, Value } from '../delta/delta.ts'
import { isList } from '../delta/value.ts'
import { RhizomeError } from '../errors.ts'
import { attempt, type Fault } from './fault.ts'
import type { LosslessView } from './lossless.ts'
import { SEMANTICS_VERSION } from './rules/semantics.ts'

/** The property of a record that holds its definition. */
export const DEFINITION = 'definition'

/** Records of these types are read by the built-in latest alone, so that no record changes how they are read. */
export const RESERVED_COLLECTIONS: ReadonlySet<string> = new Set([
  'resolver',
  'context',
  'schema',
  'query',
  'function',
  'placement',
  'grant',
  'erasure',
])

/** The record, and the delta of it, that holds a definition. */
export interface DefinitionSource {
  readonly record: string
  readonly delta: Delta
}

/** A definition that was passed over. */
export interface DefinitionFault extends Fault {
  readonly source: DefinitionSource
}

/** What a record says: the definition in force, if any, and those after it that were passed over. */
export interface DefinitionRecord<Definition> {
  readonly definition?: Definition
  /** Its first standing claim about a definition. */
  readonly since?: Delta
  readonly faults: readonly DefinitionFault[]
}

/** The last standing claim about a record's definition that can be read; those after it are reported. */
export function readDefinition<Definition>(
  view: LosslessView,
  compile: (value: Value, source: DefinitionSource) => Definition,
): DefinitionRecord<Definition> {
  const faults: DefinitionFault[] = []
  const claims = Object.hasOwn(view.properties, DEFINITION) ? (view.properties[DEFINITION] ?? []) : []
  for (const { delta, value, standing } of claims.toReversed()) {
    if (!standing) continue
    const source = { record: view.id, delta }
    const attempted = attempt(() => compile(value, source))
    if ('value' in attempted) {
      const first = claims.find((claim) => claim.standing)
      return { definition: attempted.value, since: first?.delta ?? delta, faults }
    }
    faults.push({ ...attempted.fault, source })
  }
  return { faults }
}

/** Throws RZ_DEFINITION_INVALID for anything but a version of the rule language, this release's or a later. */
export function parseSemantics(semantics: Value | undefined): number {
  if (typeof semantics === 'number' && Number.isInteger(semantics) && semantics >= 1) return semantics
  throw invalid(`"semantics" is the version of the rule language, here ${SEMANTICS_VERSION}`)
}

type Fields = { readonly [field: string]: Value }

/** Throws RZ_DEFINITION_INVALID for what is no object. */
export function fieldsOf(value: Value): Fields {
  if (typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array)) return value
  throw invalid('it is no object')
}

/** Throws RZ_DEFINITION_INVALID when there are other fields: they are misspelt, or mean what is not known here. */
export function refuseOthers(fields: Fields, names: readonly string[]): void {
  const unknown = Object.keys(fields).find((key) => !names.includes(key))
  if (unknown === undefined) return
  throw invalid(`it has no field "${unknown.slice(0, 40).toWellFormed()}"; its fields are ${names.join(', ')}`)
}

export function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_DEFINITION_INVALID', `not a definition: ${why}; view/README.md tells its form`)
}
