/**
 * The half of a session that fetches: turns the peer's claims into wants, a bounded list at a time, checks every block that
 * comes, and hands verified runs to the store. What was committed counts even if the session breaks off.
 * design.md 3, "One signature check proves a run", and 4.
 */

import { isFuture } from '../delta/clock.ts'
import { RhizomeError } from '../errors.ts'
import { type Block, type LogKey, logKeyOfHeader, type Run } from '../log/block.ts'
import { verifyRun } from '../log/chain.ts'
import { type AttestedHeader, type Authentic, authenticate, decodeForkProof, verifyForkProof } from '../log/fork.ts'
import type { FrontierEntry } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { CommitResult } from '../store/store.ts'
import { decodeRun } from './gossip-message.ts'
import { SESSION_WANTS_MAX, WANTS_PER_FRAME_MAX } from './limits.ts'
import type { SessionPort } from './session-port.ts'
import { wantOf } from './want.ts'
import type { Frame, Want } from './wire.ts'

/** A log that the peer claims to know more of. */
interface Claim {
  readonly entry: FrontierEntry
  /** Where to look for the point at which two forks part, once a fork is known: lower each time, twice as far. */
  searchSeq?: number
  searchStep: number
}

/** A claim that was asked for. */
interface Asked {
  readonly claim: Claim
  nextSeq: number
  /** There is a reason why the claim is not met that is no fault of the peer's. */
  excused: boolean
}

export interface FetchingOptions {
  readonly namespace: NamespaceId
  /** The clock at the session's start. */
  readonly nowMs: number
}

export class Fetching {
  readonly #port: SessionPort
  readonly #options: FetchingOptions
  readonly #claims = new Map<LogKey, Claim>()
  readonly #asked = new Map<LogKey, Asked>()
  /** How many more the peer may send for this list: a proof of each log's cut, its head and where its future begins. */
  #proofsDue = 0
  #headsDue = 0

  /** New blocks and deltas that were committed. */
  blocks = 0
  deltas = 0
  /** A fork was learnt of. */
  forked = false
  /** Something that the peer claims is left for another session: fetched elsewhere, or more than one session takes. */
  deferred = false
  /** Something that the peer claims was not asked for, since it did not serve it before. */
  passedOver = false
  /** Something that the peer holds may not be admitted by now: it is dated too far ahead, or void. */
  inadmissible = false
  /** Why something could not be read: it is of a later format. */
  unreadable: string | undefined
  /** Logs that the peer claimed and did not serve. */
  readonly unserved: LogKey[] = []

  constructor(port: SessionPort, options: FetchingOptions) {
    this.#port = port
    this.#options = options
  }

  /** True when all is held that was claimed and may be admitted. */
  get complete(): boolean {
    return !this.deferred && !this.passedOver && this.unserved.length === 0
  }

  get idle(): boolean {
    return this.#asked.size === 0 && this.#claims.size === 0
  }

