/**
 * What a rule may hand out: a value that JSON and deltas can hold. NaN and the infinities, which neither can, become
 * null; −0 becomes 0, and half a surrogate pair U+FFFD. What needs no change is handed out as it is, not copied.
 */

import type { Value } from '../../delta/delta.ts'
import { isList } from '../../delta/value.ts'
import { type Computed, descend, type Run } from './run.ts'
import { PRICES, RULE_VALUE_DEPTH_MAX } from './semantics.ts'

/** What each value counts beside the units of its text. */
const VALUE_SIZE = 8

/** Throws RZ_RULE_DEPTH, RZ_RULE_TOO_LARGE or RZ_RULE_GAS. */
export function settle(value: Computed, run: Run): Value {
  return new Settling(run).value(value, RULE_VALUE_DEPTH_MAX)
}

class Settling {
  readonly #run: Run
  #items = 0
  #size = 0

  constructor(run: Run) {
    this.#run = run
  }

  value(value: Computed, levels: number): Value {
    this.#grow(VALUE_SIZE)
    // The first of every eight pays for them, so that a single value costs something.
    if (this.#items++ % PRICES.resultItems === 0) this.#run.spend(1)
    if (value === undefined || value === null) return null
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return Number.isFinite(value) ? value + 0 : null
      case 'boolean':
        return value
      default:
        if (value instanceof Uint8Array) {
          this.#grow(value.length)
          return value
        }
        return isList(value) ? this.#list(value, descend(levels)) : this.#object(value, descend(levels))
    }
  }

  #text(text: string): string {
    this.#grow(text.length)
    this.#run.readText(text.length)
    return text.isWellFormed() ? text : text.toWellFormed()
  }

  #list(list: readonly Value[], levels: number): Value {
    const settled = list.map((item) => this.value(item, levels))
    return settled.every((item, index) => Object.is(item, list[index])) ? list : settled
  }

  #object(object: { readonly [key: string]: Value }, levels: number): Value {
    let changed = false
    const entries = Object.entries(object).map(([key, item]): [string, Value] => {
      const entry: [string, Value] = [this.#text(key), this.value(item, levels)]
      changed ||= entry[0] !== key || !Object.is(entry[1], item)
      return entry
    })
    return changed ? Object.fromEntries(entries) : object
  }

  #grow(size: number): void {
    this.#size += size
    this.#run.growResult(this.#size)
  }
}
