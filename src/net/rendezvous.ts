/**
 * Meets the other nodes of a topic by word left in the DHT (`dht.ts`): leaves its own, and looks for that of others. Often at first
 * and ever less while nobody of a topic is connected, since word may be lost with those who kept it; seldom once somebody is.
 *
 * What is found is a hint for the dial plan. It knows no libp2p, so that tests give it a DHT of their own.
 */
import { backoffMs } from './backoff.ts'
import type { Provider } from './dht.ts'
import * as limits from './limits.ts'

export interface RendezvousOptions {
  /** False if nobody is there to keep the word. */
  readonly provide: (topic: string, signal: AbortSignal) => Promise<boolean>
  readonly providers: (topic: string, signal: AbortSignal) => AsyncIterable<Provider>
  readonly topics: () => readonly string[]
  /** Whether nobody who is connected is known to be in the topic. */
  readonly isAlone: (topic: string) => boolean
  readonly onFound: (topic: string, provider: Provider) => void
  readonly log: (line: string) => void
}

export class Rendezvous {
  readonly #options: RendezvousOptions
  readonly #stopping = new AbortController()
  /** By topic, when word of it was last left with somebody. */
  readonly #doneMs = new Map<string, number>()
  #roundsAlone = 0
  #isRunning = false
  #timer: NodeJS.Timeout | undefined
  #dueMs = Number.POSITIVE_INFINITY

  constructor(options: RendezvousOptions) {
    this.#options = options
  }

  /** A topic was joined, somebody came or went, or this node has another address: there is something to find, or to tell. */
  wake(): void {
    this.#roundsAlone = 0
    this.#runIn(limits.DHT_SETTLE_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#stopping.abort()
  }

  #runIn(waitMs: number): void {
    const dueMs = Date.now() + waitMs
    if (this.#stopping.signal.aborted || dueMs >= this.#dueMs) return
    clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => {
      this.#dueMs = Number.POSITIVE_INFINITY
      if (this.#isRunning) this.#runIn(limits.DHT_SETTLE_MS)
      else void this.#run()
    }, waitMs)
  }

  async #run(): Promise<void> {
    const { topics, isAlone } = this.#options
    this.#isRunning = true
    const joined = topics()
    for (const topic of this.#doneMs.keys()) if (!joined.includes(topic)) this.#doneMs.delete(topic)
    for (const topic of joined) {
      const isDue = Date.now() - (this.#doneMs.get(topic) ?? 0) >= limits.DHT_INTERVAL_MS
      if (isDue || isAlone(topic)) await this.#goThrough(topic)
    }
    this.#isRunning = false
    this.#roundsAlone += 1
    const pace = { baseMs: limits.DHT_ALONE_BASE_MS, capMs: limits.DHT_ALONE_CAP_MS, random: Math.random }
    const hasHaste = topics().some((topic) => isAlone(topic) || !this.#doneMs.has(topic))
    this.#runIn(hasHaste ? backoffMs(this.#roundsAlone, pace) : limits.DHT_INTERVAL_MS)
  }

  /** Own word first: of two nodes that do this at the same time one finds the other. */
  async #goThrough(topic: string): Promise<void> {
    const { provide, providers, onFound, log } = this.#options
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(limits.DHT_QUERY_TIMEOUT_MS)])
    try {
      const isKept = await provide(topic, signal)
      let foundCount = 0
      for await (const provider of providers(topic, signal)) {
        onFound(topic, provider)
        if (++foundCount >= limits.DHT_PROVIDERS_MAX) break
      }
      if (isKept) this.#doneMs.set(topic, Date.now())
    } catch (error) {
      log(`dht: ${String(error)}`)
    }
  }
}
