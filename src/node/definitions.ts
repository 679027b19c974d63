/**
 * The definitions in force in a namespace, now or at a moment: `KINDS` lists all kinds of them. They are read from records
 * of the log and kept compiled until a change concerns them, of which `Freshness` tells, so that what is kept can never differ
 * from what would be read anew.
 */

import type { Delta, DeltaId, Pointer, Value } from '../delta/delta.ts'
import { namesTransaction, transactionOf } from '../delta/gathered.ts'
import { compareUtf8 } from '../delta/order.ts'
import { parseEntityId } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { EntityDeltas, Store } from '../store/store.ts'
import { compileStoredQuery } from '../query/stored-query.ts'
import { compileContext, type Context, resolversIn } from '../view/contexts/context.ts'
import {
  type DefinitionFault,
  type DefinitionRecord,
  type DefinitionSource,
  readDefinition,
} from '../view/definition.ts'
import { attempt } from '../view/fault.ts'
import { losslessView } from '../view/lossless.ts'
import { compileFunction } from '../view/functions/function-definition.ts'
import { compilePlacement } from '../view/placements/placement.ts'
import { type PlacementSet, placementSet } from '../view/placements/placement-set.ts'
import { compileResolver } from '../view/resolvers/resolver.ts'
import { type ResolverSet, resolverSet } from '../view/resolvers/resolver-set.ts'
import { compileSchema } from '../view/schemas/schema.ts'
import { type SchemaSet, schemaSet } from '../view/schemas/schema-set.ts'
import { Freshness, type Keeper } from './freshness.ts'
import type { Moment } from './moment.ts'

export const RESOLVER = 'resolver'
export const CONTEXT = 'context'
export const SCHEMA = 'schema'
export const QUERY = 'query'
export const FUNCTION = 'function'
export const PLACEMENT = 'placement'

/**
 * What is defined by records: of each kind its collection (one of `RESERVED_COLLECTIONS`), and what reads a definition.
 * A kind of one's own is one entry here; what is then in force is in `Definitions.records`, and its faults are reported.
 */
const KINDS = {
  [RESOLVER]: compileResolver,
  [CONTEXT]: compileContext,
  [SCHEMA]: compileSchema,
  [QUERY]: compileStoredQuery,
  [FUNCTION]: compileFunction,
  [PLACEMENT]: compilePlacement,
} satisfies { readonly [collection: string]: (value: Value, source: DefinitionSource) => unknown }

type Kind = keyof typeof KINDS

/** Of each kind the records that are there, by their ids. */
type RecordsByKind = {
  readonly [Of in Kind]: ReadonlyMap<string, DefinitionRecord<ReturnType<(typeof KINDS)[Of]>>>
}

const KIND_NAMES = Object.keys(KINDS) as readonly Kind[]
const PREFIXES = KIND_NAMES.map((kind) => `${kind}/`)

const PAGE_COUNT = 1_000
/** Moments whose definitions are kept compiled. */
const MOMENTS_MAX = 16

/** Definitions as of one moment. */
export interface Definitions {
  readonly records: RecordsByKind
  readonly resolvers: ResolverSet
  readonly schemas: SchemaSet
  readonly placements: PlacementSet
  /** The resolvers in force in a context. */
  readonly resolversIn: (context: Context) => ResolverSet
}

type Compiled = ReturnType<typeof attempt<unknown>>

interface DefinedRecord {
  readonly kind: Kind
  readonly id: string
  readonly record: DefinitionRecord<unknown>
  /** Its deltas and negations, without what they say: whoever asks as of a moment that holds all of them gets the same. */
  readonly seen: readonly Delta[]
  /** What became of the claims that were read, by their deltas: compiling one of hundreds of kilobytes takes long. */
  readonly compiled: ReadonlyMap<DeltaId, Compiled>
}

export class DefinitionRecords implements Keeper {
  readonly #store: Store
  readonly #namespace: NamespaceId
  readonly #freshness: Freshness
  readonly #held = new Map<string, DefinedRecord>()
  /** Records to be read before the next answer. */
  #stale: Set<string> | 'all' = 'all'
  /** Collections whose resolvers have not changed keep them, as objects: by these views are known to be old. */
  #now: Definitions | undefined
  #isNow = false
  readonly #moments = new Map<string, Definitions>()

  constructor(store: Store, namespace: NamespaceId, freshness = new Freshness(store, namespace)) {
    this.#store = store
    this.#namespace = namespace
    this.#freshness = freshness
    freshness.add(this)
  }

