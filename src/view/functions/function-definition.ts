/**
 * Functions as records: of type `function`, whose property `definition` holds `{ when, emit, runsOn, semantics }`. `when` is a
 * rule over a delta, `emit` a template: records and deltas in whose places rules stand, which read the same delta. Whoever
 * wrote it, it ends within its gas, and what it gives is checked before anybody asserts it. design.md 5.
 */

import type { Delta, PeerId, Pointer, Value } from '../../delta/delta.ts'
import { parseEntityId, recordPointers } from '../../delta/record.ts'
import { isList } from '../../delta/value.ts'
import { RhizomeError } from '../../errors.ts'
import { compileFilter, readableDelta } from '../contexts/filter.ts'
import {
  type DefinitionSource,
  fieldsOf,
  invalid,
  parseSemantics,
  refuseOthers,
  RESERVED_COLLECTIONS,
} from '../definition.ts'
import type { Fault } from '../fault.ts'
import { compileRule, type Rule } from '../rules/rule.ts'
import { SEMANTICS_VERSION } from '../rules/semantics.ts'

/** What is put, with a rule in each place. A text, a number or a list of such is a rule that gives itself. */
export interface PutTemplate {
  readonly collection: Value
  readonly id: Value
  readonly properties: { readonly [property: string]: Value }
}

/** A raw delta, with a rule in each place. */
export interface DeltaTemplate {
  readonly pointers: readonly { readonly localContext: Value; readonly target: Value; readonly targetContext?: Value }[]
}

export interface FunctionDefinition {
  /** Which deltas it is for: a rule over a delta, as a context's filter. */
  readonly when: Value
  /** What it emits for one: 1 to 64 records and deltas. */
  readonly emit: readonly (PutTemplate | DeltaTemplate)[]
  /** Peer ids of the nodes that run it, each of which asserts what it gives in its own name; or `"anyone"`. */
  readonly runsOn: readonly string[] | 'anyone'
  /** Of the rule language. */
  readonly semantics: number
}

/** What a definition comes to. */
export interface CompiledFunction {
  /** Who asserted the definition. */
  readonly definedBy?: PeerId
  readonly sees: (delta: Delta) => boolean | Fault
  readonly runsOn: (node: string) => boolean
  /** The deltas to emit for one. Throws RZ_RULE_…, RZ_RECORD_INVALID, RZ_FUNCTION_EMIT. */
  readonly emissions: (delta: Delta) => readonly (readonly Pointer[])[]
}

const TEMPLATES_MAX = 64
const RULES_MAX = 512
/** For all rules of the template together, per delta. */
const EMIT_GAS = 100_000

type Evaluate = (rule: Rule) => Value
type Template = (evaluate: Evaluate) => readonly (readonly Pointer[])[]

/** Throws RZ_DEFINITION_INVALID, RZ_RULE_SEMANTICS, or as `compileRule` does. */
export function compileFunction(value: Value, source?: DefinitionSource): CompiledFunction {
  const fields = fieldsOf(value)
  const version = parseSemantics(fields['semantics'])
  if (version > SEMANTICS_VERSION) {
    throw new RhizomeError(
      'RZ_RULE_SEMANTICS',
      `the function is written in version ${version} of the rule language, and this release knows ${SEMANTICS_VERSION}: upgrade`,
    )
  }
  refuseOthers(fields, ['when', 'emit', 'runsOn', 'semantics'])
  const { when, emit, runsOn } = fields
  if (when === undefined) throw invalid('"when" is missing: a rule over a delta')
  const filter = compileFilter(when)
  const templates = templatesOf(emit)
  return {
    ...(source && { definedBy: source.delta.creator }),
    sees: (delta) => filter.sees(delta),
    runsOn: runsOnOf(runsOn),
    emissions: (delta) => {
      const data = readableDelta(delta)
      let gasLeft = EMIT_GAS
      const evaluate: Evaluate = (rule) =>
        rule.run(data, { gasMax: gasLeft, spent: (gas) => void (gasLeft -= gas) }).value
      const emissions = templates.flatMap((template) => template(evaluate))
      for (const pointers of emissions) refuseReserved(pointers)
      return emissions
    },
  }
}

