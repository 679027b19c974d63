/** The OpenAPI document: whole, valid, and in step with the routes and with src/http/README.md. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { templateOf } from '../../src/http/openapi.ts'
import { RESERVED } from '../../src/http/paths.ts'
import { VERSION } from '../../src/index.ts'
import { type Api, openApi } from './api.ts'

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly description?: string }[]
  readonly responses: { readonly [status: string]: { readonly content?: object } }
}

interface Document {
  readonly openapi: string
  readonly info: { readonly version: string }
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
  readonly components: { readonly schemas: { readonly [name: string]: object } }
}

let api: Api
let document: Document
let routes: readonly { readonly path: string; readonly method: string }[]
beforeAll(async () => {
  api = await openApi()
  document = (await api.ask('GET', '/api/docs/openapi.json')).json as Document
  const { routes: told } = (await api.ask('GET', '/api')).json as {
    readonly routes: readonly { readonly path: string; readonly methods: readonly string[] }[]
  }
  routes = told.flatMap(({ path, methods }) => methods.map((method) => ({ path, method })))
})
afterAll(() => api[Symbol.asyncDispose]())

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  )

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1, of this version, by the schema that its authors publish', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate({ ...structuredClone(document) })
    expect({ valid, errors }).toMatchObject({ valid: true })
    expect(document).toMatchObject({ openapi: '3.1.1', info: { version: VERSION } })
  })

  it('has every route that is answered, and no other', () => {
    const answered = routes.filter(({ method }) => method !== 'HEAD')
    const wanted = answered.map(({ path, method }) => `${method} ${templateOf(path)}`)
    expect(
      operations()
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...wanted, 'GET /api'].sort())
  })

  it('tells of each route what it is for: an operationId, a summary and a tag in its schema', () => {
    const untold = operations().filter(
      ({ operation: { operationId = '', summary = '', tags = [] } }) =>
        operationId === '' || summary === '' || tags.length === 0,
    )
    expect(untold.map(({ name }) => name)).toEqual([])
  })

  it('names each operation once', () => {
    const names = operations().map(({ operation }) => operation.operationId)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it('says of each parameter what it means, and has each part of each path', () => {
    const mute = operations().flatMap(({ name, operation }) =>
      operation.parameters.filter(({ description = '' }) => description === '').map((one) => `${name}: ${one.name}`),
    )
    expect(mute).toEqual([])
    for (const { name, operation } of operations()) {
      const parts = [...name.matchAll(/\{(\w+)\}/g)].map(([, part]) => part)
      expect(operation.parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(parts)
    }
  })

  it('says of each operation what it answers, and how it fails', () => {
    const silent = operations().filter(({ operation: { responses } }) => {
      const { default: failure, ...answers } = responses
      const told = Object.values(answers)
      return (
        failure === undefined || told.length === 0 || told.some(({ content = {} }) => Object.keys(content).length === 0)
      )
    })
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  it('points at no schema that it lacks', () => {
    const pointed = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name = '']) => name,
    )
    expect([...new Set(pointed)].sort()).toEqual(Object.keys(document.components.schemas).sort())
  })
})

describe('GET /api/docs', () => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

  it.each([undefined, '*/*', 'application/json', 'application/json, text/html'])(
    'answers the document to one who accepts %s',
    async (accept) => {
      const answer = await api.ask('GET', '/api/docs', accept === undefined ? {} : { headers: { accept } })
      expect(answer).toMatchObject({ status: 200, json: document })
    },
  )

  it('shows a browser a page with every operation, which loads nothing and runs nothing', async () => {
    const { status, headers, text } = await api.ask('GET', '/api/docs', { headers: { accept: browser } })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    for (const path of Object.keys(document.paths)) expect(text).toContain(`<code>${path}</code>`)
    expect(text).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|\bon\w+=|\bstyle=|https?:\/\/[^ ]*\.(js|css)/)
    const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(headers['content-security-policy']).toContain(`default-src 'none'; style-src 'sha256-${hash}'`)
  })
})

describe('src/http/README.md', () => {
  const readme = readFileSync(fileURLToPath(new URL('../../src/http/README.md', import.meta.url)), 'utf8')
  /** What stands between backticks and begins with methods: `GET`, `PUT /api/…?a=`. */
  const named = [...readme.matchAll(/`((?:[A-Z]{3,6})(?:`, `[A-Z]{3,6})*) ([^`\s]+)`((?:, `<scope>[^`]*`)*)/g)].flatMap(
    ([, methods = '', path = '', more = '']) =>
      [path, ...[...more.matchAll(/`([^`]+)`/g)].map(([, other = '']) => other)].flatMap((each) =>
        methods.split('`, `').flatMap((method) => spelled(each).map((spelling) => `${method} ${spelling}`)),
      ),
  )
  const shape = (route: string) => route.replaceAll(/<[^>]*>|\{[^}]*\}/g, '*')

  /** `<scope>` is two prefixes. */
  function spelled(path: string): readonly string[] {
    const [bare = ''] = path.split('?', 1)
    if (!bare.startsWith('<scope>')) return [bare]
    return ['/api/ns/<namespace>', '/api'].map((prefix) => bare.replace('<scope>', prefix))
  }

  it('names no route that there is not', () => {
    const there = new Set(operations().map(({ name }) => shape(name)))
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter((route) => !there.has(shape(route)))).toEqual([])
  })

  it('names every route', () => {
    const told = new Set(named.map(shape))
    expect(
      operations()
        .map(({ name }) => name)
        .filter((name) => !told.has(shape(name))),
    ).toEqual([])
  })

  it('lists the names that are no collections in the shorthand', () => {
    const [, list = ''] = /In the shorthand these are no\s+collections: ([^;]+);/.exec(readme) ?? []
    expect(list.split(/,\s+/)).toEqual([...RESERVED].sort())
  })
})
