/**
 * Reads of one namespace: which deltas, definitions and context belong to a question is found here; what they amount to is
 * decided in `view`. Every answer is of one state of the store.
 */

import type { Delta, DeltaId, PeerId, Value } from '../delta/delta.ts'
import { entityIdOf, parseEntityId } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { type KeptView, type Lens, ReadCache, type ReadCacheOptions } from '../query/read-cache.ts'
import type { ViewOf } from '../query/named-views.ts'
import { type Catalogue, NO_CATALOGUE } from '../query/plan.ts'
import { keptReading, readingIn } from '../query/reading.ts'
import { type QueryPage, runQuery } from '../query/run.ts'
import type { Position, Store } from '../store/store.ts'
import {
  type Context,
  type ContextEvidence,
  type ContextView,
  evidenceIn,
  OPEN_CONTEXT,
  viewIn,
} from '../view/contexts/context.ts'
import { type DeltaFilterInput, narrowed } from '../view/contexts/narrow.ts'
import { RESERVED_COLLECTIONS } from '../view/definition.ts'
import { type Change, diffViews } from '../view/diff.ts'
import { explain, type Explanation } from '../view/explain.ts'
import type { Fault } from '../view/fault.ts'
import { DELTA_GAS, type History, historyOf } from '../view/history.ts'
import type { LosslessView } from '../view/lossless.ts'
import type { ResolvedView } from '../view/lossy.ts'
import type { ResolverSet } from '../view/resolvers/resolver-set.ts'
import { type Definitions, DefinitionRecords, faultsOf } from './definitions.ts'
import type { Freshness } from './freshness.ts'
import type { LocalContexts } from './local-contexts.ts'
import { type AsOfInput, type Moment, momentOf } from './moment.ts'

export interface ContextOptions {
  /**
   * Id of a context, pinned on this node or else a record; false for none: everything is seen, and everyone's negations
   * count. Default: the node's own (`openNode({ context })`), else none.
   */
  readonly context?: string | false
}

export interface ViewOptions extends ContextOptions {
  /** Deltas and definitions as they were then. Default: now. */
  readonly asOf?: AsOfInput
  /**
   * Which deltas are seen, of those that the context sees: a rule over the delta (view/README.md, Contexts) or a function of
   * it. Throws RZ_RULE_… for a rule that cannot be read. Default: all.
   */
  readonly filter?: DeltaFilterInput
}

export interface HistoryOptions extends ViewOptions {
  /**
   * The newest deltas to look at, each at the cost of a view: 1 to 1,000; fewer where that takes more than a second or two, as
   * for a record of 10,000 deltas. Default 100.
   */
  readonly deltasMax?: number
}

export interface DiffOptions extends Omit<ViewOptions, 'asOf'> {
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
  readonly contexts: LocalContexts
  readonly freshness: Freshness
  /** Those of the parent, of a shard: rules live there. As of a frontier of the shard they are those of now. Default: its own. */
  readonly definitions?: DefinitionRecords
  readonly cache?: ReadCacheOptions
}

/** 0.2 s where the record has 1,000 deltas. */
const HISTORY_DELTAS_DEFAULT = 100

/** What a question is answered by: the rules and the moment that it names. */
export interface Frame {
  readonly context: Context
  readonly resolvers: ResolverSet
  readonly moment: Moment | undefined
}

/** Views that are kept are those of the current moment, in a context that others ask for as well. */
export interface AskedFrame extends Frame, Lens {
  readonly isKept: boolean
  /** Queries that records hold then. */
  readonly viewOf: ViewOf
}

export class Views {
  readonly #options: ViewsOptions
  /** What is defined here; of a shard, in its parent. */
  readonly definitionRecords: DefinitionRecords
  readonly #cache: ReadCache
  /** A walk over all entities asks for the same moment for each, and a frontier of thousands of logs takes time to read. */
  #lastMoment: { readonly asOf: AsOfInput; readonly position: Position; readonly moment: Moment } | undefined

