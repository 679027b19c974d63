/**
 * What a namespace writes: in which log, and only what belongs there. Before anything is signed, records are held against the
 * placements and the schemas in force. What others write is not held against either.
 */

import { type DeltaId, negationPointers, type PeerId, type Pointer } from '../delta/delta.ts'
import { entityIdOf, parseEntityId, type PropertyInput, recordPointers } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import { BLOCK_DELTAS_MAX } from '../log/block.ts'
import { type NamespaceId, shardNameOf } from '../log/namespace.ts'
import type { Notes, Store } from '../store/store.ts'
import { latestClaim } from '../view/latest.ts'
import { losslessView, type LosslessView } from '../view/lossless.ts'
import { staysInParent } from '../view/placements/placement.ts'
import type { PlacementSet } from '../view/placements/placement-set.ts'
import { Conformance, type Intent } from './conformance.ts'
import { type DeliveryParts, prepareWait } from './delivery/until.ts'
import { type PutOptions, type PutResult, says, type WriteOptions } from './records.ts'
import { buildTransaction, type Transaction } from './transaction.ts'
import type { Views } from './views.ts'
import type { LogWriter, Written } from './writer.ts'

type Deltas = readonly (readonly Pointer[])[]
type Properties = Readonly<Record<string, PropertyInput>>

export interface WritingParts {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly name: string
  /** Of a shard: the name of the namespace whose placements hold here. */
  readonly parentName: string | undefined
  readonly views: Views
  /** The writer of an identity's log. Throws RZ_IDENTITY_UNKNOWN. */
  readonly writer: (identity: string | undefined) => LogWriter
  readonly delivery: DeliveryParts
  /** Refuses writing. */
  readonly keep: boolean
}

export class Writing {
  readonly #parts: WritingParts
  readonly #conformance: Conformance

  constructor(parts: WritingParts) {
    this.#parts = parts
    this.#conformance = new Conformance(parts.store, parts.namespace, parts.views)
  }

  async put(collection: string, id: string, properties: Properties, options: PutOptions): Promise<PutResult> {
    const wanted = options.onlyChanged === true ? this.changed(collection, id, properties) : properties
    const deltas = recordPointers(collection, id, wanted)
    this.#checkPlace(collection, id)
    this.#conform(new Set(deltas.length === 0 ? [] : [entityIdOf(collection, id)]), deltas, options)
    return { id, ...(await this.write(deltas, options)) }
  }

  async transaction(build: (transaction: Transaction) => void, options: PutOptions): Promise<Written> {
    const { deltas, records } = buildTransaction(build)
    return this.writeRecords(records, deltas, options)
  }

  async delete(collection: string, id: string, options: WriteOptions): Promise<Written> {
    return negateAll(this.standingOf(collection, id), (deltas) => this.write(deltas, options))
  }

  /** Writes deltas as one block, once the records that they put have been held against placements and schemas. */
  async writeRecords(
    records: ReadonlySet<string>,
    deltas: Deltas,
    options: PutOptions,
    notes?: Notes,
  ): Promise<Written> {
    this.#checkPlaces(records)
    this.#conform(records, deltas, options)
    return this.write(deltas, options, notes)
  }

  /** Writes deltas as one block, whatever records they are about. */
  async write(deltas: Deltas, options: WriteOptions, notes?: Notes): Promise<Written> {
    const { keep, delivery, store, writer } = this.#parts
    if (keep) {
      const message =
        'this node is a keeper and writes nothing of its own: write on another, or start it without --keep'
      throw new RhizomeError('RZ_NODE_KEEPER', message)
    }
    const wait = prepareWait(delivery, options)
    const written =
      deltas.length === 0 ? { deltas: [], position: store.position() } : await writer(options.as).write(deltas, notes)
    return wait === undefined ? written : { ...written, ...(await wait(written.block)) }
  }

  /** Holds what another node is about to write against the schemas in force. Throws as `put`. */
  checkIntent(intent: Omit<Intent, 'creator'> & { readonly creator: PeerId }): void {
    const { creator } = intent
    if (intent.records.size > 0) this.#conformance.check({ ...intent, creator: () => creator })
  }

  /** Those of the properties that the record has otherwise. */
  changed(collection: string, id: string, properties: Properties): Properties {
    const claims = this.#lossless(entityIdOf(collection, id)).properties
    return Object.fromEntries(
      Object.entries(properties).filter(([property, input]) => {
        const latest = latestClaim(claims[property] ?? [])
        return latest === undefined || !says(latest, input)
      }),
    )
  }

  /** The standing claims about a record. */
  standingOf(collection: string, id: string): readonly DeltaId[] {
    const claims = Object.values(this.#lossless(entityIdOf(collection, id)).properties).flat()
    return [...new Set(claims.filter((claim) => claim.standing).map((claim) => claim.delta.id))]
  }

  get #placements(): PlacementSet {
    return this.#parts.views.definitions().placements
  }

  #checkPlaces(records: ReadonlySet<string>): void {
    for (const entity of records) {
      const { collection, id } = parseEntityId(entity) ?? {}
      if (collection !== undefined && id !== undefined) this.#checkPlace(collection, id)
    }
  }

  /** A record written where nobody looks for it would not be seen. */
  #checkPlace(collection: string, id: string): void {
    const { name, parentName } = this.#parts
    if (parentName !== undefined && staysInParent(collection)) {
      const message = `${collection}/${id} is for everybody, and belongs to "${parentName}"`
      throw new RhizomeError('RZ_PLACEMENT_ELSEWHERE', message)
    }
    const range = this.#placements.rangeOf(collection, id)
    const parent = parentName ?? name
    const place = range === undefined ? parent : shardNameOf(parent, range)
    // What a shard holds beside its range is nobody's: placements may have come after it was written.
    if (place === name) return
    throw new RhizomeError(
      'RZ_PLACEMENT_ELSEWHERE',
      `${collection}/${id} lies in "${place}": write it by node.everywhere("${parent}"), wherever that is held`,
    )
  }

  #conform(records: ReadonlySet<string>, deltas: Deltas, options: PutOptions): void {
    const { checkReferences = false, as } = options
    const creator = () => this.#parts.writer(as).creator
    if (records.size > 0) this.#conformance.check({ records, deltas, checkReferences, creator })
  }

  /** In no context and by no rules: what writing goes by. */
  #lossless(entity: string): LosslessView {
    const { deltas, negations } = this.#parts.store.entity(this.#parts.namespace, entity)
    return losslessView(entity, deltas, negations)
  }
}

/** Negates claims, in as many blocks as it takes: the answer names the last. */
export async function negateAll(
  standing: readonly DeltaId[],
  write: (deltas: Deltas) => Promise<Written>,
): Promise<Written> {
  const negations = standing.map(negationPointers)
  const blocks: Promise<Written>[] = []
  for (let start = 0; start === 0 || start < negations.length; start += BLOCK_DELTAS_MAX) {
    blocks.push(write(negations.slice(start, start + BLOCK_DELTAS_MAX)))
  }
  const written = await Promise.all(blocks)
  return { ...(written.at(-1) as Written), deltas: written.flatMap(({ deltas }) => deltas) }
}
