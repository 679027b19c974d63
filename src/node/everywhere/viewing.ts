/** How views come to be, deltas and proofs, wherever they are held: what lies in a shard that is not held here is asked of a holder. */

import type { Delta, PeerId, Value } from '../../delta/delta.ts'
import { entityIdOf } from '../../delta/record.ts'
import { PROOF_BYTES_MAX } from '../../log/proof.ts'
import type { Change } from '../../view/diff.ts'
import type { Explanation } from '../../view/explain.ts'
import type { History } from '../../view/history.ts'
import type { LosslessView } from '../../view/lossless.ts'
import { checkOptions } from '../known-options.ts'
import type { ProofOptions } from '../proof.ts'
import type { Entity } from '../records.ts'
import { verifyProof } from '../verify-proof.ts'
import type { DiffOptions, HistoryOptions, ViewOptions } from '../views.ts'
import { type Answer, type Answered, givenBy } from './answered.ts'
import type { Finding } from './finding.ts'
import type { Part, Places } from './places.ts'
import type { Reading } from './reading.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'
import { parseChange, parseExplanation, parseLossless, parseMomentItem } from './view-words.ts'
import { bytesIn, integerIn, invalid, inWords, momentValue, parseDelta, type Word } from './words.ts'

export interface ViewingParts {
  readonly self: PeerId
  readonly places: Places
  readonly shards: Shards
  readonly reading: Reading
  readonly finding: Finding
}

export class Viewing {
  readonly #parts: ViewingParts

  constructor(parts: ViewingParts) {
    this.#parts = parts
  }

  entity(id: string, options: ViewOptions): Answer<Entity | undefined> {
    return this.#atEntity(id, (part) => this.entityIn(part, id, options))
  }

  lossless(entity: string, options: ViewOptions): Answer<LosslessView | undefined> {
    return this.#atEntity(entity, (part) => this.losslessIn(part, entity, options))
  }

  entityIn(part: Part, id: string, options: ViewOptions): Answer<Entity | undefined> {
    if ('here' in part) return this.#here(part.here.entity(id, options))
    checkOptions('entity', options)
    return this.#parts.reading.entityElsewhere(part.elsewhere, id, options)
  }

  losslessIn(part: Part, entity: string, options: ViewOptions): Answer<LosslessView | undefined> {
    if ('here' in part) return this.#here(part.here.lossless(entity, options))
    checkOptions('lossless', options)
    const content = { entity, reading: this.#parts.reading.asked(options) }
    return this.#asked(part.elsewhere, 'lossless', content, (items) => parseLossless(entity, items))
  }

  explain(collection: string, id: string, property: string, options: ViewOptions): Answer<Explanation | undefined> {
    const part = this.#parts.places.of(collection, id)
    if ('here' in part) return this.#here(part.here.explain(collection, id, property, options))
    checkOptions('explain', options)
    const record = entityIdOf(collection, id)
    const content = { record, property, reading: this.#parts.reading.asked(options) }
    return this.#asked(part.elsewhere, 'explain', content, (items) => parseExplanation(record, property, items))
  }

  history(collection: string, id: string, property: string, options: HistoryOptions): Answer<History> {
    const part = this.#parts.places.of(collection, id)
    if ('here' in part) return this.#here(part.here.history(collection, id, property, options))
    checkOptions('history', options)
    const { deltasMax, ...reading } = options
    const content = {
      record: entityIdOf(collection, id),
      property,
      ...(deltasMax !== undefined && { deltasMax }),
      reading: this.#parts.reading.asked(reading),
    }
    return this.#asked(part.elsewhere, 'history', content, (items, end) => ({
      moments: items.map(parseMomentItem),
      skippedCount: integerIn(end),
    }))
  }

  diff(collection: string, id: string, options: DiffOptions): Answer<readonly Change[]> {
    const part = this.#parts.places.of(collection, id)
    if ('here' in part) return this.#here(part.here.diff(collection, id, options))
    checkOptions('diff', options)
    const { from, to, ...reading } = options
    const content = {
      record: entityIdOf(collection, id),
      from: momentValue(from),
      ...(to !== undefined && { to: momentValue(to) }),
      reading: this.#parts.reading.asked(reading),
    }
    return this.#asked(part.elsewhere, 'diff', content, (items) => items.map(parseChange))
  }

  delta(id: string, options: ViewOptions): Answer<Delta | undefined> {
    return this.#found(id, (part) => {
      if ('here' in part) return this.#here(part.here.delta(id, options))
      checkOptions('delta', options)
      // Deltas are the log: this node's own context does not count.
      const { context = false, ...rest } = options
      const content = { id, reading: this.#parts.reading.asked({ ...rest, context }) }
      return this.#asked(part.elsewhere, 'delta', content, ([item]) => {
        const delta = item === undefined ? undefined : parseDelta(item)
        if (delta !== undefined && delta.id !== id) throw invalid('another delta')
        return delta
      })
    })
  }

  proof(entity: string, options: ProofOptions): Answer<string | undefined> {
    return this.#atEntity(entity, (part) => {
      if ('here' in part) return this.#here(part.here.proof(entity, options))
      checkOptions('proof', options)
      return this.#proofElsewhere(part.elsewhere, entity, options)
    })
  }

  #proofElsewhere(shard: Shard, entity: string, { property, context, asOf }: ProofOptions): Answer<string | undefined> {
    const content = {
      entity,
      ...(property !== undefined && { property }),
      ...(context !== undefined && { context }),
      ...(asOf !== undefined && { asOf: momentValue(asOf) }),
    }
    return this.#asked(shard, 'proof', content, (items, _, by) => {
      if (items.length === 0) return undefined
      const parts = items.map(bytesIn)
      if (parts.reduce((sum, { length }) => sum + length, 0) > PROOF_BYTES_MAX)
        throw invalid('a proof that is too large')
      const text = Buffer.concat(parts).toString('utf8')
      const proven = inWords(() => verifyProof(text))
      const isAsked = proven.entity === entity && proven.property === property && proven.context === context
      if (!isAsked || proven.namespace !== shard.name || proven.completeness.peer !== by) {
        throw invalid('a proof of something else')
      }
      return text
    })
  }

  /** Where an entity lies: a delta where its log is, a record in its shard, and all else in the parent. */
  #atEntity<Found>(entity: string, read: (part: Part) => Answer<Found>): Answer<Found> {
    const part = this.#parts.places.ofEntity(entity)
    return part === undefined ? this.#found(entity, read) : read(part)
  }

  /** Of a delta; what nobody has is read in the parent. */
  #found<Found>(id: string, read: (part: Part) => Answer<Found>): Answer<Found> {
    const { finding, places } = this.#parts
    const found = finding.delta(id)
    const parent = { here: places.namespace }
    if (!(found instanceof Promise)) return read(found.value ?? parent)
    return found.then(async ({ value, answeredBy }) => {
      if (value !== undefined) return read(value)
      // That it is nowhere is the word of all who were asked.
      const answered = await read(parent)
      return { ...answered, answeredBy: [...new Set([...answered.answeredBy, ...answeredBy])] }
    })
  }

  #asked<Found>(
    shard: Shard,
    word: Word,
    content: Value,
    parse: (items: readonly Value[], end: Value, by: string) => Found,
  ): Promise<Answered<Found>> {
    return this.#parts.shards.holders
      .ask(shard, word, content)
      .then(({ items, end, by }) => ({ value: parse(items, end, by), answeredBy: [by as PeerId] }))
  }

  #here<Found>(value: Found): Answered<Found> {
    return givenBy(this.#parts.self, { value })
  }
}