  constructor(options: ViewsOptions) {
    const { store, namespace, freshness } = options
    this.#options = options
    this.#cache = new ReadCache(options.cache)
    this.definitionRecords = options.definitions ?? new DefinitionRecords(store, namespace, freshness)
    freshness.add(this.#cache)
  }

  lossless(entity: string, options: ViewOptions): LosslessView | undefined {
    const { lossless } = this.#evidenceIn(entity, this.#frame(options, entity))
    return Object.keys(lossless.properties).length === 0 ? undefined : lossless
  }

  /** `id` is what the answer is to be called. */
  view(entity: string, id: string, options: ViewOptions): View | undefined {
    return this.measured(entity, id, options).view
  }

  /** As `view`, with what making it takes: the gas of its rules, and what reading its deltas comes to. Kept ones count as made. */
  measured(
    entity: string,
    id: string,
    options: ViewOptions,
  ): { readonly view: View | undefined; readonly gas: number } {
    const frame = this.#frame(options, entity)
    const { lossy, faults, gasUsed, deltaCount } = frame.isKept
      ? this.#cache.view(entity, frame, () => this.#held(entity, undefined))
      : this.#viewIn(entity, frame)
    const { properties, errors } = lossy
    const isThere = Object.keys(properties).length > 0 || Object.keys(errors).length > 0
    return {
      view: isThere ? { id, properties, errors, unseen: faults } : undefined,
      gas: gasUsed + deltaCount * DELTA_GAS,
    }
  }

  explain(collection: string, id: string, property: string, options: ViewOptions): Explanation | undefined {
    const entity = entityIdOf(collection, id)
    const frame = this.#frame(options, entity)
    const { lossless, lossy } = this.#viewIn(entity, frame)
    const isKnown = [lossless.properties, lossy.properties, lossy.errors].some((map) => Object.hasOwn(map, property))
    return isKnown ? explain(lossless, lossy, frame.resolvers, property) : undefined
  }

  history(collection: string, id: string, property: string, options: HistoryOptions): History {
    const { deltasMax = HISTORY_DELTAS_DEFAULT } = options
    const entity = entityIdOf(collection, id)
    const { context, resolvers, moment } = this.#frame(options, entity)
    const { deltas, negations } = this.#held(entity, moment)
    return historyOf(entity, property, deltas, negations, { context, resolvers, deltasMax })
  }

  /** Whether a claim about the entity stands. */
  stands(entity: string, options: ViewOptions): boolean {
    const { context, moment } = this.#frame(options, entity)
    const { deltas, negations } = this.#held(entity, moment)
    // Most have no negation, and need no view to tell.
    if (negations.length === 0 && context.filter === undefined) return deltas.length > 0
    const { properties } = evidenceIn(context, entity, deltas, negations).lossless
    return Object.values(properties).some((claims) => claims.some(({ standing }) => standing))
  }

  /** Which deltas belong to a moment and are seen in a context; the node's own context does not count here. */
  seeing({ context: id = false, asOf, filter }: ViewOptions): (delta: Delta) => boolean {
    const moment = this.#moment(asOf)
    this.#context(this.#defined(moment), id)
    return (delta) => {
      if (moment !== undefined && !moment.admits(delta)) return false
      const context = narrowed(this.#context(this.#defined(moment), id), filter)
      return (context.filter?.sees(delta) ?? true) === true
    }
  }

  diff(collection: string, id: string, { from, to, ...options }: DiffOptions): readonly Change[] {
    const entity = entityIdOf(collection, id)
    const at = (asOf: AsOfInput | undefined): ResolvedView =>
      this.#viewIn(entity, this.#frame({ ...options, ...(asOf !== undefined && { asOf }) }, entity)).lossy
    return diffViews(at(from), at(to))
  }

  /** `catalogueOf` says what the plan may rely on; by default on stored queries alone. */
  query(json: unknown, options: ViewOptions, catalogueOf = withoutIndexes): QueryPage {
    const frame = this.frame(options)
    const { context, resolvers, moment, isKept } = frame
    const { store, namespace } = this.#options
    const reading = isKept ? keptReading(this.#cache, frame) : readingIn(context, resolvers)
    const catalogue = catalogueOf(frame)
    return runQuery(json, store, namespace, { reading, catalogue, ...(moment && { admits: moment.admits }) })
  }

  /** Throws RZ_AS_OF_INVALID, RZ_AS_OF_AHEAD. */
  definitions(asOf?: AsOfInput): Definitions {
    return this.#defined(this.#moment(asOf))
  }

  problems(): readonly DefinitionProblem[] {
    return faultsOf(this.#defined()).map(({ code, message, source: { record, delta } }) => ({
      code,
      message,
      record,
      delta: delta.id,
      creator: delta.creator,
    }))
  }

  /** Throws RZ_CONTEXT_UNKNOWN. */
  checkContext(id: ContextOptions['context']): void {
    this.#context(this.#defined(), id)
  }

  /** The context that is meant where none is named. */
  contextId(id: ContextOptions['context']): string | false {
    return id ?? this.#options.contexts.standard ?? false
  }

  /**
   * As anybody else would read it: in no context unless one is named, and then in that of the record, never one that is pinned
   * here. Throws RZ_CONTEXT_UNKNOWN, RZ_AS_OF_INVALID, RZ_AS_OF_AHEAD.
   */
  sharedFrame(id: string | undefined, asOf: AsOfInput | undefined): Frame {
    const moment = this.#moment(asOf)
    const definitions = this.#defined(moment)
    const context = id === undefined ? OPEN_CONTEXT : this.#recorded(definitions, id)
    return { context, resolvers: definitions.resolversIn(context), moment }
  }

  /** What a question is answered by. Throws RZ_CONTEXT_UNKNOWN, RZ_AS_OF_INVALID, RZ_AS_OF_AHEAD. */
  frame(options: ViewOptions): AskedFrame {
    return this.#frame(options)
  }

  /** Records that say how others are read can be read where the node's own context is not known yet: else none could be made. */
  #frame({ context: asked, asOf, filter }: ViewOptions, entity?: string): AskedFrame {
    const moment = this.#moment(asOf)
    const definitions = this.#defined(moment)
    const isReserved = entity !== undefined && RESERVED_COLLECTIONS.has(parseEntityId(entity)?.collection ?? '')
    const context = this.#context(definitions, asked ?? (isReserved ? false : undefined))
    return {
      context: narrowed(context, filter),
      logged: definitions.resolvers,
      resolvers: definitions.resolversIn(context),
      moment,
      viewOf: viewsIn(definitions),
      isKept: moment === undefined && filter === undefined,
    }
  }

