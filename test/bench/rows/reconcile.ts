/** Two nodes that hold nearly the same: what it costs to find and close the difference, by bytes and by time. */

import { attest } from '../../../src/log/fork.ts'
import type { LogKey } from '../../../src/log/block.ts'
import { verifyRun } from '../../../src/log/chain.ts'
import { digestOf } from '../../../src/log/frontier.ts'
import { openMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import { Session } from '../../../src/sync/session.ts'
import type { SessionPort } from '../../../src/sync/session-port.ts'
import { Summaries, type Summary } from '../../../src/sync/summary.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, signer, TestLog } from '../../support/blocks.ts'
import { type Row, rowOfFigures } from '../measure.ts'
import { type Bench, type Scale, sized } from '../row.ts'

const DELTAS_PER_LOG = 100
const DIFFERENT_LOGS = 10
const CREATORS = 100

export const reconcile: Bench = {
  name: 'reconcile',
  measure(scale: Scale): Promise<readonly Row[]> {
    const logs = grow(sized(scale, 10_000, 50))
    const [a, b] = [holding(logs), holding(logs)]
    const runs: { readonly bytes: number; readonly ms: number }[] = []
    for (let run = 0; run < scale.runs; run++) {
      // Each side has something that the other lacks, in logs spread over all.
      for (let index = 0; index < DIFFERENT_LOGS; index++) {
        const log = logs[Math.floor(((index + 0.5) * logs.length) / DIFFERENT_LOGS)] as TestLog
        const { store } = index % 2 === 0 ? a : b
        store.commit(log.write())
      }
      runs.push(meet(a, b))
      if (Buffer.compare(digestOf(a.store.frontier(NAMESPACE)), digestOf(b.store.frontier(NAMESPACE))) !== 0)
        throw new Error('the two sides differ still')
    }
    const what = `reconcile ${(logs.length * DELTAS_PER_LOG).toLocaleString('en')} deltas in ${logs.length.toLocaleString('en')} logs that differ in ${DIFFERENT_LOGS}`
    return Promise.resolve([
      rowOfFigures(
        { what: `${what}, all bytes sent`, unit: 'bytes', atMost: 20_000, runs: scale.runs },
        runs.map(({ bytes }) => ({ value: bytes })),
      ),
      rowOfFigures(
        { what: `${what}, both sides in one process`, unit: 'ms', atMost: 200, runs: scale.runs },
        runs.map(({ ms }) => ({ value: ms })),
      ),
    ])
  },
}

interface Side {
  readonly store: Store
  readonly port: SessionPort
}

function grow(count: number): readonly TestLog[] {
  return Array.from({ length: count }, (_, index) => {
    const log = new TestLog({ signer: signer(index % CREATORS), logId: logId(index) })
    log.append(
      Array.from({ length: DELTAS_PER_LOG }, (_each, number) => claim('item', `${index}`, `p${number}`, number)),
    )
    return log
  })
}

function holding(logs: readonly TestLog[]): Side {
  const store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  for (const log of logs) store.commit(log.run())
  const summaries = new Summaries()
  let summarised: Summary | undefined
  let after = 0
  const summary = (): Summary => {
    const { revision, entries } = store.frontierChanges(NAMESPACE, after)
    after = revision
    if (summarised === undefined || entries.length > 0) summarised = summaries.of(entries)
    return summarised
  }
  // A node at work has compared before: only what changed since is hashed again.
  summary()
  const port: SessionPort = {
    instance: store.instance,
    position: () => store.position(),
    summary,
    entry: (log) => store.logState(NAMESPACE, log),
    // As on a first contact: nothing is known of what changed since.
    changedSince: () => undefined,
    readRun: (log, fromSeq, bytesMax) => store.readRun(NAMESPACE, log, fromSeq, bytesMax),
    attestedHead: (log: LogKey) => {
      const hash = store.logState(NAMESPACE, log)?.hash
      const block = hash === undefined ? undefined : store.block(NAMESPACE, hash)
      return block === undefined ? undefined : attest([block])
    },
    forkProof: () => undefined,
    take: (runs) => store.commitAll(runs.map(verifyRun)),
    takeProof: (proof) => store.commitForkProof(proof),
    reserve: () => true,
    release: () => undefined,
    passedOver: () => false,
    headKnown: () => undefined,
    futureKnown: () => undefined,
  }
  return { store, port }
}

/** One session to its end, frame by frame: its bytes both ways, and the time that both sides took together. */
function meet(a: Side, b: Side): { readonly bytes: number; readonly ms: number } {
  const common = { namespace: NAMESPACE, nowMs: Date.now() }
  const startedMs = performance.now()
  const initiator = new Session(a.port, { ...common, role: 'initiator', name: 'a' })
  const responder = new Session(b.port, { ...common, role: 'responder', name: 'b' })
  let bytes = 0
  for (;;) {
    const sent = [pass(initiator, responder), pass(responder, initiator)]
    bytes += sent.reduce((sum, each) => sum + each, 0)
    if (initiator.finished && responder.finished) break
    if (sent.every((each) => each === 0)) throw new Error('the session stands still')
  }
  const ms = performance.now() - startedMs
  initiator.close()
  responder.close()
  return { bytes, ms }
}

function pass(from: Session, to: Session): number {
  const frame = from.next()
  if (frame === undefined) return 0
  to.receive(frame)
  return frame.length
}
