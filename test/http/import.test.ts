/** The import of a collection: what is written, what is left out, what is told about bad lines, and in which memory. */
import { request } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Import, type Imported } from '../../src/http/import.ts'
import { type Line, splitLines } from '../../src/http/lines.ts'
import { IMPORT_FAILED_LISTED_MAX, IMPORT_PENDING_MAX, LINE_BYTES_MAX } from '../../src/http/options.ts'
import { RhizomeError } from '../../src/errors.ts'
import { type Api, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const NDJSON = { 'content-type': 'application/x-ndjson' }
const importInto = (collection: string, body: string) =>
  api.ask('POST', `/api/ns/users/collections/${collection}/import`, { headers: NDJSON, body })
const lineOf = (id: string, properties: object) => `${JSON.stringify({ id, properties })}\n`

describe('an import', () => {
  it('writes each line as a record and counts records and deltas', async () => {
    const { status, json } = await importInto('one', lineOf('a', { x: 1, y: 2 }) + lineOf('b', { x: 3 }))
    expect(status).toBe(200)
    expect(json).toEqual({ records: 2, deltas: 3, unchanged: 0, failedCount: 0, failed: [] })
    expect(api.node.namespace('users').get('one', 'a')?.properties).toEqual({ x: 1, y: 2 })
  })

  it('a second time adds nothing', async () => {
    const lines = lineOf('a', { x: 1, list: [1, { $bytes: 'AAEC' }] }) + lineOf('b', { x: 3 })
    await importInto('two', lines)
    const before = api.node.namespace('users').counts()
    expect((await importInto('two', lines)).json).toEqual({
      records: 0,
      deltas: 0,
      unchanged: 2,
      failedCount: 0,
      failed: [],
    })
    expect(api.node.namespace('users').counts()).toEqual(before)
  })

  it('writes only the properties that changed', async () => {
    await importInto('three', lineOf('a', { x: 1, y: 2 }))
    expect((await importInto('three', lineOf('a', { x: 1, y: 5 }))).json).toMatchObject({ records: 1, deltas: 1 })
  })

  it('lets a later line of a record have the last word, though both are under way at once', async () => {
    await importInto('four', lineOf('a', { x: 1 }))
    // Back to the value of before: compared with what is stored when it is read, the second line would say nothing new.
    await importInto('four', lineOf('a', { x: 2 }) + lineOf('a', { x: 1 }))
    expect(api.node.namespace('users').get('four', 'a')?.properties).toEqual({ x: 1 })
  })

  it('makes an id for a line without one', async () => {
    await importInto('five', '{"properties":{"x":1}}\n{"properties":{"x":1}}')
    expect(api.node.namespace('users').ids('five')).toHaveLength(2)
  })

  it('takes blank lines, CRLF and a last line without an end', async () => {
    const body = `\n\r\n${lineOf('a', { x: 1 }).trimEnd()}\r\n\n${lineOf('b', { x: 1 }).trimEnd()}`
    expect((await importInto('six', body)).json).toMatchObject({ records: 2, failedCount: 0 })
  })

  it('of nothing is nothing', async () => {
    expect((await importInto('seven', '')).json).toEqual({
      records: 0,
      deltas: 0,
      unchanged: 0,
      failedCount: 0,
      failed: [],
    })
  })

  it('shares blocks between records', async () => {
    const before = api.node.namespace('users').counts().blocks
    const lines = Array.from({ length: 2_000 }, (_, index) => lineOf(`id-${index}`, { x: index })).join('')
    expect((await importInto('eight', lines)).json).toMatchObject({ records: 2_000, deltas: 2_000 })
    expect(api.node.namespace('users').counts().blocks - before).toBeLessThan(200)
  })
})

describe('a bad line', () => {
  const cases: readonly { readonly title: string; readonly line: string; readonly code: string }[] = [
    { title: 'that is not JSON', line: '{"id":"x","properties":{', code: 'RZ_HTTP_INPUT' },
    { title: 'that is no object', line: '[1,2]', code: 'RZ_HTTP_INPUT' },
    { title: 'without properties', line: '{"id":"x"}', code: 'RZ_HTTP_INPUT' },
    { title: 'with empty properties', line: '{"id":"x","properties":{}}', code: 'RZ_HTTP_INPUT' },
    { title: 'whose properties are a list', line: '{"id":"x","properties":[1]}', code: 'RZ_HTTP_INPUT' },
    { title: 'whose id is a number', line: '{"id":5,"properties":{"a":1}}', code: 'RZ_HTTP_INPUT' },
    { title: 'with an empty id', line: '{"id":"","properties":{"a":1}}', code: 'RZ_HTTP_INPUT' },
    { title: 'with another member', line: '{"id":"x","properties":{"a":1},"more":1}', code: 'RZ_HTTP_INPUT' },
    { title: 'with a property without a name', line: '{"id":"x","properties":{"":1}}', code: 'RZ_RECORD_INVALID' },
    {
      title: 'with bytes that are no base64',
      line: '{"id":"x","properties":{"a":{"$bytes":"!"}}}',
      code: 'RZ_DELTA_INVALID',
    },
    {
      title: 'with a reference to a number',
      line: '{"id":"x","properties":{"a":{"$ref":1,"as":"b"}}}',
      code: 'RZ_DELTA_INVALID',
    },
    { title: 'with half a surrogate pair', line: '{"id":"x","properties":{"a":"\\ud800"}}', code: 'RZ_DELTA_INVALID' },
    { title: 'with a number too large for any', line: '{"id":"x","properties":{"a":1e999}}', code: 'RZ_DELTA_INVALID' },
    {
      title: 'nested without end',
      line: `{"id":"x","properties":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
      code: 'RZ_DELTA_INVALID',
    },
    {
      title: 'larger than a delta',
      line: lineOf('x', { a: 'x'.repeat(600_000) }).trimEnd(),
      code: 'RZ_DELTA_TOO_LARGE',
    },
    {
      title: 'larger than a line',
      line: lineOf('x', { a: 'x'.repeat(LINE_BYTES_MAX) }).trimEnd(),
      code: 'RZ_HTTP_TOO_LARGE',
    },
  ]
  for (const [index, { title, line, code }] of cases.entries()) {
    it(`${title} is told by number and code, and the good ones around it are written`, async () => {
      const collection = `bad-${index}`
      const { status, json } = await importInto(collection, `${lineOf('a', { x: 1 })}${line}\n${lineOf('b', { x: 1 })}`)
      expect(status).toBe(200)
      expect(json).toMatchObject({
        records: 2,
        failedCount: 1,
        failed: [{ line: 2, code, message: expect.any(String) }],
      })
      expect(api.node.namespace('users').ids(collection)).toEqual(['a', 'b'])
    })
  }

  it('that is not UTF-8 is told too', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const { port } = api
    const path = '/api/ns/users/collections/latin/import'
    const sent = request(
      { port, host: '127.0.0.1', method: 'POST', path, headers: NDJSON, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve(text))
      },
    )
    sent.end(
      Buffer.concat([
        Buffer.from('{"id":"x","properties":{"a":"'),
        Buffer.of(0xe4),
        Buffer.from(`"}}\n${lineOf('b', { x: 1 })}`),
      ]),
    )
    expect(JSON.parse(await promise)).toMatchObject({ records: 1, failed: [{ line: 1, code: 'RZ_HTTP_INPUT' }] })
  })

  it('among very many is counted, and listed up to a limit', async () => {
    const { json } = await importInto('many', 'x\n'.repeat(IMPORT_FAILED_LISTED_MAX + 5))
    const { failed, failedCount } = json as Imported
    expect(failed).toHaveLength(IMPORT_FAILED_LISTED_MAX)
    expect(failedCount).toBe(IMPORT_FAILED_LISTED_MAX + 5)
  })
})

