/** Routes about who takes part: members of a namespace, asking them to answer, and what changes as it does. */

import type { NodeEvent } from '../node/events.ts'
import type { RhizomeNode } from '../node/node.ts'
import { sendEvents } from './answer.ts'
import type { Application, Context, Scope } from './context.ts'
import { EVENT_STREAM } from './paging.ts'
import { MEMBERS, MEMBER_CHANGE, PEERS_QUERY, PINGED, PING_QUERY } from './schemas/members.ts'
import { STATUSES } from './schemas/node.ts'
import { NO_QUERY, PATH } from './schemas/parts.ts'

type Change = Extract<NodeEvent, { kind: 'replication' }>['event'] & { readonly kind: 'member-changed' }

export function addPeerRoutes(app: Application, { node, followers }: Context): void {
  const listed = {
    operationId: 'listPeers',
    tag: 'node',
    summary: 'Peers that are connected, this node first; with `all` every member that is known',
    querystring: PEERS_QUERY,
    response: { 200: STATUSES },
  } as const
  app.get('/api/peers', { schema: listed }, (request) => [
    node.self(),
    ...node.peers({ all: request.query.all ?? false }),
  ])

  const followed = {
    operationId: 'followPeers',
    tag: 'node',
    summary: 'Members that appear, change state, tags or details, in any namespace, from now on',
    streams: { [EVENT_STREAM]: MEMBER_CHANGE },
    querystring: NO_QUERY,
  } as const
  // No HEAD: it would follow for ever.
  app.get('/api/peers/events', { schema: followed, exposeHeadRoute: false }, (_, reply) => {
    const signal = followers.enter(reply.raw)
    return sendEvents(reply, memberChanges(node, signal), ({ number, namespace, event }) => {
      const { change, before, member } = event
      return { id: String(number), name: 'member', json: { namespace, change, ...(before && { before }), member } }
    })
  })
}

export function addMemberRoutes(app: Application, { prefix, namespaceOf }: Scope): void {
  const listed = {
    operationId: 'listMembers',
    tag: 'node',
    summary: 'Whoever is known to take part in the namespace, connected or not, without this node',
    params: PATH,
    querystring: NO_QUERY,
    response: { 200: MEMBERS },
  } as const
  app.get(`${prefix}/members`, { schema: listed }, (request) => namespaceOf(request.params).members())

  const asked = {
    operationId: 'pingMembers',
    tag: 'node',
    summary: 'Asks every member to answer; each with its round trip, or without one',
    params: PATH,
    querystring: PING_QUERY,
    response: { 200: PINGED },
  } as const
  app.post(`${prefix}/ping`, { schema: asked }, async (request) => {
    const { timeoutMs } = request.query
    return namespaceOf(request.params).ping(timeoutMs === undefined ? {} : { timeoutMs })
  })
}

interface Told {
  readonly number: number
  readonly namespace: string
  readonly event: Change
}

/** Of what a slow reader has not taken, only the newest of each member is kept: so memory is bounded by the members. */
async function* memberChanges(node: RhizomeNode, signal: AbortSignal): AsyncGenerator<Told> {
  const waiting = new Map<string, Told>()
  let count = 0
  let wake = Promise.withResolvers<void>()
  const stop = node.onEvent((event) => {
    if (event.kind !== 'replication' || event.event.kind !== 'member-changed') return
    const key = `${event.namespace} ${event.event.member.peer}`
    // What comes anew goes to the end: order is that of the newest change.
    waiting.delete(key)
    waiting.set(key, { number: ++count, namespace: event.namespace, event: event.event })
    wake.resolve()
  })
  const onAbort = (): void => wake.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    while (!signal.aborted) {
      const [first] = waiting
      if (first === undefined) {
        await wake.promise
        wake = Promise.withResolvers<void>()
        continue
      }
      waiting.delete(first[0])
      yield first[1]
    }
  } finally {
    stop()
    signal.removeEventListener('abort', onAbort)
  }
}