  /** Without a moment, as of now. */
  at(moment?: Moment): Definitions {
    this.#freshness.catchUp()
    this.#refresh()
    if (moment === undefined) return this.#inForce()
    const known = this.#moments.get(moment.key)
    if (known !== undefined) return known
    const definitions = assemble(
      [...this.#held].flatMap(([entity, held]) => {
        if (!held.seen.some(moment.admits)) return []
        const isSame = held.seen.every((delta) => moment.admits(delta) && transactionOf(delta.pointers) === undefined)
        return isSame ? [held] : define(entity, this.#store.entity(this.#namespace, entity, moment.admits), held)
      }),
    )
    const [oldest] = this.#moments.keys()
    if (this.#moments.size >= MOMENTS_MAX && oldest !== undefined) this.#moments.delete(oldest)
    this.#moments.set(moment.key, definitions)
    return definitions
  }

  concern(entities: ReadonlySet<string>): void {
    if (this.#stale === 'all') return
    for (const entity of entities) if (isDefinition(entity)) this.#stale.add(entity)
  }

  forget(): void {
    this.#stale = 'all'
  }

  #inForce(): Definitions {
    if (this.#now !== undefined && this.#isNow) return this.#now
    this.#now = assemble([...this.#held.values()], this.#now?.resolvers)
    this.#isNow = true
    return this.#now
  }

  #refresh(): void {
    const stale = this.#stale
    if (stale === 'all') this.#readAll()
    else if (stale.size === 0) return
    else for (const entity of stale) this.#read(entity)
    this.#stale = new Set()
    this.#isNow = false
    this.#moments.clear()
  }

  #readAll(): void {
    const before = new Map(this.#held)
    this.#held.clear()
    for (const prefix of PREFIXES) {
      let after: string | undefined
      do {
        const page = this.#store.entities(this.#namespace, {
          prefix,
          countMax: PAGE_COUNT,
          ...(after === undefined ? {} : { after }),
        })
        for (const entity of page) this.#read(entity, before.get(entity))
        after = page.at(-1)
      } while (after !== undefined)
    }
  }

  #read(entity: string, before = this.#held.get(entity)): void {
    const [defined] = define(entity, this.#store.entity(this.#namespace, entity), before)
    if (defined === undefined) this.#held.delete(entity)
    else this.#held.set(entity, defined)
  }
}

/** Definitions that were passed over, in the order of their records. */
export function faultsOf({ records }: Definitions): readonly DefinitionFault[] {
  const faults = KIND_NAMES.flatMap((kind) => [...records[kind].values()].flatMap((record) => record.faults))
  return faults.sort((a, b) => compareUtf8(a.source.record, b.source.record))
}

function isDefinition(entity: string): boolean {
  return PREFIXES.some((prefix) => entity.startsWith(prefix))
}

/** What a record's deltas define; nothing for what is no record, or not there yet. `before` spares compiling anew. */
function define(
  entity: string,
  { deltas, negations }: EntityDeltas,
  before: DefinedRecord | undefined,
): readonly DefinedRecord[] {
  const { collection, id } = parseEntityId(entity) ?? {}
  const kind = KIND_NAMES.find((name) => name === collection)
  if (id === undefined || kind === undefined || deltas.length === 0) return []
  const compiled = new Map<DeltaId, Compiled>()
  const compile = (value: Value, source: DefinitionSource): unknown => {
    const { delta } = source
    const attempted = before?.compiled.get(delta.id) ?? attempt((): unknown => KINDS[kind](value, source))
    // A delta with more pointers may claim several values.
    if (delta.pointers.length <= 2) compiled.set(delta.id, attempted)
    if ('value' in attempted) return attempted.value
    throw new RhizomeError(attempted.fault.code, attempted.fault.message)
  }
  const record = readDefinition(losslessView(entity, deltas, negations), compile)
  const seen = [...deltas, ...negations].map((delta) => ({ ...delta, pointers: belongingOf(delta) }))
  return [{ kind, id, record, seen, compiled }]
}

/** Of a delta's pointers the one by which it belongs to a transaction. */
function belongingOf({ pointers }: Delta): readonly Pointer[] {
  return pointers.filter(namesTransaction)
}

function assemble(defined: readonly DefinedRecord[], before?: ResolverSet): Definitions {
  const byKind = new Map<Kind, Map<string, DefinitionRecord<unknown>>>(KIND_NAMES.map((kind) => [kind, new Map()]))
  for (const { kind, id, record } of defined) byKind.get(kind)?.set(id, record)
  // Each was compiled by its kind's own function.
  const records = Object.fromEntries(byKind) as unknown as RecordsByKind
  const resolvers = resolverSet([...records.resolver.values()], [], before)
  const inContexts = new WeakMap<Context, ResolverSet>()
  return {
    records,
    resolvers,
    schemas: schemaSet([...records.schema.values()]),
    placements: placementSet(records.placement.values()),
    resolversIn: (context) => {
      const known = inContexts.get(context) ?? resolversIn(context, resolvers)
      inContexts.set(context, known)
      return known
    },
  }
}
