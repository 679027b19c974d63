/**
 * What this node writes to shards that it does not hold: it lies in its own log, and is carried to a holder until that has given
 * a receipt, over restarts and for as long as it takes. Carrying twice is harmless: blocks are what they are. This node
 * pushes its own log alone, and takes nothing of the shard in. design.md 4.
 */

import type { PeerId, Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { type BlockHash, type LogKey, logKeyOfHeader } from '../../log/block.ts'
import type { Store } from '../../store/store.ts'
import type { Holder } from '../../sync/delivery/holdings.ts'
import { decodeReceiptMessage, type Receipt } from '../../sync/delivery/message.ts'
import { encodeRun } from '../../sync/gossip-message.ts'
import type { Heard } from '../../sync/questions/asking.ts'
import type { HeldResult } from '../delivery/until.ts'
import type { Environment } from '../environment.ts'
import { CARRIED_BYTES_MAX, HOLD_LOGS_MAX } from './limits.ts'
import type { Shard } from './shard.ts'
import { bytesIn, integerIn, listIn, textIn, type Word } from './words.ts'

export interface CarryingParts {
  readonly store: Store
  readonly environment: Environment
  /** This node as a holder. */
  readonly self: Holder
  readonly ask: (shard: Shard, word: Word, content: Value) => Promise<Heard>
  /** A peer has the log otherwise: another life of this store went on with it. */
  readonly renew: (log: LogKey, why: string) => void
  readonly closing: AbortSignal
}

interface Waiter {
  readonly log: LogKey
  readonly seq: number
  readonly resolve: (result: HeldResult) => void
}

export class Carrying {
  readonly #parts: CarryingParts
  /** By shard, the carrying under way, and whether there is more by now. */
  readonly #busy = new Map<Shard, { again: boolean; readonly ended: Promise<void> }>()
  readonly #waiters = new Map<Shard, Set<Waiter>>()
  /** By shard, the holders, as they had started, among which all that was carried was found. */
  readonly #foundAmong = new Map<Shard, string>()

  constructor(parts: CarryingParts) {
    this.#parts = parts
  }

  /** Blocks of this node's own that no holder has given a receipt for. */
  waitingBlocks(shard: Shard): number {
    let count = 0
    for (const log of shard.ownLogs.all()) count += Math.max(0, this.#head(shard, log) - this.#carried(shard, log))
    return count
  }

  /** All that is written is held by somebody else. */
  noteAll(shard: Shard): void {
    for (const log of shard.ownLogs.all()) this.#note(shard, log, this.#head(shard, log))
  }

  /** To be told now and then who holds it, and since which start: what waits is carried, and what was carried is looked for. */
  attend(shard: Shard, holders: readonly { readonly peer: PeerId; readonly incarnation: number }[]): void {
    const among = holders.map(({ peer, incarnation }) => `${peer} ${incarnation}`).toSorted()
    void this.#attend(shard, among.join())
  }

  async #attend(shard: Shard, among: string): Promise<void> {
    if (this.#foundAmong.get(shard) !== among) {
      const before = this.#foundAmong.get(shard)
      this.#foundAmong.set(shard, among)
      try {
        await this.#lookForCarried(shard)
      } catch (error) {
        if (!(error instanceof RhizomeError)) throw error
        // The next turn looks again.
        if (before === undefined) this.#foundAmong.delete(shard)
        else this.#foundAmong.set(shard, before)
        return
      }
    }
    if (this.waitingBlocks(shard) > 0) await this.carry(shard)
  }

  /** A power cut may take from a holder what it had given its receipt for: then it is carried again. Throws as `ask`. */
  async #lookForCarried(shard: Shard): Promise<void> {
    const { store, ask } = this.#parts
    const carried = [...shard.ownLogs.all()].flatMap((log) => {
      const seq = this.#carried(shard, log)
      const hash = seq < 0 ? undefined : store.readRun(shard.id, log, seq, 1)?.blocks[0]?.hash
      return hash === undefined ? [] : [{ log, seq, hash }]
    })
    for (let start = 0; start < carried.length; start += HOLD_LOGS_MAX) {
      const asked = carried.slice(start, start + HOLD_LOGS_MAX)
      const content = asked.map(({ log, seq }) => [log, seq])
      const heard = await ask(shard, 'hold', content)
      const { held } = readReceipt(bytesIn(heard.end), heard, shard)
      const found = new Set(held.map(({ log, hash }) => `${log} ${hash}`))
      // The holder itself tells from where on, when the newest comes to it.
      for (const { log, seq, hash } of asked) if (!found.has(`${log} ${hash}`)) this.#note(shard, log, seq - 1)
    }
  }

  /** Tries once. Never rejects: who waits is told, and the next turn tries again. */
  carry(shard: Shard): Promise<void> {
    const busy = this.#busy.get(shard)
    if (busy !== undefined) {
      busy.again = true
      return busy.ended
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const state = { again: false, ended: promise }
    this.#busy.set(shard, state)
    void this.#carryOn(shard, state).finally(() => {
      this.#busy.delete(shard)
      resolve()
    })
    return promise
  }

  /** Who holds the block by the deadline, beside this node. */
  async until(shard: Shard, block: BlockHash, deadlineMs: number): Promise<HeldResult> {
    const { store, environment, self, closing } = this.#parts
    const header = store.block(shard.id, block)?.header
    if (header === undefined) return { achieved: false, holders: [self], fault: LATE }
    const { promise, resolve } = Promise.withResolvers<HeldResult>()
    const waiter = { log: logKeyOfHeader(header), seq: header.seq, resolve }
    const waiters = this.#waiters.get(shard) ?? new Set()
    this.#waiters.set(shard, waiters.add(waiter))
    const cancel = environment.schedule(deadlineMs, () => resolve({ achieved: false, holders: [self], fault: LATE }))
    const onClose = (): void => resolve({ achieved: false, holders: [self], fault: CLOSED })
    closing.addEventListener('abort', onClose, { once: true })
    void this.carry(shard)
    try {
      return await promise
    } finally {
      cancel()
      closing.removeEventListener('abort', onClose)
      waiters.delete(waiter)
    }
  }

  async #carryOn(shard: Shard, state: { again: boolean }): Promise<void> {
    do {
      state.again = false
      try {
        for (const log of shard.ownLogs.all()) await this.#carryLog(shard, log)
      } catch (error) {
        if (!(error instanceof RhizomeError)) throw error
        this.#fail(shard, error)
        return
      }
    } while (state.again && !this.#parts.closing.aborted)
  }

  async #carryLog(shard: Shard, log: LogKey): Promise<void> {
    const { store, ask } = this.#parts
    while (this.#carried(shard, log) < this.#head(shard, log)) {
      const run = store.readRun(shard.id, log, this.#carried(shard, log) + 1, CARRIED_BYTES_MAX)
      if (run === undefined) return
      const heard = await ask(shard, 'take', encodeRun(run))
      const [kind, missingFrom, receipt] = listIn(heard.end)
      if (textIn(kind) === 'gap') this.#note(shard, log, integerIn(missingFrom) - 1)
      else if (receipt === null || receipt === undefined) return this.#refused(shard, log, textIn(kind))
      else this.#heed(shard, log, readReceipt(bytesIn(receipt), heard, shard))
    }
  }

  #heed(shard: Shard, log: LogKey, { peer, durability, held }: Receipt): void {
    const { store, self } = this.#parts
    const [word] = held
    const own = word && store.readRun(shard.id, word.log, word.seq, 1)?.blocks[0]
    if (word === undefined || word.log !== log || own?.hash !== word.hash) return this.#refused(shard, log, 'otherwise')
    this.#note(shard, log, word.seq)
    for (const waiter of this.#waiters.get(shard) ?? []) {
      if (waiter.log !== log || waiter.seq > word.seq) continue
      waiter.resolve({ achieved: true, holders: [self, { peer, durability }] })
    }
  }

  /** What was written to it stays here, and is told as waiting; writing goes on in a new log. */
  #refused(shard: Shard, log: LogKey, kind: string): never {
    this.#parts.renew(log, 'a holder of its shard has it otherwise')
    throw new RhizomeError(
      'RZ_SHARD_UNANSWERED',
      `a holder of "${shard.name}" does not take a log of this node: ${kind}`,
    )
  }

  #fail(shard: Shard, { code, message }: RhizomeError): void {
    const { self } = this.#parts
    for (const { resolve } of this.#waiters.get(shard) ?? []) {
      const told = `${message}; what was written waits in this node's own log until a holder has it`
      resolve({ achieved: false, holders: [self], fault: { code, message: told } })
    }
  }

  #head(shard: Shard, log: LogKey): number {
    return this.#parts.store.logState(shard.id, log)?.seq ?? -1
  }

  #carried(shard: Shard, log: LogKey): number {
    return Number(this.#parts.store.note(keyOf(shard, log)) ?? -1)
  }

  #note(shard: Shard, log: LogKey, seq: number): void {
    this.#parts.store.setNote(keyOf(shard, log), String(seq))
  }
}

const LATE = {
  code: 'RZ_DELIVERY_DEADLINE',
  message: 'no holder has given a receipt in time: what was written waits in this node’s own log until one has it',
} as const
const CLOSED = { code: 'RZ_STORE_CLOSED', message: 'the node was closed before a holder had given a receipt' } as const

function keyOf({ id }: Shard, log: LogKey): string {
  return `carried/${id}/${log}`
}

/** The holder's signed word. Throws RZ_SYNC_RECEIPT_INVALID, RZ_SIGNATURE_INVALID. */
export function readReceipt(bytes: Uint8Array, { by }: Heard, { id }: Shard): Receipt {
  const { message, isSigned } = decodeReceiptMessage(bytes)
  if (message.kind !== 'receipt' || message.namespace !== id || message.peer !== by) {
    throw new RhizomeError('RZ_SYNC_RECEIPT_INVALID', 'a receipt for something else, or of somebody else')
  }
  if (!isSigned()) throw new RhizomeError('RZ_SIGNATURE_INVALID', `a receipt that ${by} has not signed`)
  return message
}
