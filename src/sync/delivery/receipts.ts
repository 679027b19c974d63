/**
 * Receipts in one namespace: asks for them while somebody here waits (asking.ts), keeps what came (holdings.ts), and answers
 * those who ask this node (wants.ts) with what it holds, as it commits. They travel by gossip, so that they reach whoever has no
 * connection to the holder; what gossip loses is asked for again. Verdicts come from memory alone; REJECT only what is
 * invalid in itself. While nobody waits anywhere, nothing is sent. design.md 4.
 */

import type { PeerId } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { type BlockHash, type LogKey, logKeyOfHeader } from '../../log/block.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Signer } from '../../log/signature.ts'
import type { Net, PeerIdText, Verdict } from '../../net/net.ts'
import type { Store } from '../../store/store.ts'
import type { Schedule } from '../exchange.ts'
import { Buckets } from '../members/buckets.ts'
import { Asking, type Question } from './asking.ts'
import { type Holder, Holdings } from './holdings.ts'
import {
  NEIGHBOUR_BURST,
  NEIGHBOUR_PER_SECOND,
  OWED_LOGS_MAX,
  RECEIPT_EVERY_MS,
  RECEIPT_LOGS_MAX,
  SENDER_BURST,
  SENDER_PER_SECOND,
  SENDERS_MAX,
  WANTS_LOOK_MS,
} from './limits.ts'
import {
  decodeReceiptMessage,
  encodeReceiptMessage,
  type HeldDurability,
  type HeldLog,
  type ReceiptMessage,
  receiptTopicOf,
  type Want,
  type WantedLog,
} from './message.ts'
import { NewestNumbers, OwnNumbers } from './numbers.ts'
import { Wants } from './wants.ts'

/** What receipts need beside what replication has. */
export interface ReceiptsOptions {
  /** The node's own identity. */
  readonly signer: Signer
  /** Of what this node commits. */
  readonly durability: HeldDurability
  /** A clock that only ever grows. */
  readonly steadyMs: () => number
}

export interface ReceiptsParts extends ReceiptsOptions {
  readonly store: Store
  readonly net: Net
  readonly namespace: NamespaceId
  readonly topicName: string
  readonly wallMs: () => number
  readonly schedule: Schedule
  /** Something that is invalid in itself came by this peer. */
  readonly onRejected: (from: PeerIdText, error: RhizomeError) => void
}

/** Somebody here who waits for receipts. */
export interface Watcher {
  /** Whose receipts are wanted, as it is then. */
  readonly from: () => readonly PeerId[]
  /** Wants to be told as any log grows; else of what is needed alone. */
  readonly all: boolean
  /** Receipts came: `holdersOf` may answer more. */
  readonly onNews: () => void
}

