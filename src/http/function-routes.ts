/** The route about functions at work on this node: how far each is, and what it failed on. */

import type { FunctionStatus } from '../node/functions/function.ts'
import type { Application, Context, Scope } from './context.ts'
import { Cursors } from './cursor.ts'
import { FUNCTIONS } from './schemas/definitions.ts'
import { NO_QUERY, PATH } from './schemas/parts.ts'

export function addFunctionRoutes(app: Application, { node }: Context, { prefix, namespaceOf }: Scope): void {
  const cursors = new Cursors(node.instance)
  const schema = {
    operationId: 'listFunctions',
    tag: 'functions',
    summary: 'Functions at work on this node: cursor, lag and failures of each',
    params: PATH,
    querystring: NO_QUERY,
    response: { 200: FUNCTIONS },
  } as const
  app.get(`${prefix}/functions`, { schema }, (request) => ({
    functions: namespaceOf(request.params)
      .functions()
      .map((status) => functionJson(status, cursors)),
  }))
}

function functionJson({ position, ...status }: FunctionStatus, cursors: Cursors): object {
  return { ...status, cursor: cursors.at(position) }
}