  /** Takes note of what the peer says it holds: it is asked for later, if it is still lacking then. */
  claim(entry: FrontierEntry): void {
    if (wantOf(this.#port.entry(entry.log), entry) === undefined) return
    if (this.#port.passedOver(entry.log)) this.passedOver = true
    else if (this.#claims.size >= SESSION_WANTS_MAX) this.deferred = true
    else this.#claims.set(entry.log, { entry, searchStep: 1 })
  }

  /** The next list of wants, when the last one is served. */
  next(): Frame | undefined {
    if (this.#asked.size > 0) return undefined
    const wants: Want[] = []
    for (const [log, claim] of this.#claims) {
      if (wants.length === WANTS_PER_FRAME_MAX) break
      this.#claims.delete(log)
      const want = this.#wantOf(claim)
      if (want === undefined) continue
      if (!this.#port.reserve(log)) {
        this.deferred = true
        continue
      }
      wants.push(want)
      this.#asked.set(log, { claim, nextSeq: want.fromSeq, excused: false })
    }
    this.#proofsDue = wants.length
    this.#headsDue = 2 * wants.length
    return wants.length === 0 ? undefined : { kind: 'want', wants }
  }

  /** Gives back what is reserved. To be called when the session ends, however it ends. */
  close(): void {
    for (const log of this.#asked.keys()) this.#port.release(log)
    this.#asked.clear()
  }

  heads(heads: readonly AttestedHeader[]): void {
    this.#headsDue -= heads.length
    if (this.#headsDue < 0) throw invalid('more heads than logs')
    for (const head of heads) {
      const authenticated = this.#readable(() => authentic(head))
      if (authenticated === undefined) continue
      const { header, hash } = authenticated
      const asked = this.#askedFor(logKeyOfHeader(header))
      this.#checkNamespace(header.namespace)
      if (isFuture(header.time, this.#options.nowMs)) {
        asked.excused = true
        this.#port.futureKnown(header)
      } else {
        this.#port.headKnown(header, hash)
      }
    }
  }

  proof(bytes: Uint8Array): void {
    if (--this.#proofsDue < 0) throw invalid('a proof that was not asked for')
    const proof = decodeForkProof(bytes)
    const { namespace, log } = verifyForkProof(proof)
    this.#checkNamespace(namespace)
    this.#askedFor(log)
    if (this.#port.takeProof(proof).kind === 'forked') this.forked = true
  }

  /** Checks and commits the runs of one frame, in one transaction. */
  runs(encoded: readonly (readonly Uint8Array[])[]): void {
    const checked: { readonly run: Run; readonly asked: Asked }[] = []
    for (const items of encoded) {
      const run = this.#readable(() => verifyRun(decodeRun(items)))
      if (run === undefined) continue
      const [first] = run.blocks
      const last = run.blocks.at(-1) as Block
      this.#checkNamespace(first.header.namespace)
      const asked = this.#askedFor(logKeyOfHeader(first.header))
      if (first.header.seq !== asked.nextSeq) throw invalid(`block ${first.header.seq} where ${asked.nextSeq} was due`)
      asked.nextSeq = last.header.seq + 1
      if (isFuture(last.header.time, this.#options.nowMs)) this.#excuseFuture(run, asked)
      else checked.push({ run, asked })
    }
    if (checked.length === 0) return
    const results = this.#port.take(checked.map(({ run }) => run))
    for (const [index, { run, asked }] of checked.entries()) this.#settle(run, asked, results[index] as CommitResult)
  }

  /** The peer has served what it can of the list. */
  served(): void {
    if (this.#asked.size === 0) throw invalid('it served what was not asked for')
    for (const [log, { claim, excused }] of this.#asked) {
      this.#port.release(log)
      if (claim.searchSeq !== undefined) this.#claims.set(log, claim)
      else if (wantOf(this.#port.entry(log), claim.entry) === undefined) continue
      else if (excused) this.inadmissible = true
      else this.unserved.push(log)
    }
    this.#asked.clear()
  }

  #wantOf(claim: Claim): Want | undefined {
    const held = this.#port.entry(claim.entry.log)
    if (claim.searchSeq === undefined) return wantOf(held, claim.entry)
    const fromSeq = claim.searchSeq
    delete claim.searchSeq
    return { log: claim.entry.log, fromSeq, ...(held?.cut === undefined ? {} : { cut: held.cut }) }
  }

  #settle(run: Run, asked: Asked, result: CommitResult): void {
    switch (result.kind) {
      case 'committed':
        this.blocks += result.blocks
        for (const { header } of run.blocks.slice(-result.blocks)) this.deltas += header.count
        return
      case 'forked':
        this.forked = true
        this.#search(run, asked.claim, result.cut)
        return
      case 'void':
        asked.excused = true
        return
      case 'duplicate':
      case 'gap':
      case 'invalid':
        // What is still lacking when the peer has served is held against it then.
        return
    }
  }

  /** A cut below the run that showed it is not yet the least: the logs part further down. */
  #search(run: Run, claim: Claim, cut: number): void {
    if (cut === 0 || cut >= run.blocks[0].header.seq) return
    claim.searchSeq = Math.max(0, cut - claim.searchStep)
    claim.searchStep *= 2
  }

  #excuseFuture(run: Run, asked: Asked): void {
    asked.excused = true
    const first = run.blocks.find(({ header }) => isFuture(header.time, this.#options.nowMs))
    if (first !== undefined) this.#port.futureKnown(first.header)
  }

  /** Undefined for what is of a later format: nobody's fault, and not for this release. */
  #readable<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof RhizomeError) || error.code !== 'RZ_BLOCK_VERSION') throw error
      this.unreadable = error.message
      return undefined
    }
  }

  #askedFor(log: LogKey): Asked {
    const asked = this.#asked.get(log)
    if (asked === undefined) throw invalid('a log that was not asked for')
    return asked
  }

  #checkNamespace(namespace: NamespaceId): void {
    if (namespace !== this.#options.namespace) throw invalid('another namespace')
  }
}

function authentic(head: AttestedHeader): Authentic {
  try {
    return authenticate(head)
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
    if (error.cause instanceof RhizomeError && error.cause.code === 'RZ_BLOCK_VERSION') throw error.cause
    throw new RhizomeError('RZ_SYNC_FRAME_INVALID', 'a head that its creator did not sign', { cause: error })
  }
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_SYNC_FRAME_INVALID', `out of place in fetching: ${why}`)
}