export class Receipts {
  readonly topic: string
  /** This node as a holder. */
  readonly self: Holder
  readonly #parts: ReceiptsParts
  readonly #numbers: OwnNumbers
  readonly #newest = new NewestNumbers()
  readonly #ofSender = new Buckets({ burst: SENDER_BURST, perSecond: SENDER_PER_SECOND, countMax: SENDERS_MAX })
  readonly #ofNeighbour = new Buckets({
    burst: NEIGHBOUR_BURST,
    perSecond: NEIGHBOUR_PER_SECOND,
    countMax: SENDERS_MAX,
  })
  readonly #holdings: Holdings
  readonly #asking: Asking
  readonly #watchers = new Set<Watcher>()
  readonly #wants = new Wants()
  /** Logs about which receipts are owed. */
  readonly #owed = new Set<LogKey>()
  readonly #stop = new AbortController()
  #answeredMs = -Infinity
  #cancelAnswer: (() => void) | undefined
  #following: Promise<void> | undefined
  /** Where the next upcoming logs begin. */
  #upcomingAt = 0

  constructor(parts: ReceiptsParts) {
    const { signer, durability, store, namespace, topicName, steadyMs, schedule, wallMs } = parts
    this.#parts = parts
    this.topic = receiptTopicOf(topicName)
    this.self = { peer: signer.id, durability }
    this.#numbers = new OwnNumbers(store, `receipts/${namespace}`, wallMs())
    this.#holdings = new Holdings((log, seq) => this.#hashAt(log, seq))
    this.#asking = new Asking({
      self: signer.id,
      steadyMs,
      schedule,
      send: (want) => this.#publish({ kind: 'want', ...this.#head(), ...want }),
      upcoming: (countMax) => this.#upcoming(countMax),
    })
  }

  start(): void {
    this.#parts.net.join(
      this.topic,
      (bytes, from) => this.#judge(bytes, from),
      () => undefined,
    )
  }

  /** Idempotent. Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort()
      this.#parts.net.leave(this.topic)
      this.#asking.close()
      this.#cancelAnswer?.()
      this.#watchers.clear()
    }
    await this.#following
  }

  /** Asks for receipts until the question is closed. */
  ask(watcher: Watcher): Question {
    this.#watchers.add(watcher)
    this.#followOn()
    const question = this.#asking.open(watcher)
    return {
      ...question,
      close: () => {
        question.close()
        this.#watchers.delete(watcher)
      },
    }
  }

  /** Who else has said to hold all of the log up to and with the block at `seq`, which must be held here. */
  holdersOf(log: LogKey, seq: number): readonly Holder[] {
    return this.#holdings.holdersOf(log, seq)
  }

  /** A receipt for these logs, for one who asks directly: this node must hold every block up to those named. */
  stated(held: readonly HeldLog[]): Uint8Array {
    const receipt = { kind: 'receipt', ...this.#head(), durability: this.self.durability, held } as const
    return encodeReceiptMessage(receipt, this.#parts.signer)
  }

  // -------------------------------------------------------------------------------------------------- gossip

  #judge(bytes: Uint8Array, from: PeerIdText): Verdict {
    try {
      return this.#hear(bytes, from) ? 'accept' : 'ignore'
    } catch (error) {
      if (!(error instanceof RhizomeError)) throw error
      if (error.code === 'RZ_SYNC_VERSION') return 'ignore'
      this.#parts.onRejected(from, error)
      return 'reject'
    }
  }

  /** Whether it is to be passed on. */
  #hear(bytes: Uint8Array, from: PeerIdText): boolean {
    const nowMs = this.#parts.steadyMs()
    if (this.#stop.signal.aborted || !this.#ofNeighbour.take(from, nowMs)) return false
    const { message, isSigned } = decodeReceiptMessage(bytes)
    const { kind, namespace, peer, number } = message
    if (namespace !== this.#parts.namespace) {
      throw new RhizomeError('RZ_SYNC_RECEIPT_INVALID', 'a receipt of another namespace than the topic is for')
    }
    if (peer === this.self.peer || !this.#newest.isNews(peer, number)) return false
    if (!isSigned()) throw new RhizomeError('RZ_SIGNATURE_INVALID', `a ${kind} that ${peer} has not signed`)
    // After the check, or anybody could use up what a sender may say.
    if (!this.#ofSender.take(peer, nowMs)) return false
    this.#newest.note(peer, number)
    if (message.kind === 'want') this.#heedWant(message)
    else if (this.#asking.isWanted(peer)) {
      this.#holdings.take(message)
      for (const { onNews } of this.#watchers) onNews()
    }
    return true
  }

  // ------------------------------------------------------------------------------------------------ answering

  #heedWant(want: Want): void {
    if (!want.holders.includes(this.self.peer)) return
    this.#wants.take(want, this.#parts.steadyMs())
    for (const { log } of want.logs) this.#owe(log)
    this.#followOn()
  }

  #followOn(): void {
    this.#following ??= this.#follow().finally(() => (this.#following = undefined))
  }

  /** Tells of what is committed, for as long as anybody wants to know, elsewhere or here. */
  async #follow(): Promise<void> {
    try {
      do await this.#followOnce()
      while (!this.#stop.signal.aborted && this.#isAnybodyThere())
    } catch (error) {
      // A store that fails or closes is told by others; who waits for a receipt does not get it.
      if (!(error instanceof RhizomeError)) throw error
    }
  }

  async #followOnce(): Promise<void> {
    const { store, namespace, steadyMs, schedule } = this.#parts
    const isOver = new AbortController()
    const signal = AbortSignal.any([isOver.signal, this.#stop.signal])
    const look = (): (() => void) =>
      schedule(WANTS_LOOK_MS, () => {
        if (this.#isAnybodyThere()) cancelLook = look()
        else isOver.abort()
      })
    let cancelLook = look()
    try {
      for await (const change of store.changes({ after: store.position(), signal })) {
        if (change.namespace !== namespace) continue
        // A receipt that came before its block counts now.
        for (const { onNews } of this.#watchers) onNews()
        if (change.kind !== 'committed') continue
        const log = logKeyOfHeader(change.block.header)
        if (this.#wants.isAsked(log, steadyMs())) this.#owe(log)
      }
    } finally {
      cancelLook()
    }
  }

  /** Past the limit it is asked for again. */
  #owe(log: LogKey): void {
    if (this.#owed.size < OWED_LOGS_MAX) this.#owed.add(log)
    const delayMs = Math.max(0, this.#answeredMs + RECEIPT_EVERY_MS - this.#parts.steadyMs())
    this.#cancelAnswer ??= this.#parts.schedule(delayMs, () => {
      this.#cancelAnswer = undefined
      this.#answer()
    })
  }

  #isAnybodyThere(): boolean {
    return this.#watchers.size > 0 || this.#wants.isAnyLeft(this.#parts.steadyMs())
  }

  #answer(): void {
    const { store, namespace, steadyMs } = this.#parts
    this.#answeredMs = steadyMs()
    const held: HeldLog[] = []
    for (const log of this.#owed) {
      if (held.length === RECEIPT_LOGS_MAX) {
        this.#owe(log)
        break
      }
      this.#owed.delete(log)
      const { seq, hash } = attempt(() => store.logState(namespace, log)) ?? {}
      if (seq !== undefined && hash !== undefined) held.push({ log, seq, hash })
    }
    if (held.length === 0) return
    this.#publish({ kind: 'receipt', ...this.#head(), durability: this.self.durability, held })
  }

  // ------------------------------------------------------------------------------------------------ small things

  #head() {
    return { namespace: this.#parts.namespace, peer: this.self.peer, number: this.#numbers.next() }
  }

  #publish(message: ReceiptMessage): void {
    if (this.#stop.signal.aborted) return
    const { net, signer } = this.#parts
    // What cannot be sent now is asked for again.
    net.publish(this.topic, encodeReceiptMessage(message, signer)).catch(() => undefined)
  }

  #hashAt(log: LogKey, seq: number): BlockHash | undefined {
    const { store, namespace } = this.#parts
    return attempt(() => {
      const state = store.logState(namespace, log)
      if (state?.seq === undefined || state.seq < seq) return undefined
      if (state.seq === seq) return state.hash
      const [first] = store.readRun(namespace, log, seq, 1)?.blocks ?? []
      return first?.hash
    })
  }

  #upcoming(countMax: number): readonly WantedLog[] {
    const { store, namespace } = this.#parts
    const frontier = attempt(() => store.frontier(namespace)) ?? []
    if (this.#upcomingAt >= frontier.length) this.#upcomingAt = 0
    const some = frontier.slice(this.#upcomingAt, this.#upcomingAt + countMax)
    this.#upcomingAt += some.length
    return some.flatMap(({ log, seq }) => (seq === undefined ? [] : [{ log, seq }]))
  }
}

/** Undefined from a store that fails or is closed: others tell that. */
function attempt<Answer>(read: () => Answer): Answer | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof RhizomeError) return undefined
    throw error
  }
}
