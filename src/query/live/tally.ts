/** What an aggregate remembers of a group, so that a value may come and go. Values are as `group.ts` counts them. */

import type { Value } from '../../delta/delta.ts'
import type { AggregateName } from '../algebra.ts'
import { ExactSum } from '../exact-sum.ts'
import { averageOf } from '../group.ts'
import { compareValues } from '../order.ts'
import { sizeOf } from '../row.ts'
import type { Ledger } from './ledger.ts'
import { SortedList } from './sorted-list.ts'

export interface LiveTally {
  add(value: Value): void
  /** Of a value that was added. */
  remove(value: Value): void
  result(): Value
}

export function liveTally(aggregate: AggregateName, ledger: Ledger): LiveTally {
  switch (aggregate) {
    case 'count':
      return new Count()
    case 'sum':
      return new Numbers((sum) => sum)
    case 'average':
      return new Numbers(averageOf)
    case 'min':
      return new Values(ledger, (values) => values.first()?.value ?? null)
    case 'max':
      return new Values(ledger, (values) => values.last()?.value ?? null)
    case 'collect':
      return new Values(ledger, (values) => [...values].flatMap(({ value, count }) => Array<Value>(count).fill(value)))
  }
}

class Count implements LiveTally {
  #count = 0

  add(value: Value): void {
    if (value !== null) this.#count++
  }

  remove(value: Value): void {
    if (value !== null) this.#count--
  }

  result(): Value {
    return this.#count
  }
}

class Numbers implements LiveTally {
  readonly #read: (sum: number | null, count: number) => Value
  readonly #sum = new ExactSum()
  #count = 0

  constructor(read: (sum: number | null, count: number) => Value) {
    this.#read = read
  }

  add(value: Value): void {
    if (typeof value !== 'number') return
    this.#sum.add(value)
    this.#count++
  }

  remove(value: Value): void {
    if (typeof value !== 'number') return
    this.#sum.remove(value)
    this.#count--
  }

  result(): Value {
    return this.#read(this.#sum.value(), this.#count)
  }
}

interface Counted {
  readonly value: Value
  count: number
}

/** Different values in order, each with how often it is there. Null is none. */
class Values implements LiveTally {
  readonly #ledger: Ledger
  readonly #read: (values: SortedList<Counted>) => Value
  readonly #values = new SortedList<Counted>((a, b) => compareValues(a.value, b.value))

  constructor(ledger: Ledger, read: (values: SortedList<Counted>) => Value) {
    this.#ledger = ledger
    this.#read = read
  }

  add(value: Value): void {
    if (value === null) return
    this.#ledger.holdBytes(sizeOf(value))
    const counted = this.#values.find({ value, count: 1 })
    if (counted === undefined) this.#values.add([{ value, count: 1 }])
    else counted.count++
  }

  remove(value: Value): void {
    if (value === null) return
    this.#ledger.releaseBytes(sizeOf(value))
    const counted = this.#values.find({ value, count: 1 })
    if (counted !== undefined && --counted.count === 0) this.#values.remove(counted)
  }

  result(): Value {
    return this.#read(this.#values)
  }
}
