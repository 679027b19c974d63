/** Two sessions face to face, without streams: frames move when the test moves them, and every byte is counted. */

import type { LogKey, Run } from '../../src/log/block.ts'
import type { CommitResult, Store } from '../../src/store/store.ts'
import { createMemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import { Reservations } from '../../src/sync/reservations.ts'
import { Session, type SessionOptions } from '../../src/sync/session.ts'
import type { SessionPort } from '../../src/sync/session-port.ts'
import { Source } from '../../src/sync/source.ts'
import { decodeFrame, encodeFrame, type Frame, type Token } from '../../src/sync/wire.ts'
import { NAMESPACE, NAMESPACE_NAME, START_MS } from '../support/blocks.ts'

/** Within what a clock of 2026 admits. */
export const NOW_MS = START_MS + 60_000

/** One node as a session sees it. */
export class Side {
  readonly store: Store
  readonly source: Source
  readonly reservations = new Reservations()
  readonly passedOver = new Set<LogKey>()
  readonly headsKnown: { readonly log: string; readonly seq: number }[] = []
  readonly futureKnown: number[] = []

  constructor(name: string) {
    this.store = openMemoryStore({ disk: createMemoryDisk({ instance: Buffer.from(name.padEnd(16)).toString('hex') }) })
    this.store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    this.source = new Source(this.store, NAMESPACE)
  }

  give(...runs: readonly Run[]): readonly CommitResult[] {
    return this.store.commitAll(runs)
  }

  get frontier(): unknown {
    return this.store.frontier(NAMESPACE)
  }

  get port(): SessionPort {
    const { source, store, reservations, passedOver } = this
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
      take: (runs) => store.commitAll(runs),
      takeProof: (proof) => store.commitForkProof(proof),
      reserve: (log) => reservations.reserve(log, holder, NOW_MS),
      release: (log) => reservations.release(log, holder),
      passedOver: (log) => passedOver.has(log),
      headKnown: ({ creator, logId, seq }) => this.headsKnown.push({ log: `${creator}/${logId}`, seq }),
      futureKnown: ({ seq }) => this.futureKnown.push(seq),
    }
  }

  session(role: SessionOptions['role'], options: Partial<SessionOptions> = {}): Session {
    return new Session(this.port, { role, namespace: NAMESPACE, name: role, nowMs: NOW_MS, ...options })
  }

  /** A session towards a peer that the test plays by hand. */
  facing(role: SessionOptions['role'], options: Partial<SessionOptions> = {}): PlayedPeer {
    return new PlayedPeer(this.session(role, options))
  }
}

/** The test as the peer: says what it likes, and reads what the session answers. */
export class PlayedPeer {
  readonly session: Session

  constructor(session: Session) {
    this.session = session
  }

  say(frame: Frame): void {
    this.session.receive(encodeFrame(frame))
  }

  /** All that the session has to say now. */
  hear(): Frame[] {
    const frames: Frame[] = []
    for (let bytes = this.session.next(); bytes !== undefined; bytes = this.session.next())
      frames.push(decodeFrame(bytes))
    return frames
  }
}

export interface Exchanged {
  readonly bytes: number
  readonly frames: number
  readonly kinds: readonly string[]
  readonly initiator: Session
  readonly responder: Session
}

export interface ExchangeOptions {
  readonly since?: { readonly initiator?: Token; readonly responder?: Token }
  /** Ends the session after so many frames, as a broken connection does. */
  readonly framesMax?: number
  /** Called before each frame moves. */
  readonly onFrame?: (frame: Frame) => void
}

/** Runs a session to its end, or until `framesMax`. */
export function exchange(a: Side, b: Side, options: ExchangeOptions = {}): Exchanged {
  const { since = {}, framesMax = Infinity, onFrame } = options
  const initiator = a.session('initiator', since.initiator === undefined ? {} : { since: since.initiator })
  const responder = b.session('responder', since.responder === undefined ? {} : { since: since.responder })
  let bytes = 0
  const kinds: string[] = []
  const move = (from: Session, to: Session): boolean => {
    const frame = kinds.length < framesMax ? from.next() : undefined
    if (frame === undefined) return false
    const decoded = decodeFrame(frame)
    onFrame?.(decoded)
    bytes += frame.length
    kinds.push(decoded.kind)
    to.receive(frame)
    return true
  }
  for (let moved = true; moved;) {
    moved = move(initiator, responder)
    moved = move(responder, initiator) || moved
  }
  initiator.close()
  responder.close()
  return { bytes, frames: kinds.length, kinds, initiator, responder }
}
