/**
 * Writing records wherever they are held. What lies in a shard that is held elsewhere is checked by a holder, written to this
 * node's own log, and carried to a holder (carrying.ts). src/node/README.md, Shards.
 */

import { encodePointers } from '../../delta/bytes.ts'
import { isReference, negationPointers, type PeerId, type Pointer, type ReferencePointer } from '../../delta/delta.ts'
import { namesTransaction } from '../../delta/gathered.ts'
import { isDeltaId, parseDeltaId } from '../../delta/identifiers.ts'
import { entityIdOf, type PropertyInput, recordPointers } from '../../delta/record.ts'
import { RhizomeError } from '../../errors.ts'
import { type HeldResult, parseDeadline, type UntilOptions } from '../delivery/until.ts'
import { checkOptions } from '../known-options.ts'
import type { HybridClock } from '../hybrid-clock.ts'
import type { PutOptions, PutResult, WriteOptions } from '../records.ts'
import { buildTransaction, type Transaction } from '../transaction.ts'
import type { Written } from '../writer.ts'
import { negateAll } from '../writing.ts'
import { type AnsweredBy, givenBy } from './answered.ts'
import type { Finding } from './finding.ts'
import { RECEIPT_MS } from './limits.ts'
import type { Part, Places } from './places.ts'
import type { Reading } from './reading.ts'
import { isAbsent, type Shard } from './shard.ts'
import type { Shards } from './shards.ts'
import { listIn, parseDeltaIds, parseTime } from './words.ts'
import { intendedValue } from './writing-words.ts'

export interface WritingParts {
  readonly self: PeerId
  readonly places: Places
  readonly shards: Shards
  readonly finding: Finding
  readonly reading: Reading
  readonly clock: HybridClock
  /** Throws RZ_IDENTITY_UNKNOWN. */
  readonly creatorOf: (identity: string | undefined) => PeerId
}

/** Of references to deltas of the same block (log/block-bytes.ts). */
const OWN_BLOCK = './'

export class Writing {
  readonly #parts: WritingParts

  constructor(parts: WritingParts) {
    this.#parts = parts
  }

  async put(
    collection: string,
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
    options: PutOptions = {},
  ): Promise<PutResult & AnsweredBy> {
    const { places, self } = this.#parts
    await places.untilSettled()
    const part = places.of(collection, id)
    if ('here' in part) return givenBy(self, await part.here.put(collection, id, properties, options))
    const records = new Set([entityIdOf(collection, id)])
    return {
      id,
      ...(await this.#writeElsewhere(part.elsewhere, recordPointers(collection, id, properties), records, options)),
    }
  }

  async putLacking(collection: string, id: string, properties: Readonly<Record<string, PropertyInput>>): Promise<void> {
    const { places, shards } = this.#parts
    await places.untilSettled()
    const part = places.of(collection, id)
    if ('here' in part) {
      await shards.turn()
      const lacking = without(properties, part.here.get(collection, id, OPEN)?.properties)
      if (Object.keys(lacking).length > 0) await part.here.put(collection, id, lacking)
      return
    }
    const { elsewhere: shard } = part
    const entity = entityIdOf(collection, id)
    await this.#inTurn(
      shard,
      async (before) => {
        const { value } = await this.#parts.reading.get(collection, id, OPEN)
        const unknown = without(properties, value?.properties)
        await this.#prepare(shard, recordPointers(collection, id, unknown), new Set([entity]), {})
        await before
        // What has entered is committed by then, and what comes later waits for this.
        await shards.turn()
        const lacking = without(unknown, shard.namespace.lossless(entity, OPEN)?.properties)
        return { written: await shard.namespace.writeChecked(recordPointers(collection, id, lacking), {}) }
      },
      { until: 'local' },
    )
  }

