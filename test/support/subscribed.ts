/** Subscriptions over a store in memory, in virtual time, with blocks that the test brings in whatever order it wants. */

import type { Delta } from '../../src/index.ts'
import type { SubscribeOptions } from '../../src/node/delivery/options.ts'
import type { Subscription, SubscriptionEvent } from '../../src/node/delivery/subscription.ts'
import { Subscriptions } from '../../src/node/delivery/subscriptions.ts'
import { createMemoryDisk, type MemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import type { Change, Store } from '../../src/store/store.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'
import { NAMESPACE, NAMESPACE_NAME, signer, START_MS } from './blocks.ts'

export class Subscribed implements AsyncDisposable {
  readonly time = new VirtualTime(START_MS)
  readonly events: SubscriptionEvent[] = []
  /** Ids of the deltas that were handed out, over all restarts. */
  readonly handed: string[] = []
  /** Changes that subscriptions have asked the store for, and been given. */
  readCount = 0
  readonly #disk: MemoryDisk = createMemoryDisk({ instance: '1'.padStart(32, '0') })
  #store: Store | undefined
  #closing = new AbortController()
  readonly #ended: Promise<void>[] = []

  get store(): Store {
    if (this.#store === undefined) {
      this.#store = openMemoryStore({ disk: this.#disk })
      this.#store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    }
    return this.#store
  }

  begin(
    options: SubscribeOptions,
    handler: (delta: Delta, attempt: number) => void | Promise<void> = () => undefined,
  ): Subscription {
    const { time } = this
    const subscriptions = new Subscriptions({
      store: this.#counting(this.store),
      namespace: NAMESPACE,
      replication: () => undefined,
      self: { peer: signer(1).id, durability: 'process' },
      members: undefined,
      detects: true,
      closing: this.#closing.signal,
      environment: {
        nowMs: () => time.nowMs(),
        steadyMs: () => time.nowMs(),
        schedule: (delayMs, run) => time.schedule(delayMs, run),
        defer: (step) => time.defer(step),
        random: () => 0.5,
        randomBytes: (count) => new Uint8Array(count),
      },
      tell: (_, event) => this.events.push(event),
      awaitEnd: (ended) => this.#ended.push(ended),
    })
    return subscriptions.begin(options, async (delta, { attempt }) => {
      await handler(delta, attempt)
      this.handed.push(delta.id)
    })
  }

  #counting(store: Store): Store {
    const count = (): void => void (this.readCount += 1)
    async function* counted(changes: AsyncIterable<Change>): AsyncGenerator<Change> {
      for await (const change of changes) {
        count()
        yield change
      }
    }
    return new Proxy(store, {
      get: (_, name) => {
        if (name === 'changes') return (options: Parameters<Store['changes']>[0]) => counted(store.changes(options))
        const member: unknown = store[name as keyof Store]
        return typeof member === 'function' ? (member.bind(store) as unknown) : member
      },
    })
  }

  /** The process ends; what is noted stays. */
  async restart(): Promise<void> {
    await this.#close()
    this.#closing = new AbortController()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#ended.splice(0))
    await this.#store?.close()
    this.#store = undefined
  }
}
