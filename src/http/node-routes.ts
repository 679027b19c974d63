/** Routes about the node itself: health, status, peers and the namespaces that it holds. */

import type { Namespace } from '../node/namespace.ts'
import type { RhizomeNode } from '../node/node.ts'
import { sendProblem } from './answer.ts'
import type { Application, Context, Scope } from './context.ts'
import { problemOf } from './problem.ts'
import { HEALTH, READINESS, STATUS, STATUSES } from './schemas/node.ts'
import { COUNT, NO_QUERY, PATH } from './schemas/parts.ts'

export function addNodeRoutes(app: Application, context: Context): void {
  const { node } = context
  const peers = () => [node.self(), ...node.peers()]

  app.get('/health', answer('getHealth', 'Whether the node answers, to anyone', HEALTH), () => ({ status: 'ok' }))
  app.get(
    '/health/ready',
    answer('getReadiness', 'Whether the node can serve its data, to anyone', READINESS),
    (_request, reply) => {
      const failure = whyUnreadable(node)
      if (failure === undefined) return { status: 'ready' }
      // Why is for the operator: whoever asks has shown nothing.
      context.onError(failure)
      return sendProblem(reply, problemOf('RZ_HTTP_NOT_READY', 'the store cannot be read now'))
    },
  )
  app.get('/api/status', answer('getStatus', 'The node: name, peer id, addresses, namespaces', STATUS), () =>
    statusOf(context),
  )
  app.get('/api/peers/count', answer('countPeers', 'How many peers, this node included', COUNT), () => peers().length)
  app.get('/api/ns', answer('listNamespaces', 'The namespaces, the first topic first', STATUSES), () =>
    node.namespaces().map((namespace) => summaryOf(namespace, node)),
  )
}

/** The node listens before its API does, so what is left to ask is the store. */
function whyUnreadable(node: RhizomeNode): unknown {
  try {
    node.checkReadable()
    return undefined
  } catch (error) {
    return error
  }
}

function answer(operationId: string, summary: string, schema: object) {
  return { schema: { operationId, summary, tag: 'node', querystring: NO_QUERY, response: { 200: schema } } } as const
}

export function addNamespaceRoutes(app: Application, { node }: Context, { prefix, namespaceOf }: Scope): void {
  const schema = {
    operationId: 'getNamespaceStatus',
    tag: 'node',
    summary: 'One namespace: name, id, counts, sync status',
    params: PATH,
    querystring: NO_QUERY,
    response: { 200: STATUS },
  } as const
  app.get(`${prefix}/status`, { schema }, (request) => summaryOf(namespaceOf(request.params), node))
}

function statusOf({ node, overlay, urls }: Context): object {
  return {
    name: node.name,
    peerId: node.peerId,
    version: node.version,
    directory: node.directory ?? null,
    startedAtMs: node.startedAtMs,
    addresses: node.addresses(),
    urls: urls(),
    overlay,
    identities: node.identities(),
    contexts: node.contexts(),
    clock: node.ownClock() ?? null,
    namespaces: node.namespaces().map((namespace) => summaryOf(namespace, node)),
  }
}

function summaryOf(namespace: Namespace, node: Context['node']): object {
  const { name, id, parent } = namespace
  const shards = parent === undefined ? node.shards(name) : []
  return {
    name,
    id,
    ...(parent && { parent: parent.name }),
    counts: namespace.counts(),
    sync: namespace.status(),
    ...(shards.length > 0 && { shards }),
  }
}
