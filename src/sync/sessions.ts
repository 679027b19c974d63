/**
 * The sync sessions of one namespace: opens and serves them, one per peer and direction, and takes account of what they came
 * to. When to open one is contacts.ts, what is said in one is session.ts. design.md 4.
 */

import { assert, RhizomeError } from '../errors.ts'
import { type LogKey, logKeyOfHeader } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Net, NetStream, PeerIdText } from '../net/net.ts'
import type { Store } from '../store/store.ts'
import type { ContactResult } from './contacts.ts'
import type { NamespaceEvent } from './events.ts'
import { exchange, type ExchangeOptions, type Frames, framesOf, type Schedule } from './exchange.ts'
import { failureOf, isOffence } from './failure.ts'
import type { Intake } from './intake.ts'
import type { KnownHeads } from './known-heads.ts'
import { CLOCK_OFFSET_REPORT_MS, SESSION_OPEN_MS, SYNC_PROTOCOL } from './limits.ts'
import { PassedOver } from './passed-over.ts'
import type { SyncPeers } from './peers.ts'
import { Reservations } from './reservations.ts'
import { Session, type SessionOptions } from './session.ts'
import type { SessionPort } from './session-port.ts'
import type { Source } from './source.ts'
import { SyncedPeers } from './synced-peers.ts'
import type { Hello } from './wire.ts'

