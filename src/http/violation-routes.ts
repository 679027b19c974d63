/** The route that lists records which break the schemas in force. */

import type { Application, Context, Scope } from './context.ts'
import { linkNext } from './paging.ts'
import { VIOLATIONS, VIOLATIONS_QUERY } from './schemas/definitions.ts'
import { PATH } from './schemas/parts.ts'

export function addViolationRoutes(app: Application, { node }: Context, { prefix, namespaceOf }: Scope): void {
  const listed = {
    operationId: 'listViolations',
    tag: 'definitions',
    summary: 'Records that break the schemas in force, by page',
    params: PATH,
    querystring: VIOLATIONS_QUERY,
    response: { 200: VIOLATIONS },
  } as const
  app.get(`${prefix}/violations`, { schema: listed }, async (request, reply) => {
    const { collection, after, limit } = request.query
    const page = await node.everywhere(namespaceOf(request.params).name).violations({
      ...(collection !== undefined && { collection }),
      ...(after !== undefined && { after }),
      ...(limit !== undefined && { countMax: limit }),
    })
    const { violations, isCut } = page
    return {
      violations,
      ...(isCut && { isCut }),
      ...(page.after !== undefined && { next: linkNext(request, reply, page.after) }),
    }
  })
}
