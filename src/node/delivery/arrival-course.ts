/**
 * Blocks in the order in which this node took them in, by a cursor in the store's sequence of changes: durable, or in memory
 * alone. Changes are read as they are asked for, so a slow subscriber costs no memory.
 */

import { isShown } from '../../log/shown.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Notes, Position, Store } from '../../store/store.ts'
import type { FunctionMemory, Place } from '../functions/memory.ts'
import type { Course, Due, Gate } from './course.ts'

export interface ArrivalParts {
  readonly store: Store
  readonly namespace: NamespaceId
  /** Keeps the cursor; undefined for one in memory. */
  readonly memory: FunctionMemory | undefined
  /** Where it begins when there is no memory. */
  readonly start: Position
  readonly gate: Gate | undefined
}

/** Changes that may pass with nothing to hand out before the cursor is noted: they are filtered again after a crash. */
const UNNOTED_CHANGES_MAX = 1_024
const NONE: Notes = new Map()

export class ArrivalCourse implements Course {
  readonly #parts: ArrivalParts
  #place: Place
  #unnotedCount = 0

  constructor(parts: ArrivalParts) {
    this.#parts = parts
    this.#place = parts.memory?.place ?? { after: parts.start, index: 0 }
  }

  get isBehind(): boolean {
    return this.#parts.store.changesNow({ after: this.#place.after, countMax: 1, bytesMax: 1 }).length > 0
  }

  async *due(signal: AbortSignal): AsyncGenerator<Due> {
    const { store, namespace, gate } = this.#parts
    for await (const change of store.changes({ after: this.#place.after, signal })) {
      const { position } = change
      if (change.kind === 'committed' && change.namespace === namespace && isShown(change.block.header)) {
        const mayPass = gate === undefined || (await gate(change.block, signal))
        if (signal.aborted) return
        if (mayPass) {
          const { after, at, index } = this.#place
          const placeOf = (count: number): Place => ({ after, at: position, index: count })
          yield {
            block: change.block,
            position,
            index: at === position ? index : 0,
            notes: (count) => this.#placed(placeOf(count)),
            done: (count) => {
              this.#place = placeOf(count)
              this.#unnotedCount = 0
            },
          }
        }
      }
      this.#pass(position)
    }
  }

  #pass(position: Position): void {
    this.#place = { after: position, index: 0 }
    if (++this.#unnotedCount < UNNOTED_CHANGES_MAX) return
    this.#parts.store.setNotes(this.#placed(this.#place))
    this.#unnotedCount = 0
  }

  #placed(place: Place): Notes {
    return this.#parts.memory?.placed(place) ?? NONE
  }
}