export interface SessionsOptions {
  readonly store: Store
  readonly net: Net
  readonly namespace: NamespaceId
  readonly name: string
  readonly nowMs: () => number
  readonly steadyMs: () => number
  readonly schedule: Schedule
  readonly source: Source
  readonly intake: Intake
  readonly known: KnownHeads
  readonly peers: SyncPeers
  readonly emit: (event: NamespaceEvent) => void
  /** A session brought something new: others may lack it too. */
  readonly spread: (from: PeerIdText) => void
  /** A log that others wait for is free: these peers' sessions left something out. */
  readonly resume: (peers: readonly PeerIdText[]) => void
  readonly changed: () => void
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #stop = new AbortController()
  readonly #synced: SyncedPeers
  readonly #passedOver = new PassedOver()
  readonly #reservations = new Reservations()
  readonly #inbound = new Set<PeerIdText>()
  readonly #deferred = new Set<PeerIdText>()
  readonly #running = new Set<Promise<unknown>>()

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#synced = new SyncedPeers(options.store, options.namespace)
  }

  get inboundCount(): number {
    return this.#inbound.size
  }

  isServing(peer: PeerIdText): boolean {
    return this.#inbound.has(peer)
  }

  /** Ends every session. Resolves when they have ended. */
  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#running)
  }

  /** Holds a session that this node opens. Never rejects. */
  open(peer: PeerIdText): Promise<ContactResult> {
    const session = this.#sessionWith(peer, 'initiator')
    return this.#hold(peer, session, this.#options.steadyMs(), async (options) => {
      const stream = await this.#openStream(peer)
      const sentMs = this.#options.nowMs()
      const onHello = (): void => this.#onHello(peer, session.peer, (sentMs + this.#options.nowMs()) / 2)
      await exchange(stream, framesOf(stream), session, { ...options, onHello })
    })
  }

  /**
   * Holds a session that the peer opened with `hello`. What it brings is what the peer held at `openedMs`, when its stream
   * came, by the steady clock: of a moment after that the peer's hello, which was under way, does not speak. Never rejects.
   */
  async serve(stream: NetStream, frames: Frames, hello: Hello, openedMs: number): Promise<ContactResult> {
    const { peer } = stream
    assert(!this.#inbound.has(peer), 'one session per peer and direction')
    this.#inbound.add(peer)
    const session = this.#sessionWith(peer, 'responder')
    const result = await this.#hold(peer, session, openedMs, async (options) => {
      session.take(hello)
      this.#onHello(peer, hello, this.#options.nowMs())
      await exchange(stream, frames, session, options)
    })
    this.#inbound.delete(peer)
    if (result === 'failed') stream.abort('the session failed')
    return result
  }

  async #openStream(peer: PeerIdText): Promise<NetStream> {
    const { net, schedule } = this.#options
    const opening = new AbortController()
    const onStop = (): void => opening.abort(this.#stop.signal.reason)
    const onLate = (): void => opening.abort(new RhizomeError('RZ_SYNC_STALLED', 'the peer opens no stream'))
    const cancel = schedule(SESSION_OPEN_MS, onLate)
    this.#stop.signal.addEventListener('abort', onStop, { once: true })
    try {
      return await net.open(peer, SYNC_PROTOCOL, { signal: opening.signal })
    } finally {
      cancel()
      this.#stop.signal.removeEventListener('abort', onStop)
    }
  }

  #hold(
    peer: PeerIdText,
    session: Session,
    startedMs: number,
    run: (options: ExchangeOptions) => Promise<void>,
  ): Promise<ContactResult> {
    const held = this.#holdOpen(peer, session, startedMs, run)
    this.#running.add(held)
    return held.finally(() => this.#running.delete(held))
  }

  async #holdOpen(
    peer: PeerIdText,
    session: Session,
    startedMs: number,
    run: (options: ExchangeOptions) => Promise<void>,
  ): Promise<ContactResult> {
    const { peers, schedule, changed } = this.#options
    peers.sessionBegan(peer)
    try {
      await run({ schedule, signal: this.#stop.signal })
      return this.#onEnd(peer, session, startedMs)
    } catch (error) {
      this.#onFailure(peer, session, error)
      return 'failed'
    } finally {
      session.close()
      peers.sessionEnded(peer)
      this.#resumeDeferred(peer)
      changed()
    }
  }

  #onHello(peer: PeerIdText, hello: Hello | undefined, atMs: number): void {
    if (hello === undefined) return
    const offsetMs = Math.round(hello.clockMs - atMs)
    const beforeMs = this.#options.peers.greeted(peer, hello.name, offsetMs)
    const isOff = Math.abs(offsetMs) > CLOCK_OFFSET_REPORT_MS
    const wasOff = Math.abs(beforeMs ?? 0) > CLOCK_OFFSET_REPORT_MS
    if (isOff && !wasOff) this.#options.emit({ kind: 'clock-off', peer, offsetMs })
  }

  #onEnd(peer: PeerIdText, session: Session, startedMs: number): ContactResult {
    const { complete, whole, deferred, blocks, deltas, unserved, unreadable } = session.result
    const { peers, known, nowMs, emit, spread } = this.#options
    for (const log of unserved) {
      this.#passedOver.note(peer, log, nowMs())
      known.distrust(log, peer)
    }
    peers.synced(peer, complete ? startedMs : undefined)
    if (whole && session.peer !== undefined) this.#synced.note(peer, session.peer.token)
    // Complete or not: whoever claims what it never serves would else keep us waiting for what others made it show.
    if (!deferred) known.missed(peer)
    emit({ kind: 'synced', peer, blocks, deltas })
    if (unreadable !== undefined) emit({ kind: 'sync-failed', peer, code: 'RZ_BLOCK_VERSION', why: unreadable })
    if (blocks > 0) spread(peer)
    if (deferred) this.#deferred.add(peer)
    if (complete && known.lackedFrom(peer) === 0) return 'complete'
    return blocks > 0 ? 'progressed' : 'stuck'
  }

  #onFailure(peer: PeerIdText, session: Session, error: unknown): void {
    if (this.#stop.signal.aborted) return
    const { net, peers, emit, spread } = this.#options
    const failure = failureOf(error)
    if (session.result.blocks > 0) spread(peer)
    if (failure.code.startsWith('RZ_STORE_')) return emit({ kind: 'store-refused', ...failure })
    peers.failed(peer)
    emit({ kind: 'sync-failed', peer, ...failure })
    if (!isOffence(failure)) return
    emit({ kind: 'rejected', from: peer, ...failure })
    net.penalise(peer, failure.why)
  }

  /** A session has ended, and with it what it had reserved. */
  #resumeDeferred(ended: PeerIdText): void {
    const peers = [...this.#deferred].filter((peer) => peer !== ended)
    for (const peer of peers) this.#deferred.delete(peer)
    this.#options.resume(peers)
  }

  #sessionWith(peer: PeerIdText, role: SessionOptions['role']): Session {
    const { namespace, name, nowMs } = this.#options
    this.#deferred.delete(peer)
    const since = this.#synced.since(peer)
    return new Session(this.#portFor(peer), {
      role,
      namespace,
      name,
      nowMs: nowMs(),
      ...(since === undefined ? {} : { since }),
    })
  }

  #portFor(peer: PeerIdText): SessionPort {
    const { source, intake, known, nowMs, changed } = this.#options
    const holder = {}
    return {
      instance: source.instance,
      position: () => source.position(),
      summary: () => source.summary(),
      entry: (log) => source.entry(log),
      changedSince: (position) => source.changedSince(position),
      readRun: (log, fromSeq, bytesMax) => source.readRun(log, fromSeq, bytesMax),
      attestedHead: (log) => source.attestedHead(log),
      forkProof: (log) => source.forkProof(log),
      take: (runs) => {
        for (const { blocks } of runs) {
          const log = logKeyOfHeader(blocks[0].header)
          this.#passedOver.forgive(peer, log)
          this.#reservations.renew(log, holder, nowMs())
        }
        return intake.take(runs, peer)
      },
      takeProof: (proof) => intake.takeProof(proof),
      reserve: (log: LogKey) => this.#reservations.reserve(log, holder, nowMs()),
      release: (log: LogKey) => this.#reservations.release(log, holder),
      passedOver: (log) => this.#passedOver.has(peer, log, nowMs()),
      headKnown: (header) => {
        known.note(logKeyOfHeader(header), header.seq, peer)
        changed()
      },
      futureKnown: (header) => intake.future(header, peer),
    }
  }
}