  #defined(moment?: Moment): Definitions {
    const { definitions, freshness } = this.#options
    if (definitions === undefined) return this.definitionRecords.at(moment)
    // Its own views are kept by its own changes, and their rules by the parent's.
    freshness.catchUp()
    return definitions.at(moment?.isTime === true ? moment : undefined)
  }

  #moment(asOf: AsOfInput | undefined): Moment | undefined {
    if (asOf === undefined) return undefined
    const { store, namespace } = this.#options
    const position = store.position()
    const last = this.#lastMoment
    if (last?.asOf === asOf && last.position === position) return last.moment
    const moment = momentOf(asOf, store, namespace)
    // A date may be changed by its owner.
    if (typeof asOf !== 'object') this.#lastMoment = { asOf, position, moment }
    return moment
  }

  #evidenceIn(entity: string, { context, moment }: Frame): ContextEvidence {
    const { deltas, negations } = this.#held(entity, moment)
    return evidenceIn(context, entity, deltas, negations)
  }

  #viewIn(entity: string, { context, resolvers, moment }: Frame): ContextView & Pick<KeptView, 'deltaCount'> {
    const { deltas, negations } = this.#held(entity, moment)
    const view = viewIn(context, resolvers, entity, deltas, negations)
    return { ...view, deltaCount: deltas.length + negations.length }
  }

  #held(entity: string, moment: Moment | undefined) {
    return this.#options.store.entity(this.#options.namespace, entity, moment?.admits)
  }

  #context(definitions: Definitions, asked: ContextOptions['context']): Context {
    const id = this.contextId(asked)
    if (id === false) return OPEN_CONTEXT
    const pinned = this.#options.contexts.pinned.get(id)
    if (pinned !== undefined) return pinned
    const whose = asked === undefined ? ', in which this node reads unless told otherwise' : ''
    return this.#recorded(definitions, id, whose)
  }

  #recorded({ records }: Definitions, id: string, whose = ''): Context {
    const { definition, faults } = records.context.get(id) ?? { faults: [] }
    if (definition !== undefined) return definition
    const [fault] = faults
    const why = fault === undefined ? `write one as the record context/${id}, or pin one on this node` : fault.message
    throw new RhizomeError('RZ_CONTEXT_UNKNOWN', `"${this.#options.name}" has no context "${id}" then${whose}: ${why}`)
  }
}

function withoutIndexes({ viewOf }: AskedFrame): Catalogue {
  return { ...NO_CATALOGUE, viewOf }
}

function viewsIn({ records }: Definitions): ViewOf {
  return (id) => records.query.get(id)?.definition?.query
}