  async delete(collection: string, id: string, options: WriteOptions = {}): Promise<Written & AnsweredBy> {
    const { places, shards, self } = this.#parts
    await places.untilSettled()
    const part = places.of(collection, id)
    if ('here' in part) return givenBy(self, await part.here.delete(collection, id, options))
    const { elsewhere: shard } = part
    checkOptions('delete', options)
    checkUntil(options)
    return this.#inTurn(
      shard,
      async (before) => {
        await before
        const heard = await shards.holders.ask(shard, 'standing', { collection, id })
        await this.#observe(shard)
        // What this node has written itself may not have come to the holder yet.
        const standing = new Set([...parseDeltaIds(heard.items), ...shard.namespace.standingOf(collection, id)])
        const written = await negateAll([...standing], (deltas) => shard.namespace.writeChecked(deltas, options))
        const answeredBy = [heard.by as PeerId]
        return standing.size === 0 ? { done: { ...written, answeredBy } } : { written }
      },
      options,
    )
  }

  async transaction(
    build: (transaction: Transaction) => void,
    options: Omit<PutOptions, 'onlyChanged'> = {},
  ): Promise<Written & AnsweredBy> {
    const { places, self } = this.#parts
    await places.untilSettled()
    if (!places.isPlaced) return givenBy(self, await places.namespace.transaction(build, options))
    const { deltas, records } = buildTransaction(build)
    const part = await this.#partOf(deltas)
    if ('here' in part) return givenBy(self, await part.here.transaction(build, options))
    return this.#writeElsewhere(part.elsewhere, deltas, records, options)
  }

  /** Where deltas that are written together belong. Throws RZ_PLACEMENT_TRANSACTION where that is not one place. */
  async #partOf(deltas: readonly (readonly Pointer[])[]): Promise<Part> {
    const { places } = this.#parts
    const entities = deltas.flatMap((pointers) => entityOf(pointers) ?? [])
    const negated = entities.find(isDeltaId)
    const ranges = new Set(
      entities.filter((entity) => !isDeltaId(entity)).map((entity) => places.rangeOfEntity(entity)),
    )
    // A negation goes with the others; alone it goes where its delta lies.
    if (ranges.size === 0 && negated !== undefined) return this.#partOfDelta(negated)
    if (ranges.size > 1) {
      const names = [...ranges].map((range) => places.nameOf(range))
      throw new RhizomeError(
        'RZ_PLACEMENT_TRANSACTION',
        `a transaction stays in one shard, and this one belongs to ${names.join(', ')}: write one for each`,
      )
    }
    const [range] = ranges
    return places.part(range)
  }

  async #partOfDelta(id: string): Promise<Part> {
    const { places, finding } = this.#parts
    const { value: part } = await finding.delta(id)
    if (part !== undefined) return part
    throw new RhizomeError(
      'RZ_SHARD_ACROSS',
      `nobody has the delta ${id}, so it is not known in which shard of "${places.namespace.name}" it lies: ` +
        'negate it by the namespace of its log',
    )
  }

  async negate(delta: string, options: WriteOptions = {}): Promise<Written & AnsweredBy> {
    const { places, self } = this.#parts
    await places.untilSettled()
    if (!places.isPlaced) return givenBy(self, await places.namespace.negate(delta, options))
    const part = await this.#partOfDelta(delta)
    if ('here' in part) return givenBy(self, await part.here.negate(delta, options))
    return this.#writeElsewhere(part.elsewhere, [negationPointers(parseDeltaId(delta).id)], new Set(), options)
  }

  async #writeElsewhere(
    shard: Shard,
    deltas: readonly (readonly Pointer[])[],
    records: ReadonlySet<string>,
    options: PutOptions,
  ): Promise<Written & AnsweredBy> {
    checkOptions('put', options)
    checkUntil(options)
    return this.#inTurn(
      shard,
      async (before, entered) => {
        const kept = await this.#prepare(shard, deltas, records, options)
        const wanted = kept === undefined ? deltas : deltas.filter((_, index) => kept.has(index))
        await before
        const writing = shard.namespace.writeChecked(wanted, options)
        entered()
        const written = await writing
        return wanted.length === 0 ? { done: givenBy(this.#parts.self, written) } : { written }
      },
      options,
    )
  }

  /** What is written to a shard from here comes into the log in the order in which it was asked for, and is carried then. */
  async #inTurn(
    shard: Shard,
    write: (
      before: Promise<void>,
      entered: () => void,
    ) => Promise<{ readonly done: Written & AnsweredBy } | { readonly written: Written }>,
    options: WriteOptions,
  ): Promise<Written & AnsweredBy> {
    const before = shard.writing
    const { promise, resolve } = Promise.withResolvers<void>()
    shard.writing = promise
    let result
    try {
      // Entered, not committed: what enters in one turn shares a block.
      result = await write(before, resolve)
    } finally {
      void before.then(resolve)
    }
    return 'done' in result ? result.done : this.#carried(shard, result.written, options)
  }

  /**
   * Has a holder hold what is to be written against the schemas, and brings this node's clock past what it has. Where nobody
   * holds the shard, this node goes by what it has itself, which is its own log. Answers which deltas say something new,
   * where that is asked.
   */
  async #prepare(
    shard: Shard,
    deltas: readonly (readonly Pointer[])[],
    records: ReadonlySet<string>,
    { as, checkReferences = false, onlyChanged = false }: PutOptions,
  ): Promise<ReadonlySet<number> | undefined> {
    const { shards, clock, creatorOf } = this.#parts
    const intent = { records, deltas, checkReferences, creator: creatorOf(as) }
    try {
      const intended = intendedValue(intent)
      const bytes = deltas.reduce((sum, pointers) => sum + encodePointers(pointers).length, 0)
      const { value } = await shards.gathering.ask(shard, 'prepare', null, [intended, onlyChanged], bytes)
      const [time, kept] = listIn(value)
      clock.observe(parseTime(time))
      return kept === null || kept === undefined ? undefined : new Set(listIn(kept).map(Number))
    } catch (error) {
      if (!isAbsent(error)) throw error
      shard.namespace.checkIntent(intent)
      return undefined
    }
  }

  async #observe(shard: Shard): Promise<void> {
    await this.#prepare(shard, [], new Set(), {})
  }

  async #carried(shard: Shard, written: Written, options: WriteOptions): Promise<Written & AnsweredBy> {
    const { shards, self } = this.#parts
    const { until, deadlineMs = RECEIPT_MS } = options
    if (written.block === undefined || until === 'local') {
      void shards.carrying.carry(shard)
      return {
        ...givenBy(this.#parts.self, written),
        ...(until === 'local' && { achieved: true, holders: [shards.self] }),
      }
    }
    const held = await shards.carrying.until(shard, written.block, deadlineMs)
    const holders = held.holders?.map(({ peer }) => peer).filter((peer) => peer !== self) ?? []
    // As everywhere, the result names holders where that was asked for; and where something is amiss.
    const told: HeldResult = held.achieved === true && until === undefined ? {} : held
    return { ...written, ...told, answeredBy: holders.length > 0 ? holders : [self] }
  }
}

const OPEN = { context: false } as const

function without<Item>(
  properties: Readonly<Record<string, Item>>,
  known: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, Item>> {
  return Object.fromEntries(Object.entries(properties).filter(([property]) => !Object.hasOwn(known, property)))
}

/** The entity that a delta belongs with: the first that it points at, beside its transaction and deltas of its own block. */
function entityOf(pointers: readonly Pointer[]): string | undefined {
  const first = pointers.find(
    (pointer): pointer is ReferencePointer =>
      isReference(pointer) && !pointer.target.startsWith(OWN_BLOCK) && !namesTransaction(pointer),
  )
  return first?.target
}

/** What a write to a shard that is held elsewhere can wait for. */
function checkUntil({ until, deadlineMs, members }: UntilOptions): void {
  if (deadlineMs !== undefined) parseDeadline(deadlineMs)
  const copies = typeof until === 'object' ? until.copies : 2
  if (members === undefined && until !== 'uniform' && until !== 'alive' && (copies === 1 || copies === 2)) return
  throw new RhizomeError(
    'RZ_DELIVERY_INVALID',
    'the shard is not held here: a write to it waits for a holder ("until": { copies: 2 }) or for nobody ("local"); for more write on a node that holds it',
  )
}
