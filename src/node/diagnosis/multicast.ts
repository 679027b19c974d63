/** What the question by multicast has shown: who answered, whether it was heard at all, and whether anybody has our identity. */

import type { MulticastAnswer, MulticastReport, MulticastTry } from '../../net/diagnosis/multicast.ts'
import type { Finding, HeardNode } from './finding.ts'

export interface MulticastContext {
  /** This node's identity, running or not. */
  readonly own: string | undefined
  /** This machine's addresses. */
  readonly here: ReadonlySet<string>
  readonly isRunning: boolean
}

/** One of each node, at the address that it can be dialled at. */
export function heardNodes(answers: readonly MulticastAnswer[]): readonly HeardNode[] {
  const nodes = new Map<string, HeardNode>()
  for (const { from, addresses } of answers) {
    // The address from which it answered is the one that is surely of this network.
    const ordered = addresses.toSorted((a, b) => Number(b.includes(`/${from}/`)) - Number(a.includes(`/${from}/`)))
    for (const address of ordered) {
      const id = /\/p2p\/([A-Za-z0-9]{1,128})$/.exec(address)?.[1]
      if (id !== undefined && !nodes.has(id)) nodes.set(id, { id, address })
    }
  }
  return [...nodes.values()]
}

/** `report` is undefined where multicast is switched off. */
export function* judgeMulticast(report: MulticastReport | undefined, context: MulticastContext): Generator<Finding> {
  const check = 'multicast'
  if (report === undefined) {
    yield { check, verdict: 'skip', kind: 'multicast-off' }
    return
  }
  yield judgeReport(report, context)
  const twin = twinIn(report, context)
  if (twin !== undefined) yield { check: 'identity', verdict: 'fail', kind: 'identity-twin', ...twin }
}

function judgeReport({ failure, tries, answers }: MulticastReport, { own, isRunning }: MulticastContext): Finding {
  const check = 'multicast'
  if (failure !== undefined) return { check, verdict: 'fail', kind: 'multicast-port', why: failure }
  const nodes = heardNodes(answers)
  const others = nodes.filter(({ id }) => id !== own)
  if (others.length > 0) return { check, verdict: 'pass', kind: 'multicast-heard', answers: others }
  // What a node sends goes where the system sends it: if that fails, no node is found, whatever else works.
  const [byDefault, ...each] = tries
  if (byDefault?.failure !== undefined)
    return { check, verdict: 'fail', kind: 'multicast-unsent', why: byDefault.failure, tries }
  const deaf = each.filter(({ heard }) => !heard)
  if (byDefault?.heard === false) return { check, verdict: 'fail', kind: 'multicast-deaf', interfaces: namesOf(deaf) }
  if (isRunning && own !== undefined && nodes.length === 0)
    return { check, verdict: 'warn', kind: 'multicast-unanswered' }
  if (deaf.length > 0) return { check, verdict: 'warn', kind: 'multicast-deaf', interfaces: namesOf(deaf) }
  const kind = nodes.length === 0 ? 'multicast-quiet' : 'multicast-alone'
  return { check, verdict: 'warn', kind, interfaces: namesOf(each) }
}

function namesOf(tries: readonly MulticastTry[]): readonly string[] {
  return tries.flatMap(({ interface: each }) => (each === undefined ? [] : [`${each.name} ${each.address}`]))
}

/** An answer in this node's name that it has not given: from another machine, or while it does not run. */
function twinIn({ answers }: MulticastReport, { own, here, isRunning }: MulticastContext) {
  if (own === undefined) return undefined
  const named = answers.filter(({ addresses }) => addresses.some((address) => address.endsWith(`/p2p/${own}`)))
  const twin = named.find(({ from }) => !isRunning || !here.has(from))
  return twin && { peer: own, address: twin.from }
}
