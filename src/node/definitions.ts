/**
 * The definitions in force in a namespace, now or at a moment: `KINDS` lists all kinds of them. They are read from records
 * of the log and kept compiled until a change concerns them: before each read the store's changes since the last one are
 * looked through, so that what is kept can never differ from what would be read anew.
 */

import { type Delta, isReference, negatedIds, type Value } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import { parseEntityId } from '../delta/record.ts'
import { deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { isShown } from '../log/shown.ts'
import type { Change, EntityDeltas, Position, Store } from '../store/store.ts'
import { compileContext, type Context, resolversIn } from '../view/contexts/context.ts'
import {
  type DefinitionFault,
  type DefinitionRecord,
  type DefinitionSource,
  readDefinition,
} from '../view/definition.ts'
import { losslessView } from '../view/lossless.ts'
import { compileResolver } from '../view/resolvers/resolver.ts'
import { type ResolverSet, resolverSet } from '../view/resolvers/resolver-set.ts'
import { compileSchema } from '../view/schemas/schema.ts'
import { type SchemaSet, schemaSet } from '../view/schemas/schema-set.ts'
import type { Moment } from './moment.ts'

export const RESOLVER = 'resolver'
export const CONTEXT = 'context'
export const SCHEMA = 'schema'

/**
 * What is defined by records: of each kind its collection (one of `RESERVED_COLLECTIONS`), and what reads a definition.
 * A kind of one's own is one entry here; what is then in force is in `Definitions.records`, and its faults are reported.
 */
const KINDS = {
  [RESOLVER]: compileResolver,
  [CONTEXT]: compileContext,
  [SCHEMA]: compileSchema,
} satisfies { readonly [collection: string]: (value: Value, source: DefinitionSource) => unknown }

type Kind = keyof typeof KINDS

/** Of each kind the records that are there, by their ids. */
type RecordsByKind = {
  readonly [Of in Kind]: ReadonlyMap<string, DefinitionRecord<ReturnType<(typeof KINDS)[Of]>>>
}

const KIND_NAMES = Object.keys(KINDS) as readonly Kind[]
const PREFIXES = KIND_NAMES.map((kind) => `${kind}/`)

/** Past this many changes reading all records anew is the shorter way. */
const CHANGES_MAX = 256
const CHANGES_BYTES_MAX = 4_194_304
const PAGE_COUNT = 1_000
/** Moments whose definitions are kept compiled. */
const MOMENTS_MAX = 16

/** Definitions as of one moment. */
export interface Definitions {
  readonly records: RecordsByKind
  readonly resolvers: ResolverSet
  readonly schemas: SchemaSet
  /** The resolvers in force in a context. */
  readonly resolversIn: (context: Context) => ResolverSet
}

interface DefinedRecord {
  readonly kind: Kind
  readonly id: string
  readonly record: DefinitionRecord<unknown>
}

interface Held {
  readonly deltas: EntityDeltas
  readonly defined: DefinedRecord
}

export class DefinitionRecords {
  readonly #store: Store
  readonly #namespace: NamespaceId
  /** Changes up to here are in what is kept; undefined before the first read. */
  #position: Position | undefined
  readonly #held = new Map<string, Held>()
  /** The records upon which a delta bears that a later one may negate. */
  readonly #bearing = new Map<string, Set<string>>()
  #now: Definitions | undefined
  readonly #moments = new Map<string, Definitions>()

  constructor(store: Store, namespace: NamespaceId) {
    this.#store = store
    this.#namespace = namespace
  }

  /** Without a moment, as of now. */
  at(moment?: Moment): Definitions {
    this.#catchUp()
    if (moment === undefined) {
      return (this.#now ??= assemble([...this.#held.values()].map(({ defined }) => defined)))
    }
    const known = this.#moments.get(moment.key)
    if (known !== undefined) return known
    const definitions = assemble(
      [...this.#held].flatMap(([entity, { deltas }]) => define(entity, asOf(deltas, moment))),
    )
    const [oldest] = this.#moments.keys()
    if (this.#moments.size >= MOMENTS_MAX && oldest !== undefined) this.#moments.delete(oldest)
    this.#moments.set(moment.key, definitions)
    return definitions
  }

  #catchUp(): void {
    const position = this.#store.position()
    if (position === this.#position) return
    const touched = this.#position === undefined ? undefined : this.#touchedSince(this.#position, position)
    if (touched === undefined) this.#readAll()
    else for (const entity of touched) this.#read(entity)
    this.#position = position
  }

  /** The records that changes since then concern; undefined where only reading all anew tells. */
  #touchedSince(after: Position, position: Position): ReadonlySet<string> | undefined {
    if (position - after > CHANGES_MAX) return undefined
    const touched = new Set<string>()
    for (let from = after; from < position;) {
      const changes = this.#store.changesNow({ after: from, countMax: CHANGES_MAX, bytesMax: CHANGES_BYTES_MAX })
      const last = changes.at(-1)
      if (last === undefined) break
      for (const change of changes) if (!this.#note(change, touched)) return undefined
      from = last.position
    }
    return touched
  }

  #note(change: Change, touched: Set<string>): boolean {
    if (change.namespace !== this.#namespace) return true
    if (change.kind === 'voided') return false
    if (!isShown(change.block.header)) return true
    for (const delta of deltasOf(change.block)) {
      for (const entity of recordsIn(delta)) touched.add(entity)
      for (const id of negatedIds(delta.pointers)) for (const entity of this.#bearing.get(id) ?? []) touched.add(entity)
    }
    return true
  }

  #readAll(): void {
    this.#held.clear()
    this.#bearing.clear()
    this.#forget()
    for (const prefix of PREFIXES) {
      let after: string | undefined
      do {
        const page = this.#store.entities(this.#namespace, {
          prefix,
          countMax: PAGE_COUNT,
          ...(after === undefined ? {} : { after }),
        })
        for (const entity of page) this.#read(entity)
        after = page.at(-1)
      } while (after !== undefined)
    }
  }

  #read(entity: string): void {
    this.#forget()
    const deltas = this.#store.entity(this.#namespace, entity)
    const [defined] = define(entity, deltas)
    if (defined === undefined) return
    this.#held.set(entity, { deltas, defined })
    for (const { id } of [...deltas.deltas, ...deltas.negations]) {
      const records = this.#bearing.get(id)
      if (records === undefined) this.#bearing.set(id, new Set([entity]))
      else records.add(entity)
    }
  }

  #forget(): void {
    this.#now = undefined
    this.#moments.clear()
  }
}

