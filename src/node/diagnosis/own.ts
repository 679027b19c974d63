/** What a node brings along: the runtime, its identity, the secret of its data, its clock. */

import { stat } from 'node:fs/promises'
import { OWN_CLOCK_OFF_MS } from '../../sync/members/limits.ts'
import { DEFAULT_IDENTITY, identityPath, readIdentity } from '../identity.ts'
import { readCard } from '../home.ts'
import { mayShare } from '../overlay.ts'
import type { Finding } from './finding.ts'
import type { DiagnoseOptions, RunningNode } from './options.ts'

/** Equal to `engines` in package.json; test/bin.test.ts compares them. */
export const NODE_NEEDED = '24.15'

export function judgeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [neededMajor = 0, neededMinor = 0] = NODE_NEEDED.split('.').map(Number)
  const isEnough = major > neededMajor || (major === neededMajor && minor >= neededMinor)
  return { check: 'version', verdict: isEnough ? 'pass' : 'fail', kind: 'node-version', version, needed: NODE_NEEDED }
}

const OTHERS_CAN_READ = 0o077

export async function judgeIdentity({ data, running }: DiagnoseOptions): Promise<Finding> {
  const check = 'identity'
  const none: Finding = { check, verdict: 'skip', kind: 'identity-none' }
  if (data === undefined)
    return running === undefined ? none : { check, verdict: 'pass', kind: 'identity-good', peer: running.peerId }
  const path = identityPath(data, DEFAULT_IDENTITY)
  try {
    const { signer } = await readIdentity(data, DEFAULT_IDENTITY)
    const { mode } = await stat(path)
    // Windows keeps no such bits.
    if (process.platform !== 'win32' && (mode & OTHERS_CAN_READ) !== 0)
      return { check, verdict: 'warn', kind: 'identity-exposed', path, mode: (mode & 0o777).toString(8) }
    return { check, verdict: 'pass', kind: 'identity-good', peer: signer.id }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return none
    return {
      check,
      verdict: 'fail',
      kind: 'identity-unreadable',
      why: code === 'EACCES' ? `${path} belongs to another user` : message,
    }
  }
}

export async function judgeSecret({ data, secret, running }: DiagnoseOptions): Promise<Finding> {
  const check = 'secret'
  const card = data === undefined ? undefined : await readCard(data).catch(() => undefined)
  if (card !== undefined && running === undefined && !mayShare(card.overlay, secret)) {
    return { check, verdict: 'fail', kind: 'secret-differs', directory: card.directory, isGiven: secret !== undefined }
  }
  return { check, verdict: 'pass', kind: secret === undefined ? 'overlay-open' : 'overlay-closed' }
}

/** By the median of all, and where that says nothing, by each: one peer alone leaves open whose clock is wrong. */
export function judgeClock(running: Pick<RunningNode, 'clock' | 'peers'> | undefined): Finding {
  const check = 'clock'
  if (running?.clock === undefined) return { check, verdict: 'skip', kind: 'clock-alone' }
  const { isOff, ...facts } = running.clock
  if (isOff) return { check, verdict: facts.isSure ? 'fail' : 'warn', kind: 'clock-off', ...facts }
  for (const { id, clockOffsetMs = 0 } of running.peers) {
    if (Math.abs(clockOffsetMs) <= OWN_CLOCK_OFF_MS) continue
    return { check, verdict: 'warn', kind: 'clock-differs', peer: id, offsetMs: clockOffsetMs }
  }
  return { check, verdict: 'pass', kind: 'clock-good', ...facts }
}
