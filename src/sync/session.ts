/**
 * One sync session, as a machine: frames in by `receive`, frames out by `next` when the transport has room. It does no I/O,
 * reads no clock and draws no random number; what it may ask of the node is session-port.ts. design.md 4.
 *
 *     hello →            both tell namespace, digest, clock and how far they got with each other last time;
 *     ← hello            equal digests: done in one round trip
 *     claims · compare ↔ what changed since then, or the frontiers by turns (comparing.ts): now each knows what it lacks
 *     want → ← runs …    each fetches it from the other (fetching.ts, serving.ts), both directions at once
 *     done ↔ done        equal digests, or one more round of comparing if nobody else changed anything meanwhile
 */

import { FUTURE_MS_MAX } from '../delta/clock.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { Comparing } from './comparing.ts'
import { Fetching } from './fetching.ts'
import { CHANGED_LOGS_MAX, SESSION_ROUNDS_MAX } from './limits.ts'
import { Serving } from './serving.ts'
import type { SessionPort } from './session-port.ts'
import { decodeFrame, type Done, encodeFrame, type Frame, type Hello, type Refusal, type Token } from './wire.ts'

export interface SessionOptions {
  readonly role: 'initiator' | 'responder'
  readonly namespace: NamespaceId
  readonly name: string
  /** The clock at the session's start. */
  readonly nowMs: number
  /** Up to where we hold all that this peer holds, by its own account. */
  readonly since?: Token
}

/** What a session has brought about. */
export interface SessionResult {
  /** We hold all that the peer held when it said hello, and that may be admitted. */
  readonly complete: boolean
  /** We hold all of it without exception: the next session may begin from there. */
  readonly whole: boolean
  /** Some of it is being fetched from others, or is more than one session takes: it is worth coming back soon. */
  readonly deferred: boolean
  readonly blocks: number
  readonly deltas: number
  readonly unserved: Fetching['unserved']
  /** Why something could not be read: it is of a later format. */
  readonly unreadable: string | undefined
}

export class Session {
  /** The peer's hello, once it came. */
  peer: Hello | undefined
  readonly #port: SessionPort
  readonly #options: SessionOptions
  readonly #fetching: Fetching
  #serving: Serving
  #comparing: Comparing | undefined
  #phase: 'hello' | 'comparing' | 'fetching' | 'ended' = 'hello'
  readonly #control: Frame[] = []
  /** The hello is made when it is sent: the peer relies on its digest to be no older than the stream. */
  #isToGreet: boolean
  #round = 0
  #ours: Done | undefined
  #theirs: Done | undefined
  /** The store's position after our own last commit: if it is another, somebody else commits as well. */
  #position: number
  #moved = false

  constructor(port: SessionPort, options: SessionOptions) {
    this.#position = port.position()
    this.#port = port
    this.#options = options
    this.#fetching = new Fetching(this.#port, options)
    this.#serving = new Serving(this.#port, Infinity)
    this.#isToGreet = options.role === 'initiator'
  }

  /** True when all is said and sent. */
  get finished(): boolean {
    return this.#phase === 'ended' && this.#control.length === 0
  }

  get result(): SessionResult {
    const { inadmissible, deferred, blocks, deltas, unserved, unreadable } = this.#fetching
    const complete = this.#phase === 'ended' && this.#fetching.complete
    return { complete, whole: complete && !inadmissible, deferred, blocks, deltas, unserved, unreadable }
  }

  /** The next frame to send; undefined when there is nothing to say now. Reads the store for no more than that frame. */
  next(): Uint8Array | undefined {
    const frame = this.#nextFrame()
    return frame === undefined ? undefined : encodeFrame(frame)
  }

  /**
   * Takes a frame of the peer's. Throws RZ_SYNC_FRAME_INVALID and what decoding blocks throws for what no honest peer sends,
   * RZ_SYNC_REFUSED and RZ_SYNC_VERSION when the peer will not talk, and what the store throws.
   */
  receive(bytes: Uint8Array): void {
    this.take(decodeFrame(bytes))
  }

  /** As `receive`, for a frame that was decoded already: a responder's first. */
  take(frame: Frame): void {
    switch (frame.kind) {
      case 'hello':
        return this.#onHello(frame)
      case 'refuse':
        throw refused(frame.reason)
      case 'compare':
      case 'claims':
      case 'turn':
        return this.#onCompare(frame)
      default:
        return this.#onFetch(frame)
    }
  }

  /** Gives back what is reserved. */
  close(): void {
    this.#fetching.close()
  }

  #nextFrame(): Frame | undefined {
    if (this.#isToGreet) {
      this.#isToGreet = false
      return this.#hello()
    }
    const control = this.#control.shift()
    if (control !== undefined) return control
    if (this.#phase === 'comparing') {
      const frame = this.#comparing?.next()
      this.#checkCompared()
      if (frame !== undefined) return frame
    }
    if (this.#phase !== 'fetching') return undefined
    return this.#fetching.next() ?? this.#serving.next() ?? this.#finish()
  }

  // -------------------------------------------------------------------------------------------------- hello

  #hello(changes?: Hello['changes']): Hello {
    const { namespace, name, nowMs, since } = this.#options
    const { digest, size } = this.#port.summary()
    return {
      kind: 'hello',
      namespace,
      name,
      digest,
      logs: size,
      token: { instance: this.#port.instance, position: this.#port.position() },
      ...(since === undefined ? {} : { since }),
      clockMs: nowMs,
      ...(changes === undefined ? {} : { changes }),
    }
  }

