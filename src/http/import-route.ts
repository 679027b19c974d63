/** The import of a collection: a body of NDJSON without limit, read no faster than it is committed. */

import type { Readable } from 'node:stream'
import { entityIdOf } from '../delta/record.ts'
import type { Application, Context, Scope } from './context.ts'
import { Import } from './import.ts'
import { splitLines } from './lines.ts'
import { NDJSON } from './paging.ts'
import { sendProblem } from './answer.ts'
import { describe } from './problem.ts'
import { PATH } from './schemas/parts.ts'
import { IMPORTED } from './schemas/records.ts'
import { WRITE_QUERY } from './schemas/writing.ts'

export async function addImportRoute(
  app: Application,
  { node, onError }: Context,
  { prefix, namespaceOf }: Scope,
): Promise<void> {
  // In a room of its own: elsewhere NDJSON is no body, and here JSON is none.
  await app.register((scope: Application, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(NDJSON, (_request, payload, parsed) => parsed(null, payload))
    const schema = {
      operationId: 'importRecords',
      tag: 'records',
      summary: 'Merges records, a line of `{ "id"?, "properties" }` each, of any number',
      consumes: [NDJSON],
      params: PATH,
      querystring: WRITE_QUERY,
      response: { 200: IMPORTED },
    } as const
    scope.post(`${prefix}/collections/:collection/import`, { schema }, async (request, reply) => {
      const everywhere = node.everywhere(namespaceOf(request.params).name)
      const { collection = '' } = request.params
      // A collection that cannot be is one fault, not one per line.
      entityIdOf(collection, 'any')
      const work = new Import(async (id, properties) => {
        const { deltas } = await everywhere.put(collection, id, properties, { ...request.query, onlyChanged: true })
        return deltas.length
      })
      try {
        // Stopped early, the body stays open: destroying it would take the connection away before the answer is sent.
        const body = (request.body as Readable).iterator({ destroyOnReturn: false })
        return await work.run(splitLines(body))
      } catch (error) {
        if (reply.raw.destroyed) throw error
        const { problem, isOurs } = describe(error)
        if (isOurs) onError(error)
        return sendProblem(reply, problem, { imported: work.imported })
      }
    })
    done()
  })
}
