/** The subscriptions at work in a namespace: each name once. */

import { RhizomeError } from '../../errors.ts'
import { type Position, POSITION_START } from '../../store/store.ts'
import { type FailureMemory, FunctionMemory, memoryKey } from '../functions/memory.ts'
import { ArrivalCourse } from './arrival-course.ts'
import { CausalCourse } from './causal-course.ts'
import type { Course, Overdue } from './course.ts'
import { Majority } from './declared.ts'
import { MajorityGate } from './majority-gate.ts'
import {
  type DeliveryHandler,
  type SubscribeOptions,
  type SubscriptionSettings,
  subscriptionSettings,
} from './options.ts'
import {
  Subscription,
  type SubscriptionEvent,
  type SubscriptionParts,
  type SubscriptionStatus,
} from './subscription.ts'
import { type DeliveryParts, receiptsOf } from './until.ts'

export interface SubscriptionsParts extends DeliveryParts {
  readonly tell: (name: string, event: SubscriptionEvent) => void
  /** Has the node wait for the end of what was begun before it lets go of the store. */
  readonly awaitEnd: (ended: Promise<void>) => void
}

/** How a subscription is handed deltas, and where it keeps how far it is. */
interface Way extends Pick<SubscriptionParts, 'course' | 'memory' | 'store'> {
  readonly close: () => void
}

export class Subscriptions {
  readonly #parts: SubscriptionsParts
  readonly #working = new Map<string, Subscription>()

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts
  }

  /**
   * Throws RZ_SUBSCRIPTION_INVALID, RZ_SUBSCRIPTION_RUNNING, RZ_DELIVERY_INVALID, RZ_DELIVERY_MEMBERS, RZ_NODE_OFFLINE for
   * uniform delivery on a node without a network, RZ_RULE_….
   */
  begin(options: SubscribeOptions, handler: DeliveryHandler): Subscription {
    const { members, environment, closing, tell, awaitEnd } = this.#parts
    const settings = subscriptionSettings(options, members)
    const { name } = settings
    if (typeof handler !== 'function')
      throw new RhizomeError('RZ_SUBSCRIPTION_INVALID', 'not a subscription: it needs a handler, behind the options')
    if (this.#working.has(name)) {
      const message = `a subscription "${name}" is at work already: close it first, or give this one a name of its own`
      throw new RhizomeError('RZ_SUBSCRIPTION_RUNNING', message)
    }
    const { course, memory, store, close } = this.#way(settings)
    const subscription = new Subscription({
      settings,
      handler,
      course,
      memory,
      store,
      environment,
      tell: (event) => tell(name, event),
      signal: options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]),
      onClosed: () => this.#working.delete(name),
    })
    this.#working.set(name, subscription)
    awaitEnd(subscription.ended.finally(close))
    return subscription
  }

  /** In the order in which they were begun. */
  list(): readonly SubscriptionStatus[] {
    return [...this.#working.values()].map((subscription) => subscription.status())
  }

  #way(settings: SubscriptionSettings): Way {
    const { store } = this.#parts
    switch (settings.delivery) {
      case 'best-effort':
        return { ...forgetful(), course: this.#arrival(undefined, store.position()), close: () => undefined }
      case 'reliable': {
        const memory = this.#memory(settings)
        return { memory, store, course: this.#arrival(memory), close: () => undefined }
      }
      case 'causal':
        return { ...this.#causal(settings), store, close: () => undefined }
      case 'uniform':
        return this.#uniform(settings)
    }
  }

  #arrival(memory: FunctionMemory | undefined, start: Position = POSITION_START): Course {
    const { store, namespace } = this.#parts
    return new ArrivalCourse({ store, namespace, memory, start, gate: undefined })
  }

  /** Of each kind of delivery one of its own: their cursors say different things. */
  #memory({ name, delivery, from }: SubscriptionSettings): FunctionMemory {
    const { store, namespace } = this.#parts
    const start = from === 'now' ? store.position() : POSITION_START
    return new FunctionMemory(store, namespace, `${delivery}/${name}`, start)
  }

  #causal(settings: SubscriptionSettings): Pick<Way, 'course' | 'memory'> {
    const { store, namespace, environment } = this.#parts
    const { name, delivery, from, deadlineMs } = settings
    const key = memoryKey(namespace, `${delivery}/${name}`)
    // Before the memory is made, which tells the next start that it was begun.
    if (from === 'now' && store.note(key) === undefined) {
      store.setNotes(CausalCourse.behindAll(store, namespace, `${key}/log`))
    }
    const memory = this.#memory(settings)
    const onOverdue = (overdue: Overdue) => this.#parts.tell(name, overdue)
    const course = new CausalCourse({ store, namespace, key: `${key}/log`, deadlineMs, environment, onOverdue })
    return { course, memory }
  }

  #uniform(settings: SubscriptionSettings): Way {
    const { store, namespace, environment } = this.#parts
    const { name, members, deadlineMs } = settings
    const receipts = receiptsOf(this.#parts)
    const memory = this.#memory(settings)
    const gate = new MajorityGate({
      store,
      namespace,
      receipts,
      majority: new Majority(receipts, members),
      deadlineMs,
      environment,
      onOverdue: (overdue) => this.#parts.tell(name, overdue),
    })
    const course = new ArrivalCourse({
      store,
      namespace,
      memory,
      start: POSITION_START,
      gate: (block, signal) => gate.pass(block, signal),
    })
    return { memory, store, course, close: () => gate.close() }
  }
}

/** What a subscription without a durable cursor keeps. */
function forgetful(): { readonly memory: FailureMemory; readonly store: SubscriptionParts['store'] } {
  const memory: FailureMemory = { failures: { count: 0, listed: [] }, failed: () => new Map(), holds: () => true }
  return { memory, store: { setNotes: () => undefined } }
}