  #onHello(hello: Hello): void {
    if (this.#phase !== 'hello') throw invalid('a second hello')
    if (hello.namespace !== this.#options.namespace) throw invalid('a hello of another namespace')
    if ((hello.changes?.length ?? 0) > CHANGED_LOGS_MAX) throw invalid('too many changes in a hello')
    this.peer = hello
    this.#serving = new Serving(this.#port, hello.clockMs + FUTURE_MS_MAX)
    const equal = Buffer.compare(hello.digest, this.#port.summary().digest) === 0
    if (this.#options.role === 'responder') this.#respond(hello, equal)
    else if (equal) this.#phase = 'ended'
    else this.#open(hello)
  }

  #respond(hello: Hello, equal: boolean): void {
    const changes = equal || hello.logs === 0 ? undefined : this.#changesFor(hello)
    this.#control.push(this.#hello(changes))
    if (equal) {
      this.#phase = 'ended'
      return
    }
    this.#compare('theirs')
  }

  /** The initiator's first turn: what changed since the last contact, if both sides can tell, else comparing. */
  #open(hello: Hello): void {
    const comparing = this.#compare('ours')
    for (const entry of hello.changes ?? []) this.#fetching.claim(entry)
    const changes = hello.changes === undefined ? undefined : this.#changesFor(hello)
    if (changes === undefined) comparing.open(hello.logs)
    else comparing.claimOnly(changes)
  }

  #changesFor({ since }: Hello): Hello['changes'] {
    if (since === undefined || since.instance !== this.#port.instance) return undefined
    return this.#port.changedSince(since.position)
  }

  // -------------------------------------------------------------------------------------------------- comparing

  #compare(turn: 'ours' | 'theirs'): Comparing {
    this.#phase = 'comparing'
    this.#comparing = new Comparing(this.#port.summary(), turn, (entry) => this.#fetching.claim(entry))
    return this.#comparing
  }

  #onCompare(frame: Frame & { readonly kind: 'compare' | 'claims' | 'turn' }): void {
    if (this.#phase !== 'comparing') throw invalid(`${frame.kind} after comparing`)
    this.#comparing?.receive(frame)
    this.#checkCompared()
  }

  #checkCompared(): void {
    if (this.#phase !== 'comparing' || this.#comparing?.over !== true) return
    this.#comparing = undefined
    this.#phase = 'fetching'
  }

  // -------------------------------------------------------------------------------------------------- fetching

  #onFetch(frame: Exclude<Frame, { readonly kind: 'hello' | 'refuse' | 'compare' | 'claims' | 'turn' }>): void {
    if (this.#phase !== 'fetching') throw invalid(`${frame.kind} before comparing is over`)
    switch (frame.kind) {
      case 'want':
        if (this.#theirs !== undefined) throw invalid('it asks after it was done')
        return this.#serving.ask(frame.wants)
      case 'heads':
        return this.#fetching.heads(frame.heads)
      case 'runs':
        return this.#committing(() => this.#fetching.runs(frame.runs))
      case 'proof':
        return this.#committing(() => this.#fetching.proof(frame.proof))
      case 'served':
        return this.#fetching.served()
      case 'done':
        if (this.#theirs !== undefined || this.#serving.busy) throw invalid('done, and yet not')
        this.#theirs = frame
        return this.#conclude()
    }
  }

  #finish(): Frame | undefined {
    if (this.#ours !== undefined || !this.#fetching.idle) return undefined
    this.#noteMoved()
    this.#ours = {
      kind: 'done',
      digest: this.#port.summary().digest,
      moved: this.#moved,
      forked: this.#fetching.forked,
    }
    const done = this.#ours
    this.#conclude()
    return done
  }

  /** When both are done: both sides see the same two frames and so decide alike whether to compare once more. */
  #conclude(): void {
    const { initiator, responder } = this.#sides()
    if (initiator === undefined || responder === undefined) return
    const equal = Buffer.compare(initiator.digest, responder.digest) === 0
    const still = !initiator.moved && !responder.moved
    const worthwhile = this.#round === 0 || initiator.forked || responder.forked
    this.#round++
    if (equal || !still || !worthwhile || this.#round >= SESSION_ROUNDS_MAX) {
      this.#phase = 'ended'
      return
    }
    this.#ours = undefined
    this.#theirs = undefined
    this.#fetching.forked = false
    const comparing = this.#compare(this.#options.role === 'initiator' ? 'ours' : 'theirs')
    if (this.#options.role === 'initiator') comparing.open(1)
  }

  #sides(): { readonly initiator: Done | undefined; readonly responder: Done | undefined } {
    return this.#options.role === 'initiator'
      ? { initiator: this.#ours, responder: this.#theirs }
      : { initiator: this.#theirs, responder: this.#ours }
  }

  #committing(commit: () => void): void {
    this.#noteMoved()
    commit()
    this.#position = this.#port.position()
  }

  #noteMoved(): void {
    const position = this.#port.position()
    if (position !== this.#position) this.#moved = true
    this.#position = position
  }
}

function refused(reason: Refusal): RhizomeError {
  return new RhizomeError('RZ_SYNC_REFUSED', `the peer refuses to sync: ${reason}`)
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_SYNC_FRAME_INVALID', `out of place in a session: ${why}`)
}
