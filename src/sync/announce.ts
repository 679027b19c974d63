/**
 * Tells gossip what this node has written: follows the store's changes from a durable cursor, so that what was committed
 * before a crash is announced after it. Only blocks whose host is this node: what came by gossip is forwarded by gossip, and
 * what came by sync is offered to neighbours by sync (replica.ts), which does not repeat a whole history as messages.
 * The first block leaves at once; those that follow within a moment go into the next message as a run, so that a stream of
 * small writes costs its readers few signature checks. design.md 4 and 6.
 */

import type { PeerId } from '../delta/delta.ts'
import { type Block, logKeyOfHeader, RUN_BLOCKS_MAX } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { GOSSIP_BYTES_MAX } from '../net/net.ts'
import type { Change, Position, Store } from '../store/store.ts'
import { encodeGossipHead, encodeGossipRun } from './gossip-message.ts'
import {
  ANNOUNCE_GATHER_MS,
  ANNOUNCE_QUEUE_BYTES_MAX,
  ANNOUNCE_READ_MAX,
  ANNOUNCED_NOTE_MS,
  ANNOUNCED_RUN_BYTES_MAX,
} from './limits.ts'
import { readToken, tryNoteToken } from './notes.ts'

export interface AnnouncerOptions {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly host: PeerId
  readonly publish: (bytes: Uint8Array) => Promise<unknown>
  readonly schedule: (delayMs: number, run: () => void) => () => void
  /** A message could not be published; the next ones are tried all the same. */
  readonly onFailure: (error: unknown) => void
}

interface Queued {
  readonly block: Block
  readonly sizeBytes: number
}

export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #noteKey: string
  readonly #stop = new AbortController()
  readonly #queue: Queued[] = []
  #queueBytes = 0
  #room = Promise.withResolvers<void>()
  #publishing = false
  /** The newest change that was looked at, and the newest of which all is published. */
  #seen: Position
  #published: Position
  #noted: Position | undefined
  #cancelNote: (() => void) | undefined
  #cancelGather: (() => void) | undefined
  #done: Promise<void> | undefined

  constructor(options: AnnouncerOptions) {
    this.#options = options
    this.#noteKey = `announced/${options.namespace}`
    this.#noted = this.#readNote()
    this.#published = this.#noted ?? options.store.position()
    this.#seen = this.#published
  }

  start(): void {
    // Noted at once: what is committed from now on is announced, even if this process dies before the next note.
    this.#note()
    this.#done = this.#follow().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.onFailure(error)
    })
  }

  /** Idempotent. Resolves when nothing is published any more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#room.resolve()
    this.#cancelGather?.()
    await this.#done
    this.#cancelNote?.()
    this.#cancelNote = undefined
    this.#note()
  }

  async #follow(): Promise<void> {
    const { store } = this.#options
    do {
      // All that is committed by now, so that what is written in one go leaves in one message.
      for (let batch = this.#read(); batch.length > 0; batch = this.#read()) {
        for (const change of batch) this.#look(change)
        if (!this.#publishing) void this.#publishAll()
        if (this.#queueBytes > ANNOUNCE_QUEUE_BYTES_MAX) await this.#untilRoom()
        if (this.#stop.signal.aborted) return
      }
    } while (await this.#changed(store))
  }

  #read(): readonly Change[] {
    const limits = { countMax: ANNOUNCE_READ_MAX, bytesMax: ANNOUNCE_QUEUE_BYTES_MAX }
    return this.#options.store.changesNow({ after: this.#seen, ...limits })
  }

  /** Waits for a change that was not looked at; false when the announcer stops. */
  async #changed(store: Store): Promise<boolean> {
    const changes = store.changes({ after: this.#seen, signal: this.#stop.signal })[Symbol.asyncIterator]()
    const { done } = await changes.next()
    await changes.return?.()
    return done !== true
  }

  #look(change: Change): void {
    this.#seen = change.position
    if (change.kind !== 'committed' || change.namespace !== this.#options.namespace) return
    const { block } = change
    if (block.header.host !== this.#options.host || block.signature === undefined) return
    const sizeBytes = sizeOf(block)
    this.#queue.push({ block, sizeBytes })
    this.#queueBytes += sizeBytes
  }

  /** Never rejects. */
  async #publishAll(): Promise<void> {
    this.#publishing = true
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const bytes = this.#nextMessage()
      try {
        await this.#options.publish(bytes)
      } catch (error) {
        this.#options.onFailure(error)
      }
      if (this.#queueBytes <= ANNOUNCE_QUEUE_BYTES_MAX) this.#room.resolve()
      if (this.#queueBytes < ANNOUNCED_RUN_BYTES_MAX) await this.#gather()
    }
    this.#publishing = false
    if (this.#queue.length === 0) this.#advance()
  }

  #gather(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#cancelGather = this.#options.schedule(ANNOUNCE_GATHER_MS, resolve)
    return promise
  }

  #nextMessage(): Uint8Array {
    const [first, ...rest] = this.#takeRun()
    const message = encodeGossipRun({ blocks: [first, ...rest] })
    return message.length > GOSSIP_BYTES_MAX ? encodeGossipHead(first) : message
  }

  /** The longest run at the front of the queue that fits a message. */
  #takeRun(): readonly [Block, ...Block[]] {
    const first = this.#take()
    const run: [Block, ...Block[]] = [first]
    let bytes = sizeOf(first)
    let last = first
    for (;;) {
      const next = this.#queue[0]
      if (next === undefined || run.length === RUN_BLOCKS_MAX) return run
      bytes += next.sizeBytes
      const follows =
        next.block.header.previous === last.hash && logKeyOfHeader(next.block.header) === logKeyOfHeader(last.header)
      if (!follows || bytes > ANNOUNCED_RUN_BYTES_MAX) return run
      last = this.#take()
      run.push(last)
    }
  }

  #take(): Block {
    const queued = this.#queue.shift() as Queued
    this.#queueBytes -= queued.sizeBytes
    return queued.block
  }

  async #untilRoom(): Promise<void> {
    this.#room = Promise.withResolvers<void>()
    if (this.#queueBytes > ANNOUNCE_QUEUE_BYTES_MAX) await this.#room.promise
  }

  /** Everything that was looked at is published. */
  #advance(): void {
    this.#published = this.#seen
    this.#cancelNote ??= this.#options.schedule(ANNOUNCED_NOTE_MS, () => {
      this.#cancelNote = undefined
      this.#note()
    })
  }

  #note(): void {
    if (this.#noted === this.#published) return
    const { store } = this.#options
    // A note that could not be written costs announcing again what was announced, and is written with the next.
    const token = { instance: store.instance, position: this.#published }
    if (tryNoteToken(store, this.#noteKey, token)) this.#noted = this.#published
  }

  /** Undefined when there is none, or it is of an earlier life of the store. */
  #readNote(): Position | undefined {
    const { store } = this.#options
    const token = readToken(store, this.#noteKey)
    return token?.instance === store.instance ? (token.position as Position) : undefined
  }
}

/** Bytes that a block takes in a message, or a little more. */
function sizeOf({ headerBytes, header, payload }: Block): number {
  return headerBytes.length + header.payloadBytes + 5 * payload.length + 96
}
