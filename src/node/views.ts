/**
 * Reads of one namespace: which deltas, definitions and context belong to a question is found here; what they amount to is
 * decided in `view`. Every answer is of one state of the store.
 */

import type { Delta, DeltaId, PeerId, Value } from '../delta/delta.ts'
import { entityIdOf } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { readingIn } from '../query/reading.ts'
import { type QueryPage, runQuery } from '../query/run.ts'
import type { Store } from '../store/store.ts'
import { type Context, type ContextView, OPEN_CONTEXT, viewIn } from '../view/contexts/context.ts'
import { type Change, diffViews } from '../view/diff.ts'
import { explain, type Explanation } from '../view/explain.ts'
import type { Fault } from '../view/fault.ts'
import { type History, historyOf } from '../view/history.ts'
import type { LosslessView } from '../view/lossless.ts'
import type { ResolvedView } from '../view/lossy.ts'
import type { ResolverSet } from '../view/resolvers/resolver-set.ts'
import { type Definitions, DefinitionRecords, faultsOf } from './definitions.ts'
import { type AsOfInput, type Moment, momentOf } from './moment.ts'

export interface ContextOptions {
  /** Id of the context's record. Default: everything is seen, and everyone's negations count. */
  readonly context?: string
}

export interface ViewOptions extends ContextOptions {
  /** Deltas and definitions as they were then. Default: now. */
  readonly asOf?: AsOfInput
}

export interface HistoryOptions extends ViewOptions {
  /** The newest deltas to look at, each at the cost of a view: 1 to 1,000. Default 100. */
  readonly deltasMax?: number
}

export interface DiffOptions extends ContextOptions {
  readonly from: AsOfInput
  /** Default: now. */
  readonly to?: AsOfInput
}

/** The lossy view of a record or entity. */
export interface View {
  /** The record's id in its collection, or the entity's id. */
  readonly id: string
  readonly properties: { readonly [property: string]: Value }
  /** Per property that has no value because its rule failed. */
  readonly errors: { readonly [property: string]: Fault }
  /** Deltas that are not seen because the context's filter failed on them. */
  readonly unseen: readonly (Fault & { readonly delta: Delta })[]
}

/** A definition of a resolver or context that was passed over. */
export interface DefinitionProblem extends Fault {
  /** The entity of the record that holds it. */
  readonly record: string
  readonly delta: DeltaId
  readonly creator: PeerId
}

export interface ViewsOptions {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly name: string
}

/** 0.2 s where the record has 1,000 deltas. */
const HISTORY_DELTAS_DEFAULT = 100

interface Frame {
  readonly context: Context
  readonly resolvers: ResolverSet
  readonly moment: Moment | undefined
}

export class Views {
  readonly #options: ViewsOptions
  readonly #definitions: DefinitionRecords

  constructor(options: ViewsOptions) {
    this.#options = options
    this.#definitions = new DefinitionRecords(options.store, options.namespace)
  }

  lossless(entity: string, options: ViewOptions): LosslessView | undefined {
    const { lossless } = this.#viewIn(entity, this.#frame(options))
    return Object.keys(lossless.properties).length === 0 ? undefined : lossless
  }

  /** `id` is what the answer is to be called. */
  view(entity: string, id: string, options: ViewOptions): View | undefined {
    const { lossy, faults } = this.#viewIn(entity, this.#frame(options))
    const { properties, errors } = lossy
    if (Object.keys(properties).length === 0 && Object.keys(errors).length === 0) return undefined
    return { id, properties, errors, unseen: faults }
  }

  explain(collection: string, id: string, property: string, options: ViewOptions): Explanation | undefined {
    const frame = this.#frame(options)
    const { lossless, lossy } = this.#viewIn(entityIdOf(collection, id), frame)
    const isKnown = [lossless.properties, lossy.properties, lossy.errors].some((map) => Object.hasOwn(map, property))
    return isKnown ? explain(lossless, lossy, frame.resolvers, property) : undefined
  }

  history(collection: string, id: string, property: string, options: HistoryOptions): History {
    const { deltasMax = HISTORY_DELTAS_DEFAULT } = options
    const { context, resolvers, moment } = this.#frame(options)
    const entity = entityIdOf(collection, id)
    const { deltas, negations } = this.#held(entity, moment)
    return historyOf(entity, property, deltas, negations, { context, resolvers, deltasMax })
  }

  diff(collection: string, id: string, { from, to, context }: DiffOptions): readonly Change[] {
    const entity = entityIdOf(collection, id)
    const at = (asOf: AsOfInput | undefined): ResolvedView =>
      this.#viewIn(entity, this.#frame({ ...(context && { context }), ...(asOf !== undefined && { asOf }) })).lossy
    return diffViews(at(from), at(to))
  }

  query(json: unknown, options: ViewOptions): QueryPage {
    const { context, resolvers, moment } = this.#frame(options)
    const { store, namespace } = this.#options
    const reading = readingIn(context, resolvers)
    return runQuery(json, store, namespace, { reading, ...(moment && { admits: moment.admits }) })
  }

  definitions(): Definitions {
    return this.#definitions.at()
  }

  problems(): readonly DefinitionProblem[] {
    return faultsOf(this.#definitions.at()).map(({ code, message, source: { record, delta } }) => ({
      code,
      message,
      record,
      delta: delta.id,
      creator: delta.creator,
    }))
  }

  /** Throws RZ_CONTEXT_UNKNOWN. */
  checkContext(id: string | undefined): void {
    this.#context(this.#definitions.at(), id)
  }

  #frame({ context: id, asOf }: ViewOptions): Frame {
    const moment = asOf === undefined ? undefined : momentOf(asOf, this.#options.store, this.#options.namespace)
    const definitions = this.#definitions.at(moment)
    const context = this.#context(definitions, id)
    return { context, resolvers: definitions.resolversIn(context), moment }
  }

  #viewIn(entity: string, { context, resolvers, moment }: Frame): ContextView {
    const { deltas, negations } = this.#held(entity, moment)
    return viewIn(context, resolvers, entity, deltas, negations)
  }

  #held(entity: string, moment: Moment | undefined) {
    const held = this.#options.store.entity(this.#options.namespace, entity)
    if (moment === undefined) return held
    return { deltas: held.deltas.filter(moment.admits), negations: held.negations.filter(moment.admits) }
  }

  #context({ records }: Definitions, id: string | undefined): Context {
    if (id === undefined) return OPEN_CONTEXT
    const { definition, faults } = records.context.get(id) ?? { faults: [] }
    if (definition !== undefined) return definition
    const [fault] = faults
    const why = fault === undefined ? `write one as the record context/${id}` : fault.message
    throw new RhizomeError('RZ_CONTEXT_UNKNOWN', `"${this.#options.name}" has no context "${id}" then: ${why}`)
  }
}