describe('an import is refused as a whole', () => {
  it('into a collection that cannot be', async () => {
    expect(await importInto('a%2Fb', lineOf('a', { x: 1 }))).toMatchObject({
      status: 400,
      json: { code: 'RZ_RECORD_INVALID' },
    })
  })

  it('into a namespace that is not held', async () => {
    const answer = await api.ask('POST', '/api/ns/nowhere/collections/c/import', {
      headers: NDJSON,
      body: lineOf('a', { x: 1 }),
    })
    expect(answer).toMatchObject({ status: 404, json: { code: 'RZ_NAMESPACE_UNKNOWN' } })
  })

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded'])('declared as %s', async (type) => {
    const headers = { 'content-type': type }
    const answer = await api.ask('POST', '/api/ns/users/collections/c/import', { headers, body: '{}' })
    expect(answer).toMatchObject({ status: 415, json: { code: 'RZ_HTTP_MEDIA_TYPE' } })
  })
})

describe('an import whose sender goes away', () => {
  it('keeps what was written, and the node goes on', async () => {
    const { port } = api
    const path = '/api/ns/users/collections/broken/import'
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path, headers: NDJSON, agent: false })
    sent.on('error', () => undefined)
    sent.write(lineOf('a', { x: 1 }))
    await expect.poll(() => api.node.namespace('users').ids('broken'), { timeout: 10_000 }).toEqual(['a'])
    const closed = new Promise((resolve) => sent.once('close', resolve))
    sent.destroy()
    await closed
    expect(await importInto('broken', lineOf('b', { x: 1 }))).toMatchObject({ status: 200, json: { records: 1 } })
    expect(api.errors).toEqual([])
  })
})