function runsOnOf(runsOn: Value | undefined): CompiledFunction['runsOn'] {
  if (runsOn === 'anyone') return () => true
  if (runsOn !== undefined && isList(runsOn) && runsOn.every((peer) => typeof peer === 'string')) {
    const listed = new Set<string>(runsOn)
    return (node) => listed.has(node)
  }
  throw invalid('"runsOn" is a list of peer ids, of the nodes that run it, or "anyone"')
}

function templatesOf(emit: Value | undefined): readonly Template[] {
  if (emit === undefined || !isList(emit) || emit.length === 0 || emit.length > TEMPLATES_MAX) {
    throw invalid(`"emit" is a list of 1 to ${TEMPLATES_MAX} records or deltas`)
  }
  let ruleCount = 0
  const ruleOf = (rule: Value | undefined, what: string): Rule => {
    if (rule === undefined) throw invalid(`"emit" has something without a "${what}"`)
    if (++ruleCount > RULES_MAX) throw invalid(`"emit" has more than ${RULES_MAX} places`)
    return compileRule(rule, { gasMax: EMIT_GAS })
  }
  return emit.map((one) => {
    const fields = fieldsOf(one)
    return fields['pointers'] === undefined ? putTemplate(fields, ruleOf) : deltaTemplate(fields, ruleOf)
  })
}

type RuleOf = (rule: Value | undefined, what: string) => Rule

function putTemplate(fields: ReturnType<typeof fieldsOf>, ruleOf: RuleOf): Template {
  refuseOthers(fields, ['collection', 'id', 'properties'])
  const collection = ruleOf(fields['collection'], 'collection')
  const id = ruleOf(fields['id'], 'id')
  const properties = Object.entries(fieldsOf(fields['properties'] ?? null)).map(
    ([property, rule]) => [property, ruleOf(rule, property)] as const,
  )
  return (evaluate) => {
    const values = properties.map(([property, rule]) => [property, evaluate(rule)] as const)
    return recordPointers(
      textOf(evaluate(collection), 'collection'),
      textOf(evaluate(id), 'id'),
      Object.fromEntries(values),
    )
  }
}

function deltaTemplate(fields: ReturnType<typeof fieldsOf>, ruleOf: RuleOf): Template {
  refuseOthers(fields, ['pointers'])
  const { pointers } = fields
  if (pointers === undefined || !isList(pointers)) throw invalid('"pointers" is a list')
  const rules = pointers.map((pointer) => {
    const { localContext, target, targetContext, ...others } = fieldsOf(pointer)
    refuseOthers(others, [])
    return {
      localContext: ruleOf(localContext, 'localContext'),
      target: ruleOf(target, 'target'),
      targetContext: targetContext === undefined ? undefined : ruleOf(targetContext, 'targetContext'),
    }
  })
  return (evaluate) => [
    rules.map(({ localContext, target, targetContext }): Pointer => {
      const name = textOf(evaluate(localContext), 'localContext')
      if (targetContext === undefined) return { localContext: name, target: evaluate(target) }
      return {
        localContext: name,
        target: textOf(evaluate(target), 'target'),
        targetContext: textOf(evaluate(targetContext), 'targetContext'),
      }
    }),
  ]
}

function textOf(value: Value, what: string): string {
  if (typeof value === 'string') return value
  throw new RhizomeError('RZ_FUNCTION_EMIT', `the rule for "${what}" gives no text for this delta`)
}

/** What says how others are read is asserted by people, not by rules in somebody's name. */
function refuseReserved(pointers: readonly Pointer[]): void {
  for (const { target } of pointers) {
    const collection = typeof target === 'string' ? parseEntityId(target)?.collection : undefined
    if (collection === undefined || !RESERVED_COLLECTIONS.has(collection)) continue
    throw new RhizomeError('RZ_FUNCTION_EMIT', `a function that is a record writes no "${collection}"`)
  }
}
