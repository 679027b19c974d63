/** Routes that tell what the API is: the OpenAPI document, for programs as JSON and for people as a page. */

import type { Application } from './context.ts'
import type { ApiDocument } from './openapi.ts'
import { DOCUMENT } from './schemas/node.ts'
import { NO_QUERY } from './schemas/parts.ts'

const HTML = 'text/html'

export function addDocsRoutes(app: Application, document: ApiDocument, version: string): void {
  const told = { tag: 'node', querystring: NO_QUERY, response: { 200: DOCUMENT } } as const
  const asJson = { ...told, operationId: 'getApiDocument', summary: 'This API as an OpenAPI 3.1 document' } as const
  app.get('/api/docs/openapi.json', { schema: asJson }, () => document.json(version))

  const asEither = {
    ...told,
    operationId: 'getApiDocs',
    summary: 'The same, or a page that shows it to whoever accepts `text/html`',
    streams: { [HTML]: { type: 'string' } },
  } as const
  app.get('/api/docs', { schema: asEither }, async (request, reply) => {
    if (!wantsPage(request.headers.accept)) return document.json(version)
    const { docsPage, PAGE_POLICY } = await import('./docs-page.ts')
    reply.type(`${HTML}; charset=utf-8`).header('content-security-policy', PAGE_POLICY)
    return reply.send(docsPage(document.json(version)))
  })
}

/** Browsers name HTML before anything else that they take; what names JSON first, or anything at all, is a program. */
function wantsPage(accept = ''): boolean {
  const html = accept.indexOf(HTML)
  const json = accept.indexOf('application/json')
  return html >= 0 && (json < 0 || html < json)
}
