/** Routes that hand out proofs of an entity: the text as `rhizome-node verify` takes it, byte for byte. */

import type { FastifyReply } from 'fastify'
import { entityIdOf } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import { whenAnswered } from '../node/everywhere/answered.ts'
import type { Everywhere } from '../node/everywhere/everywhere.ts'
import type { Namespace } from '../node/namespace.ts'
import { nameAnswerers } from './answer.ts'
import type { Application, Context, Scope } from './context.ts'
import { NAMESPACE_PREFIX, RESERVED } from './paths.ts'
import { PATH } from './schemas/parts.ts'
import { PROOF, PROOF_QUERY } from './schemas/views.ts'

type Options = NonNullable<Parameters<Namespace['proof']>[1]>

const SCHEMA = {
  operationId: 'getProof',
  tag: 'proofs',
  summary: 'A proof of who claimed what about an entity, for whoever has no node',
  description: 'What it holds, and how it is checked: src/log/README.md, Proofs. The text must be kept byte for byte.',
  params: PATH,
  querystring: PROOF_QUERY,
  response: { 200: PROOF },
} as const

/** `canonical` takes the id of any entity; the shorthand, of the first topic, a record. */
export function addProofRoutes(
  app: Application,
  { node }: Context,
  { prefix, namespaceOf }: Scope,
  first: () => Namespace,
): void {
  app.get(`${prefix}/entities/:entity/proof`, { schema: SCHEMA }, ({ params, query }, reply) => {
    return sendProof(reply, node.everywhere(namespaceOf(params).name), params.entity ?? '', query)
  })
  app.get('/api/:collection/:id/proof', { schema: SCHEMA }, ({ params, query }, reply) => {
    const { collection = '', id = '' } = params
    const { name } = first()
    const entity = entityIdOf(collection, id)
    if (RESERVED.has(collection)) throw reserved(name, collection, entity)
    return sendProof(reply, node.everywhere(name), entity, query)
  })
}

function sendProof(reply: FastifyReply, everywhere: Everywhere, entity: string, options: Options) {
  return whenAnswered(everywhere.proof(entity, options), ({ value: text, answeredBy }) => {
    nameAnswerers(reply, { answeredBy })
    if (text !== undefined) return reply.type('application/json; charset=utf-8').send(text)
    throw new RhizomeError('RZ_HTTP_NOT_FOUND', `nothing is claimed about ${of(entity, options)}`)
  })
}

function of(entity: string, { property }: Options): string {
  return property === undefined ? `the entity "${entity}"` : `"${property}" of the entity "${entity}"`
}

function reserved(namespace: string, collection: string, entity: string): RhizomeError {
  const path = `${NAMESPACE_PREFIX.replace(':ns', encodeURIComponent(namespace))}/entities/${encodeURIComponent(entity)}/proof`
  return new RhizomeError('RZ_HTTP_RESERVED', `"${collection}" means something else in the shorthand: use ${path}`)
}
