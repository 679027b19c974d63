/**
 * The half of a session that serves: answers one list of wants at a time, frame by frame as the transport asks for them,
 * so that nothing queues. Blocks that are too far ahead of the peer's clock are told by a signed header instead.
 */

import { RhizomeError } from '../errors.ts'
import type { Block, LogKey, Run } from '../log/block.ts'
import { type AttestedHeader, attest, encodeForkProof } from '../log/fork.ts'
import { lengthOf } from '../log/frontier.ts'
import { encodeRun } from './gossip-message.ts'
import { HEAD_FIRST_BLOCKS, RUNS_FRAME_BYTES_MAX } from './limits.ts'
import type { SessionPort } from './session-port.ts'
import type { Frame, Want } from './wire.ts'

interface Served {
  readonly log: LogKey
  nextSeq: number
}

export class Serving {
  readonly #port: SessionPort
  readonly #timeMsMax: number
  #asked = false
  readonly #heads: AttestedHeader[] = []
  readonly #proofs: LogKey[] = []
  readonly #logs: Served[] = []
  /** A run that was read and did not fit into the last frame. */
  #carried: readonly Uint8Array[] | undefined
  blocks = 0

  /** `timeMsMax`: what the peer takes to be too far ahead. */
  constructor(port: SessionPort, timeMsMax: number) {
    this.#port = port
    this.#timeMsMax = timeMsMax
  }

  get busy(): boolean {
    return this.#asked
  }

  /** Throws RZ_SYNC_FRAME_INVALID while the list before is not served. */
  ask(wants: readonly Want[]): void {
    if (this.#asked) throw new RhizomeError('RZ_SYNC_FRAME_INVALID', 'it asks again before it was served')
    this.#asked = true
    for (const { log, fromSeq, cut } of wants) {
      const entry = this.#port.entry(log)
      if (entry === undefined) continue
      if (entry.cut !== undefined && entry.cut < (cut ?? Infinity)) this.#proofs.push(log)
      const lacked = lengthOf(entry) - fromSeq
      if (lacked > HEAD_FIRST_BLOCKS) this.#tell(this.#port.attestedHead(log))
      if (lacked > 0) this.#logs.push({ log, nextSeq: fromSeq })
    }
  }

  next(): Frame | undefined {
    if (!this.#asked) return undefined
    const proof = this.#nextProof()
    if (proof !== undefined) return proof
    if (this.#heads.length > 0) return { kind: 'heads', heads: this.#heads.splice(0, 64) }
    const runs = this.#nextRuns()
    if (runs.length > 0) return { kind: 'runs', runs }
    // Reading runs may have met a block of the future, which is told by its header.
    if (this.#heads.length > 0) return this.next()
    this.#asked = false
    return { kind: 'served' }
  }

  #nextProof(): Frame | undefined {
    for (let log = this.#proofs.shift(); log !== undefined; log = this.#proofs.shift()) {
      const proof = this.#port.forkProof(log)
      if (proof !== undefined) return { kind: 'proof', proof: encodeForkProof(proof) }
    }
    return undefined
  }

  #nextRuns(): readonly (readonly Uint8Array[])[] {
    const runs: (readonly Uint8Array[])[] = []
    let left = RUNS_FRAME_BYTES_MAX
    if (this.#carried !== undefined) {
      runs.push(this.#carried)
      left -= bytesOf(this.#carried)
      this.#carried = undefined
    }
    while (left > 0) {
      const served = this.#logs[0]
      if (served === undefined) break
      const run = this.#read(served, left)
      if (run === undefined) {
        this.#logs.shift()
        continue
      }
      this.blocks += run.length
      const bytes = bytesOf(run)
      // One run may be as large as a frame may be; beside others it must not make the frame larger.
      if (runs.length > 0 && bytes > left) {
        this.#carried = run
        break
      }
      runs.push(run)
      left -= bytes
    }
    return runs
  }

  #read(served: Served, bytesMax: number): readonly Uint8Array[] | undefined {
    const found = this.#port.readRun(served.log, served.nextSeq, bytesMax)
    if (found === undefined) return undefined
    const run = this.#withoutFuture(found)
    if (run === undefined) return undefined
    const last = run.blocks.at(-1) as Block
    served.nextSeq = last.header.seq + 1
    return encodeRun(run)
  }

  /** The part of a run that the peer's clock admits, if it ends at a signature. */
  #withoutFuture(run: Run): Run | undefined {
    const future = run.blocks.findIndex(({ header }) => header.time.ms > this.#timeMsMax)
    if (future === -1) return run
    const signed = run.blocks.findLastIndex(({ signature }, index) => index < future && signature !== undefined)
    if (signed === -1) {
      this.#tell(attest(run.blocks.slice(future)))
      return undefined
    }
    const [first, ...rest] = run.blocks.slice(0, signed + 1)
    return { blocks: [first as Block, ...rest] }
  }

  #tell(head: AttestedHeader | undefined): void {
    if (head !== undefined) this.#heads.push(head)
  }
}

function bytesOf(run: readonly Uint8Array[]): number {
  return run.reduce((sum, { length }) => sum + length, 0)
}
