/**
 * Discovery by multicast DNS: `@libp2p/mdns`, with what it lacks.
 * - It asks at a fixed pace and swallows errors of sending; here the questions are ours, counted, and their errors kept.
 * - Its socket joins the multicast group per address and never again, so an interface that went and came back stays deaf
 *   (containers.md): it is restarted when the interfaces change, and when nothing was heard for four intervals.
 * - libp2p tells of a peer once; the component's own `peer` event fires at every answer, and that is what is passed on.
 */
import { mdns, type MulticastDNSComponents } from '@libp2p/mdns'
import type { PeerDiscovery } from '@libp2p/interface'
import { interfacesHere } from './interfaces.ts'
import { INTERFACES_POLL_MS, MDNS_EARLY_QUERIES_MS, MDNS_SILENT_INTERVALS_MAX } from './limits.ts'
import type { PeerIdText } from './net.ts'

/** The library's own pace is slowed to never, in effect: the largest delay that a timer takes. */
const NEVER_MS = 2_147_483_647

/** What the component is beyond its declared type; checked when it is made. */
interface MulticastComponent extends PeerDiscovery {
  start(): Promise<void>
  stop(): Promise<void>
  readonly mdns?: { query(query: { questions: { name: string; type: 'PTR' }[] }, sent: (error?: Error) => void): void }
}

export type AnswerListener = (peer: PeerIdText, addresses: readonly string[]) => void

export interface MdnsOptions {
  readonly intervalMs: number
  readonly serviceTag: string
  readonly log: (line: string) => void
}

export class MdnsDiscovery {
  readonly #options: MdnsOptions
  #component: MulticastComponent | undefined
  #timers: NodeJS.Timeout[] = []
  #interfaces = interfaceAddresses().join(' ')
  #heardAtMs = 0
  #restarting = false
  #stopped = false
  #onAnswer: AnswerListener | undefined
  queriesSent = 0
  answersHeard = 0

  constructor(options: MdnsOptions) {
    this.#options = options
  }

  /** For libp2p's `peerDiscovery`; libp2p starts and stops the component with itself. */
  component(components: MulticastDNSComponents): PeerDiscovery {
    const { serviceTag } = this.#options
    const component = mdns({ interval: NEVER_MS, serviceTag })(components) as MulticastComponent
    component.addEventListener('peer', ({ detail }) => {
      this.answersHeard += 1
      this.#heardAtMs = Date.now()
      const peer = detail.id.toString()
      this.#onAnswer?.(
        peer,
        detail.multiaddrs.map((address) => `${address.toString()}/p2p/${peer}`),
      )
    })
    this.#component = component
    return component
  }

  /** Begins to ask, and to tell of answers. Call it once libp2p has started. */
  start(onAnswer: AnswerListener): void {
    this.#onAnswer = onAnswer
    // The component asked once when libp2p started it.
    this.queriesSent += 1
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#clear()
  }

  #schedule(): void {
    if (this.#stopped) return
    const { intervalMs } = this.#options
    this.#heardAtMs = Date.now()
    const early = MDNS_EARLY_QUERIES_MS.filter((delayMs) => delayMs < intervalMs)
    this.#timers = [
      ...early.map((delayMs) => setTimeout(() => this.#ask(), delayMs)),
      setInterval(() => this.#ask(), intervalMs),
      setInterval(() => this.#check(), Math.min(INTERFACES_POLL_MS, intervalMs)),
    ]
  }

  #clear(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }

  #ask(): void {
    const { serviceTag, log } = this.#options
    this.#component?.mdns?.query({ questions: [{ name: serviceTag, type: 'PTR' }] }, (error) => {
      if (error instanceof Error) log(`mdns: the question could not be sent: ${error.message}`)
      else this.queriesSent += 1
    })
  }

  #check(): void {
    const interfaces = interfaceAddresses().join(' ')
    const silentMs = Date.now() - this.#heardAtMs
    if (interfaces !== this.#interfaces) void this.#restart(`the interfaces are now ${interfaces}`)
    else if (silentMs > MDNS_SILENT_INTERVALS_MAX * this.#options.intervalMs) void this.#restart('nothing was heard')
    this.#interfaces = interfaces
  }

  async #restart(why: string): Promise<void> {
    if (this.#restarting || this.#component === undefined) return
    this.#restarting = true
    this.#options.log(`mdns: restarting, ${why}`)
    this.#clear()
    try {
      await this.#component.stop()
      if (this.#stopped) return
      await this.#component.start()
      this.queriesSent += 1
    } catch (error) {
      this.#options.log(`mdns: the restart failed: ${String(error)}`)
    } finally {
      this.#restarting = false
      this.#schedule()
    }
  }
}

/** `eth0 192.168.1.5` for each address that could carry multicast; loopback only when nothing else is there. */
export function interfaceAddresses(): string[] {
  const all = interfacesHere().filter(({ family }) => family === 'IPv4')
  const routable = all.filter(({ kind }) => kind !== 'loopback')
  return (routable.length > 0 ? routable : all).map(({ name, address }) => `${name} ${address}`)
}
