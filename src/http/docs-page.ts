/**
 * The OpenAPI document as a page for people: one HTML text with its styles inside, no script and nothing loaded from
 * elsewhere, so that the strictest content policy lets it stand.
 */

import { createHash } from 'node:crypto'

type Json = { readonly [key: string]: unknown }

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: #888; --method: #2a6fb0 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { margin-top: 2.5rem; font-size: 1.15rem; border-bottom: 1px solid var(--line) }
details { border-bottom: 1px solid var(--line); padding: .35rem 0 }
summary { cursor: pointer; overflow-wrap: anywhere }
summary b { color: var(--method); display: inline-block; min-width: 4.2rem; font-family: ui-monospace, monospace }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; border: 1px solid var(--line); padding: .6rem; max-height: 24rem }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid var(--line); padding: .2rem .6rem .2rem 0; vertical-align: top }
.dim { color: var(--dim) } summary .dim { display: block; margin-left: 4.4rem }
`

/** The value of `content-security-policy` under which the page stands: nothing but its own style. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** `document` as `ApiDocument.json` makes it. */
export function docsPage(document: Json): string {
  const { info, tags, paths, components } = document as {
    readonly info: { readonly title: string; readonly version: string; readonly description: string }
    readonly tags: readonly { readonly name: string; readonly description: string }[]
    readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
    readonly components: { readonly schemas: Json }
  }
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const sections = tags
    .map((tag) => ({ tag, of: operations.filter(({ operation }) => operation.tags.includes(tag.name)) }))
    .filter(({ of }) => of.length > 0)
    .map(({ tag, of }) => `<h2>${prose(tag.description)}</h2>${of.map(operationHtml).join('')}`)
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="${text(name)}"><summary><code>${text(name)}</code></summary>${json(schema)}</details>`,
  )
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${text(info.title)} API</title><style>${STYLE}</style></head><body>` +
    `<h1>${text(info.title)} <span class="dim">${text(info.version)}</span></h1><p>${prose(info.description)} ` +
    `For programs: <a href="/api/docs/openapi.json">openapi.json</a>.</p>` +
    `${sections.join('')}<h2>Schemas</h2>${schemas.join('')}</body></html>`
  )
}

type Content = { readonly [mediaType: string]: { readonly schema: unknown } }

interface Operation {
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: unknown
  }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: { readonly [status: string]: { readonly content?: Content } }
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const { summary, description, parameters, requestBody, responses } = operation
  const rows = parameters.map(
    (parameter) =>
      `<tr><td><code>${text(parameter.name)}</code></td><td class="dim">${text(parameter.in)}${
        parameter.required === true ? ', required' : ''
      }</td><td>${prose(parameter.description ?? '')}</td></tr>`,
  )
  const body = requestBody === undefined ? '' : `<p>Takes</p>${contentHtml(requestBody.content)}`
  const answers = Object.entries(responses)
    .filter(([, { content }]) => content !== undefined)
    .map(([status, { content = {} }]) => `<p>Answers ${text(status)}</p>${contentHtml(content)}`)
  return (
    `<details><summary><b>${text(method.toUpperCase())}</b> <code>${text(path)}</code>` +
    `<span class="dim">${prose(summary)}</span></summary>${description === undefined ? '' : `<p>${prose(description)}</p>`}` +
    `${rows.length === 0 ? '' : `<table>${rows.join('')}</table>`}${body}${answers.join('')}</details>`
  )
}

function contentHtml(content: Content): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<p class="dim">${text(type)}</p>${json(schema)}`)
    .join('')
}

function json(value: unknown): string {
  return `<pre>${text(JSON.stringify(value, undefined, 2))}</pre>`
}

/** Text with what stands between backticks as code. */
function prose(words: string): string {
  return text(words).replaceAll(/`([^`]*)`/g, '<code>$1</code>')
}

function text(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
