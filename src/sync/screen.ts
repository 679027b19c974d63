/**
 * The judgement of one gossip message, from memory alone: pure, no I/O. REJECT only what is invalid in itself, since the
 * sender pays for it; whatever depends on what this node happens to hold, on its clock or its version, is IGNORE.
 * What is to be done beside the verdict is said in `action`. design.md 4.
 */

import { isFuture } from '../delta/clock.ts'
import { hashBytes } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import { type BlockHash, type Header, type LogKey, logKeyOfHeader, type Run } from '../log/block.ts'
import { verifyRun } from '../log/chain.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { verify } from '../log/signature.ts'
import type { Verdict } from '../net/net.ts'
import { decodeGossip, type GossipMessage } from './gossip-message.ts'

/** What this node knows of a log, what waits in the inbox included. */
export interface LogKnowledge {
  readonly seq?: number
  readonly hash?: BlockHash
  readonly cut?: number
}

export interface ScreenContext {
  readonly namespace: NamespaceId
  readonly nowMs: number
  /** Must answer from memory. */
  readonly knowledgeOf: (log: LogKey) => LogKnowledge | undefined
}

export type Screening = { readonly verdict: Verdict } & (
  | { readonly action: 'nothing' }
  | { readonly action: 'report'; readonly code: string; readonly why: string }
  | { readonly action: 'commit'; readonly log: LogKey; readonly run: Run }
  /** It follows blocks that are lacking. */
  | { readonly action: 'buffer'; readonly log: LogKey; readonly run: Run }
  /** The signed header of a block that is lacking. */
  | { readonly action: 'fetch'; readonly log: LogKey; readonly header: Header }
  | { readonly action: 'remember'; readonly log: LogKey; readonly header: Header }
)

const NOTHING: Screening = { verdict: 'ignore', action: 'nothing' }

export function screen(bytes: Uint8Array, context: ScreenContext): Screening {
  try {
    return judge(decodeGossip(bytes), context)
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
    const newer = error.code === 'RZ_BLOCK_VERSION' || error.code === 'RZ_SYNC_VERSION'
    return { verdict: newer ? 'ignore' : 'reject', action: 'report', code: error.code, why: error.message }
  }
}

function judge(message: GossipMessage, context: ScreenContext): Screening {
  const last = message.kind === 'run' ? lastOf(message.run) : message
  if (last.header.namespace !== context.namespace) {
    throw new RhizomeError('RZ_SYNC_GOSSIP_INVALID', 'a block of another namespace than the topic is for')
  }
  const log = logKeyOfHeader(last.header)
  const known = context.knowledgeOf(log)
  if (known?.hash === last.hash) return NOTHING
  return message.kind === 'run'
    ? judgeRun(verifyRun(message.run), log, known, context)
    : judgeHead(message, log, known, context)
}

function judgeRun(run: Run, log: LogKey, known: LogKnowledge | undefined, { nowMs }: ScreenContext): Screening {
  const { header } = lastOf(run)
  const firstSeq = run.blocks[0].header.seq
  if (firstSeq >= (known?.cut ?? Infinity)) return NOTHING
  if (isFuture(header.time, nowMs)) return { verdict: 'ignore', action: 'remember', log, header }
  const nextSeq = known?.seq === undefined ? 0 : known.seq + 1
  // An old block is no news, and not passed on; but it may contradict what is held here, which the store finds out.
  if (header.seq < nextSeq) return { verdict: 'ignore', action: 'commit', log, run }
  return { verdict: 'accept', action: firstSeq > nextSeq ? 'buffer' : 'commit', log, run }
}

function judgeHead(
  { header, hash, signature }: GossipMessage & { readonly kind: 'head' },
  log: LogKey,
  known: LogKnowledge | undefined,
  { nowMs }: ScreenContext,
): Screening {
  if (!verify(header.creator, hashBytes(hash), signature)) {
    throw new RhizomeError('RZ_SIGNATURE_INVALID', `header ${hash} is not signed by ${header.creator}`)
  }
  if (header.seq >= (known?.cut ?? Infinity)) return NOTHING
  if (isFuture(header.time, nowMs)) return { verdict: 'ignore', action: 'remember', log, header }
  if (header.seq < (known?.seq ?? -1)) return NOTHING
  return { verdict: 'accept', action: 'fetch', log, header }
}

function lastOf({ blocks }: Run): Run['blocks'][0] {
  return blocks.at(-1) ?? blocks[0]
}
