/** Whether anybody else holds each namespace, by what the running node knows and what the peers said that were asked. */

import type { Finding } from './finding.ts'
import type { RunningNode } from './options.ts'
import type { Examined } from './peers.ts'

export interface Held {
  readonly running: RunningNode | undefined
  /** Of those that were tried, the ones that were met. */
  readonly examined: readonly Examined[]
  readonly triedCount: number
}

export function* judgeNamespaces(
  topics: readonly string[],
  { running, examined, triedCount }: Held,
): Generator<Finding> {
  const check = 'namespace'
  if (topics.length === 0) yield { check, verdict: 'skip', kind: 'namespace-unnamed' }
  const connected = (running?.peers ?? []).filter((peer) => peer.connected)
  for (const topic of topics) {
    const holders = new Set([
      ...connected.filter(({ namespaces }) => namespaces.includes(topic)).map(({ id }) => id),
      ...examined.filter((peer) => peer.topics.includes(topic)).map(({ id }) => id),
    ])
    const metCount = new Set([...connected, ...examined].map(({ id }) => id)).size
    if (holders.size > 0) yield { check, verdict: 'pass', kind: 'namespace-held', topic, peersCount: holders.size }
    else if (metCount > 0) yield { check, verdict: 'fail', kind: 'namespace-alone', topic, metCount }
    else yield { check, verdict: 'warn', kind: 'namespace-unasked', topic, triedCount }
  }
}
