/**
 * Asks other nodes on `/rhizome/query/1`. An answer counts when it is whole: a peer that dies in the middle of one, or is slow,
 * leaves nothing behind, and the same question goes to the next. So no row comes twice and none is missing. So many are
 * asked at once; the others wait their turn.
 */

import type { Value } from '../../delta/delta.ts'
import { ERROR_CODES, type ErrorCode, RhizomeError } from '../../errors.ts'
import type { Net, NetStream, PeerIdText } from '../../net/net.ts'
import { framesOf, type Schedule } from '../exchange.ts'
import {
  ANSWER_BYTES_MAX,
  ANSWER_IDLE_MS,
  ANSWER_ITEMS_MAX,
  ANSWER_MS_MAX,
  ASKED_MAX,
  ASKED_PER_PEER_MAX,
  LATER_MAX,
  LATER_PER_PEER_MAX,
  OPEN_MS_MAX,
  QUESTION_PROTOCOL,
} from './limits.ts'
import { Turns } from './turns.ts'
import { decodeAnswer, decodeItem, encodeQuestion, type Question } from './wire.ts'

/** A whole answer. */
export interface Heard {
  readonly by: PeerIdText
  readonly items: readonly Value[]
  readonly end: Value
}

/** What an answer amounts to, and what the peers that gave none said instead. */
export type Asked =
  | { readonly kind: 'answered'; readonly heard: Heard }
  /** The peer's own word that the question cannot be answered: another's would be the same. */
  | { readonly kind: 'refused'; readonly by: PeerIdText; readonly error: RhizomeError }
  | { readonly kind: 'unanswered'; readonly tried: readonly { readonly peer: PeerIdText; readonly why: string }[] }

export interface AskOptions {
  /** Whether the answer waits for something to happen: such questions take no turn of others. Default false. */
  readonly isLater?: boolean
}

export interface AskingOptions {
  readonly net: Net
  readonly schedule: Schedule
}

/** Codes that are about the peer, not about the question: the next is asked. */
const PASSING: ReadonlySet<string> = new Set([
  'RZ_SHARD_UNHELD',
  'RZ_SHARD_TAKING',
  'RZ_NODE_BUSY',
  'RZ_STORE_CLOSED',
  'RZ_STORE_FAILED',
  'RZ_STORE_FULL',
  'RZ_STORE_DAMAGED',
  'RZ_SYNC_VERSION',
])

export class Asking {
  readonly #options: AskingOptions
  readonly #stop = new AbortController()
  readonly #turns = new Turns({ countMax: ASKED_MAX, perPeerMax: ASKED_PER_PEER_MAX, stop: this.#stop.signal })
  readonly #later = new Turns({ countMax: LATER_MAX, perPeerMax: LATER_PER_PEER_MAX, stop: this.#stop.signal })

  constructor(options: AskingOptions) {
    this.#options = options
  }

  /** Whoever waits hears RZ_SYNC_CLOSED. */
  close(): void {
    this.#stop.abort(new RhizomeError('RZ_SYNC_CLOSED', 'the node is closing'))
  }

  /**
   * Asks `peers` one after the other, until one has answered. Throws RZ_NODE_BUSY when too many questions wait, RZ_SYNC_CLOSED,
   * RZ_BYTES_TOO_LARGE for a question that nobody would take.
   */
  async ask(question: Question, peers: readonly PeerIdText[], { isLater = false }: AskOptions = {}): Promise<Asked> {
    const turns = isLater ? this.#later : this.#turns
    const bytes = encodeQuestion(question)
    const tried: { readonly peer: PeerIdText; readonly why: string }[] = []
    for (const peer of peers) {
      await turns.enter(peer)
      try {
        return { kind: 'answered', heard: await this.#askOne(bytes, peer) }
      } catch (error) {
        this.#stop.signal.throwIfAborted()
        if (error instanceof Refusal && !PASSING.has(error.told.code)) {
          return { kind: 'refused', by: peer, error: error.told }
        }
        tried.push({ peer, why: error instanceof Error ? error.message : String(error) })
        this.#judge(peer, error)
      } finally {
        turns.leave(peer)
      }
    }
    return { kind: 'unanswered', tried }
  }

  async #askOne(question: Uint8Array, peer: PeerIdText): Promise<Heard> {
    const stream = await this.#open(peer)
    const abort = (why: string) => () => stream.abort(why)
    const cancelEnd = this.#options.schedule(ANSWER_MS_MAX, abort('the answer takes too long'))
    const onStop = abort('the node is closing')
    this.#stop.signal.addEventListener('abort', onStop, { once: true })
    let cancelIdle = this.#options.schedule(ANSWER_IDLE_MS, abort('no answer came'))
    const progress = (): void => {
      cancelIdle()
      cancelIdle = this.#options.schedule(ANSWER_IDLE_MS, abort('the answer came to a halt'))
    }
    try {
      await stream.send(question)
      const heard = await read(stream, progress)
      await stream.close()
      return heard
    } catch (error) {
      stream.abort(error instanceof Error ? error.message : 'the question failed')
      throw error
    } finally {
      cancelIdle()
      cancelEnd()
      this.#stop.signal.removeEventListener('abort', onStop)
    }
  }

  async #open(peer: PeerIdText): Promise<NetStream> {
    const { net, schedule } = this.#options
    const opening = new AbortController()
    const cancel = schedule(OPEN_MS_MAX, () =>
      opening.abort(new RhizomeError('RZ_NET_DIAL_FAILED', 'the peer opens no stream')),
    )
    const onStop = (): void => opening.abort(this.#stop.signal.reason)
    this.#stop.signal.addEventListener('abort', onStop, { once: true })
    try {
      return await net.open(peer, QUESTION_PROTOCOL, { signal: opening.signal })
    } finally {
      cancel()
      this.#stop.signal.removeEventListener('abort', onStop)
    }
  }

  #judge(peer: PeerIdText, error: unknown): void {
    if (error instanceof RhizomeError && error.code === 'RZ_SYNC_QUESTION_INVALID') {
      this.#options.net.penalise(peer, error.message)
    }
  }
}

/** A fault that the peer has told. */
class Refusal extends Error {
  readonly told: RhizomeError

  constructor(told: RhizomeError) {
    super(told.message)
    this.told = told
  }
}

async function read(stream: NetStream, progress: () => void): Promise<Heard> {
  const items: Value[] = []
  let bytes = 0
  const frames = framesOf(stream)
  for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
    progress()
    const frame = decodeAnswer(next.value)
    if (frame.kind === 'end') return { by: stream.peer, items, end: frame.content }
    if (frame.kind === 'fault') throw new Refusal(new RhizomeError(codeOf(frame.code), frame.text))
    bytes += next.value.length
    if (bytes > 2 * ANSWER_BYTES_MAX || items.length + frame.items.length > ANSWER_ITEMS_MAX) {
      throw new RhizomeError('RZ_SYNC_QUESTION_INVALID', 'an answer that does not end')
    }
    for (const item of frame.items) items.push(decodeItem(item))
  }
  throw new RhizomeError('RZ_NET_STREAM_CLOSED', 'the peer ended in the middle of its answer')
}

/** A code of a later release is none of ours. */
function codeOf(code: string): ErrorCode {
  const known: readonly string[] = ERROR_CODES
  return known.includes(code) ? (code as ErrorCode) : 'RZ_SHARD_UNANSWERED'
}
