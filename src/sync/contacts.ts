/**
 * When to sync with which peer: soon after meeting, at once on need, again soon while something is lacking, and from time to
 * time. One session at a time per peer. Owns the timers; the sessions themselves are the caller's. design.md 4.
 */

import type { PeerIdText } from '../net/net.ts'
import { RETRY_MS, SESSIONS_OUTBOUND_MAX } from './limits.ts'
import type { Schedule } from './exchange.ts'

/** What a session came to, as far as the next contact depends on it. */
export type ContactResult =
  | 'complete'
  /** It brought something, and more is lacking. */
  | 'progressed'
  /** Something is lacking that it did not bring. */
  | 'stuck'
  | 'failed'

export interface ContactsOptions {
  readonly schedule: Schedule
  readonly nowMs: () => number
  /** From 0 to 1; spreads contacts over time. */
  readonly random: () => number
  readonly intervalMs: number
  /** Holds one session; never rejects. */
  readonly sync: (peer: PeerIdText) => Promise<ContactResult>
}

interface Contact {
  dueMs: number
  cancel: (() => void) | undefined
  running: boolean
  /** Wanted again as soon as the running session is over. */
  againMs: number | undefined
  /** Sessions in a row that brought nothing though something is lacking. */
  fruitless: number
}

export class Contacts {
  readonly #options: ContactsOptions
  readonly #contacts = new Map<PeerIdText, Contact>()
  #running = 0

  constructor(options: ContactsOptions) {
    this.#options = options
  }

  add(peer: PeerIdText, delayMs: number): void {
    this.#contacts.set(peer, { dueMs: Infinity, cancel: undefined, running: false, againMs: undefined, fruitless: 0 })
    this.soon(peer, delayMs)
  }

  remove(peer: PeerIdText): void {
    this.#contacts.get(peer)?.cancel?.()
    this.#contacts.delete(peer)
  }

  /** Syncs with the peer after `delayMs`, or earlier if that is planned already. Answers false for an unknown peer. */
  soon(peer: PeerIdText, delayMs: number): boolean {
    const contact = this.#contacts.get(peer)
    if (contact === undefined) return false
    if (contact.running) contact.againMs = Math.min(contact.againMs ?? Infinity, delayMs)
    else if (this.#options.nowMs() + delayMs < contact.dueMs) this.#plan(peer, contact, delayMs)
    return true
  }

  /** A session that the peer opened was complete: the next contact is a whole interval away. */
  met(peer: PeerIdText): void {
    const contact = this.#contacts.get(peer)
    if (contact === undefined || contact.running) return
    contact.fruitless = 0
    this.#plan(peer, contact, this.#intervalMs())
  }

  close(): void {
    for (const { cancel } of this.#contacts.values()) cancel?.()
    this.#contacts.clear()
  }

  #plan(peer: PeerIdText, contact: Contact, delayMs: number): void {
    contact.cancel?.()
    contact.dueMs = this.#options.nowMs() + delayMs
    contact.cancel = this.#options.schedule(delayMs, () => void this.#run(peer, contact))
  }

  async #run(peer: PeerIdText, contact: Contact): Promise<void> {
    if (this.#running >= SESSIONS_OUTBOUND_MAX) return this.#plan(peer, contact, this.#retryMs(0))
    contact.cancel = undefined
    contact.dueMs = Infinity
    contact.running = true
    this.#running++
    const result = await this.#options.sync(peer)
    this.#running--
    contact.running = false
    if (this.#contacts.get(peer) !== contact) return
    contact.fruitless = result === 'complete' || result === 'progressed' ? 0 : contact.fruitless + 1
    const nextMs = result === 'complete' ? this.#intervalMs() : this.#retryMs(contact.fruitless)
    const delayMs = Math.min(nextMs, contact.againMs ?? Infinity)
    contact.againMs = undefined
    this.#plan(peer, contact, delayMs)
  }

  #retryMs(fruitless: number): number {
    const { intervalMs, random } = this.#options
    return Math.min(RETRY_MS * 2 ** Math.min(fruitless, 20), intervalMs) * (0.75 + random() / 2)
  }

  #intervalMs(): number {
    return this.#options.intervalMs * (0.75 + this.#options.random() / 2)
  }
}
