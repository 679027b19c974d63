/**
 * Keeps a place at each relay that the user named, for ever: dials it, reserves, and begins again when the place is lost. libp2p
 * refreshes a reservation that stands; it gives up for good on a relay that was away once.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Connection, Libp2p } from '@libp2p/interface'
import type { PeerAddress } from './address.ts'
import { backoffMs } from './backoff.ts'
import { reasonOf } from './dial-failure.ts'
import type { DialFailure } from './dial-plan.ts'
import * as limits from './limits.ts'
import type { Outside } from './outside.ts'

const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'

export interface ReservationsOptions {
  readonly libp2p: Libp2p
  readonly relays: readonly PeerAddress[]
  readonly outside: Outside
  /** As `Relaying` has it. */
  readonly reserve: (relayAddress: string) => Promise<void>
  readonly onFailed: (address: string, failure: { readonly code: DialFailure; readonly message: string }) => void
  readonly onChanged: (address: string, isReserved: boolean) => void
  readonly log: (line: string) => void
}

export class Reservations {
  readonly #options: ReservationsOptions
  readonly #stopping = new AbortController()
  /** What a relay says of itself, on each connection: it may have been another node before. */
  readonly #protocols = new WeakMap<Connection, readonly string[]>()

  constructor(options: ReservationsOptions) {
    this.#options = options
    options.libp2p.addEventListener('peer:identify', ({ detail }) => {
      this.#protocols.set(detail.connection, detail.protocols)
    })
  }

  start(): void {
    for (const relay of this.#options.relays) void this.#keep(relay)
  }

  stop(): void {
    this.#stopping.abort()
  }

  async #keep({ address, peer }: PeerAddress): Promise<void> {
    const { signal } = this.#stopping
    const dialled = peer === undefined ? address : `${address}/p2p/${peer}`
    for (let failureCount = 0; !signal.aborted; failureCount += 1) {
      let answered = false
      const onAnswer = (): void => {
        answered = true
      }
      try {
        const relay = await this.#reserve(dialled, onAnswer)
        failureCount = 0
        this.#options.onChanged(relay, true)
        while (this.#listensAt(relay)) await wait(limits.RESERVATION_CHECK_MS, undefined, { signal })
        this.#options.onChanged(relay, false)
      } catch (error) {
        if (signal.aborted) return
        this.#options.log(`relay: ${address}: ${String(error)}`)
        this.#options.onFailed(address, failureOf(error, answered))
      }
      const pace = { baseMs: limits.REDIAL_BASE_MS, capMs: limits.REDIAL_CAP_MS, random: Math.random }
      await wait(backoffMs(failureCount + 1, pace), undefined, { signal }).catch(() => undefined)
    }
  }

  /** Answers the relay's address, id included. */
  async #reserve(address: string, onAnswer: () => void): Promise<string> {
    const { libp2p, outside, reserve } = this.#options
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(limits.DIAL_TIMEOUT_MS)])
    const connection = await outside.dial(libp2p, address, {
      signal,
      onProgress: ({ type }) => {
        if (type === 'upgrader:encrypt-outbound-connection') onAnswer()
      },
    })
    while (!this.#protocols.has(connection)) await wait(limits.RESERVATION_CHECK_MS / 10, undefined, { signal })
    // libp2p never again asks a peer that was no relay once.
    if (this.#protocols.get(connection)?.includes(HOP_PROTOCOL) !== true) {
      throw new NoRelay('a node answers there that is no relay: start it with --relay')
    }
    const relay = connection.remoteAddr.toString()
    await reserve(relay)
    return relay
  }

  #listensAt(relay: string): boolean {
    const peer = relay.slice(relay.lastIndexOf('/p2p/'))
    return this.#options.libp2p.getMultiaddrs().some((each) => each.toString().includes(`${peer}/p2p-circuit`))
  }
}

class NoRelay extends Error {}

function failureOf(error: unknown, answered: boolean): { readonly code: DialFailure; readonly message: string } {
  if (error instanceof NoRelay) return { code: 'other', message: error.message }
  if (/RESERVATION_REFUSED/.test(String(error))) {
    return { code: 'refused', message: 'the relay there has no place left: it serves as many nodes as it may' }
  }
  const reason = reasonOf(error, { answered, hasSecret: false })
  if (reason.code !== 'secret-mismatch') return reason
  return { code: 'other', message: 'somebody answers there and hangs up: it has a secret, and a relay has none' }
}
