/**
 * What this node asks others for: which wants are to be sent, to whom, when. Many that wait for one log, or for logs that are
 * asked about already, cost no message; what is not answered is asked again. A machine: timers and sending are passed in.
 */

import type { PeerId } from '../../delta/delta.ts'
import type { LogKey } from '../../log/block.ts'
import type { Schedule } from '../exchange.ts'
import {
  RECEIPT_LOGS_MAX,
  WANT_AGAIN_MS,
  WANT_AGAIN_MS_MAX,
  WANT_EVERY_MS,
  WANT_FOR_MS,
  WANT_HOLDERS_MAX,
} from './limits.ts'
import type { Want, WantedLog } from './message.ts'

export interface AskingOptions {
  readonly self: PeerId
  readonly steadyMs: () => number
  readonly schedule: Schedule
  readonly send: (want: Pick<Want, 'forMs' | 'holders' | 'all' | 'logs'>) => void
  /** Logs that whoever follows all will want next, beside those that it waits for; each call goes on where the last ended. */
  readonly upcoming: (countMax: number) => readonly WantedLog[]
}

export interface QuestionOptions {
  /** Whose receipts are wanted, as it is then. */
  readonly from: () => readonly PeerId[]
  /** Of every log, as they grow. */
  readonly all: boolean
}

interface State {
  readonly options: QuestionOptions
  /** As it was when it was asked last: looking it up may cost. */
  from: ReadonlySet<PeerId>
  need?: WantedLog
  againMs: number
  cancel?: () => void
}

/** Something that is waited for, until it is closed. */
export interface Question {
  /** Waits for this now, and for what came before no more. */
  need(log: LogKey, seq: number): void
  /** Waits for nothing in particular. */
  rest(): void
  close(): void
}

const ALL = '*'

export class Asking {
  readonly #options: AskingOptions
  readonly #open = new Set<State>()
  readonly #due = new Set<State>()
  /** By log, or `ALL`: until when which holder tells of it, as far as it was asked. */
  readonly #covered = new Map<string, Map<PeerId, number>>()
  #sentMs = -Infinity
  #cancelSend: (() => void) | undefined

  constructor(options: AskingOptions) {
    this.#options = options
  }

  /** Whether receipts of this holder are wanted now. */
  isWanted(holder: PeerId): boolean {
    for (const { from } of this.#open) if (from.has(holder)) return true
    return false
  }

  open(options: QuestionOptions): Question {
    const state: State = { options, from: new Set(options.from()), againMs: WANT_AGAIN_MS }
    this.#open.add(state)
    if (options.all) this.#ask(state)
    return {
      need: (log, seq) => {
        state.need = { log, seq }
        state.againMs = WANT_AGAIN_MS
        this.#ask(state)
      },
      rest: () => {
        delete state.need
        this.#ask(state)
      },
      close: () => {
        state.cancel?.()
        this.#open.delete(state)
        this.#due.delete(state)
      },
    }
  }

  close(): void {
    this.#cancelSend?.()
    for (const state of this.#open) state.cancel?.()
    this.#open.clear()
    this.#due.clear()
  }

  /** At once, unless it is asked for already; and again, as long as it is waited for. */
  #ask(state: State): void {
    state.cancel?.()
    delete state.cancel
    if (!this.#isCovered(state)) this.#plan(state)
    this.#askLater(state)
  }

  #askLater(state: State): void {
    const { need, options, againMs } = state
    if (need === undefined && !options.all) return
    const delayMs = need === undefined ? WANT_FOR_MS / 2 : againMs
    state.againMs = Math.min(WANT_AGAIN_MS_MAX, 2 * againMs)
    state.cancel = this.#options.schedule(delayMs, () => {
      this.#plan(state)
      this.#askLater(state)
    })
  }

  #isCovered({ options, from, need }: State): boolean {
    const nowMs = this.#options.steadyMs()
    const byAll = this.#covered.get(ALL)
    const byLog = need === undefined ? undefined : this.#covered.get(need.log)
    return [...from].every((peer) => {
      const isFollowed = (byAll?.get(peer) ?? 0) > nowMs
      return isFollowed || (!options.all && (byLog?.get(peer) ?? 0) > nowMs)
    })
  }

  #plan(state: State): void {
    this.#due.add(state)
    const delayMs = Math.max(0, this.#sentMs + WANT_EVERY_MS - this.#options.steadyMs())
    this.#cancelSend ??= this.#options.schedule(delayMs, () => {
      this.#cancelSend = undefined
      this.#send()
    })
  }

  /** What is due, those who ask the same holders together. */
  #send(): void {
    const nowMs = this.#options.steadyMs()
    this.#sentMs = nowMs
    this.#forget(nowMs)
    for (const state of this.#due) state.from = new Set(state.options.from())
    const groups = Map.groupBy(this.#due, ({ from }) => [...from].sort().join())
    this.#due.clear()
    for (const states of groups.values()) {
      const holders = [...(states[0]?.from ?? [])].filter((peer) => peer !== this.#options.self)
      const all = states.some(({ options }) => options.all)
      const logs = this.#logsOf(states, all)
      for (let start = 0; start < holders.length; start += WANT_HOLDERS_MAX) {
        const some = holders.slice(start, start + WANT_HOLDERS_MAX)
        this.#cover(some, [...(all ? [ALL] : []), ...logs.map(({ log }) => log)], nowMs)
        this.#options.send({ forMs: WANT_FOR_MS, holders: some, all, logs })
      }
    }
  }

  /** Past the limit the rest comes with the next question: it is asked again. */
  #logsOf(states: readonly State[], all: boolean): readonly WantedLog[] {
    const seqs = new Map<LogKey, number>()
    for (const { need } of states) {
      if (need !== undefined) seqs.set(need.log, Math.max(need.seq, seqs.get(need.log) ?? 0))
    }
    if (all) {
      for (const { log, seq } of this.#options.upcoming(RECEIPT_LOGS_MAX - Math.min(seqs.size, RECEIPT_LOGS_MAX))) {
        if (!seqs.has(log)) seqs.set(log, seq)
      }
    }
    return [...seqs].map(([log, seq]) => ({ log, seq })).slice(0, RECEIPT_LOGS_MAX)
  }

  #cover(holders: readonly PeerId[], logs: readonly string[], nowMs: number): void {
    for (const log of logs) {
      const untilMs = this.#covered.get(log) ?? new Map<PeerId, number>()
      this.#covered.set(log, untilMs)
      for (const holder of holders) untilMs.set(holder, nowMs + WANT_FOR_MS / 2)
    }
  }

  #forget(nowMs: number): void {
    for (const [log, holders] of this.#covered) {
      for (const [holder, untilMs] of holders) if (untilMs <= nowMs) holders.delete(holder)
      if (holders.size === 0) this.#covered.delete(log)
    }
  }
}