/** Definitions that were passed over, in the order of their records. */
export function faultsOf({ records }: Definitions): readonly DefinitionFault[] {
  const faults = KIND_NAMES.flatMap((kind) => [...records[kind].values()].flatMap((record) => record.faults))
  return faults.sort((a, b) => compareUtf8(a.source.record, b.source.record))
}

function recordsIn(delta: Delta): readonly string[] {
  return delta.pointers
    .filter(isReference)
    .map(({ target }) => target)
    .filter((target) => PREFIXES.some((prefix) => target.startsWith(prefix)))
}

function asOf({ deltas, negations }: EntityDeltas, { admits }: Moment): EntityDeltas {
  return { deltas: deltas.filter(admits), negations: negations.filter(admits) }
}

/** What a record's deltas define; nothing for what is no record, or not there yet. */
function define(entity: string, { deltas, negations }: EntityDeltas): readonly DefinedRecord[] {
  const { collection, id } = parseEntityId(entity) ?? {}
  const kind = KIND_NAMES.find((name) => name === collection)
  if (id === undefined || kind === undefined || deltas.length === 0) return []
  const compile: (value: Value, source: DefinitionSource) => unknown = KINDS[kind]
  return [{ kind, id, record: readDefinition(losslessView(entity, deltas, negations), compile) }]
}

function assemble(defined: readonly DefinedRecord[]): Definitions {
  const byKind = new Map<Kind, Map<string, DefinitionRecord<unknown>>>(KIND_NAMES.map((kind) => [kind, new Map()]))
  for (const { kind, id, record } of defined) byKind.get(kind)?.set(id, record)
  // Each was compiled by its kind's own function.
  const records = Object.fromEntries(byKind) as unknown as RecordsByKind
  const resolvers = resolverSet([...records.resolver.values()])
  const inContexts = new WeakMap<Context, ResolverSet>()
  return {
    records,
    resolvers,
    schemas: schemaSet([...records.schema.values()]),
    resolversIn: (context) => {
      const known = inContexts.get(context) ?? resolversIn(context, resolvers)
      inContexts.set(context, known)
      return known
    },
  }
}