describe('the work of an import', () => {
  async function* linesFrom(count: number, read: { count: number }): AsyncGenerator<readonly Line[]> {
    while (read.count < count) {
      const number = ++read.count
      const text = JSON.stringify({ id: `id-${number}`, properties: { x: number } })
      yield [{ kind: 'text', number, text, sizeBytes: text.length }]
    }
  }

  it('reads no further than the writes under way allow', async () => {
    const read = { count: 0 }
    const { promise: never } = Promise.withResolvers<number>()
    void new Import(() => never).run(linesFrom(1_000_000, read))
    for (let turn = 0; turn < 20_000; turn++) await Promise.resolve()
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(read.count).toBe(IMPORT_PENDING_MAX + 1)
  })

  it('stops at a fault that is not the line’s, and tells what was done by then', async () => {
    let writes = 0
    const work = new Import(async () => {
      if (++writes > 10) throw new RhizomeError('RZ_STORE_FULL', 'the disk has no room left')
      await Promise.resolve()
      return 1
    })
    await expect(work.run(linesFrom(1_000_000, { count: 0 }))).rejects.toMatchObject({ code: 'RZ_STORE_FULL' })
    expect(work.imported).toMatchObject({ records: 10, deltas: 10, failedCount: 0 })
  })
})

describe('lines', () => {
  const textsOf = async (chunks: readonly Uint8Array[], sizeBytesMax = 1_000) => {
    async function* source() {
      yield* chunks
    }
    const batches = await Array.fromAsync(splitLines(source(), sizeBytesMax))
    return batches.flat().map((line) => (line.kind === 'text' ? line.text : line.kind))
  }

  it('are the same however the bytes are cut', async () => {
    const lines = fc.array(
      fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' ').replaceAll('\ufeff', '')),
    )
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat()), async (texts, cuts) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
        const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
          (a, b) => a - b,
        )
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        expect(await textsOf(chunks, 1_000_000)).toEqual(texts)
      }),
    )
  })

  it('that are too long are named and held nowhere, and the next is read', async () => {
    const chunk = Buffer.alloc(600, 'x')
    expect(await textsOf([chunk, chunk, chunk, Buffer.from('\nshort\n'), chunk, chunk])).toEqual([
      'too large',
      'short',
      'too large',
    ])
  })

  it('of exactly the limit are read', async () => {
    expect(await textsOf([Buffer.alloc(1_000, 'x'), Buffer.from('\n')])).toEqual(['x'.repeat(1_000)])
  })

  it('lose a byte order mark at the start', async () => {
    expect(await textsOf([Buffer.from('\ufefffirst\nsecond')])).toEqual(['first', 'second'])
  })
})
