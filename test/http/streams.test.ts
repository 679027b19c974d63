/** Streams: lines and events that follow the log, their resumption, pace, limit and end. */
import { connect } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'

import { gathered } from '../../src/http/stream.ts'
import { CHUNK_CHARS_MAX, FOLLOWERS_MAX } from '../../src/http/options.ts'
import { type Api, ask, linesOf, open, openApi, take } from './api.ts'

const write = (api: Api, id: string, value: unknown = id) =>
  api.node.namespace('users').put('user', id, { is: value as string })
const isOf = (line: string) => (JSON.parse(line) as { pointers: { target: unknown }[] }).pointers[1]?.target

interface Event {
  readonly id: string
  readonly name: string
  readonly is: unknown
}

async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<Event> {
  let id = ''
  let name = ''
  for await (const line of lines) {
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('event: ')) name = line.slice(7)
    if (line.startsWith('data: ')) yield { id, name, is: isOf(line.slice(6)) }
  }
}

describe('deltas?follow=true', () => {
  it('answers what is there, then what is written, until the reader goes', async () => {
    await using api = await openApi()
    await write(api, 'a')
    const response = await open({ port: api.port }, 'GET', '/api/deltas?follow=true')
    expect(response.headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    const lines = linesOf(response)
    expect((await take(lines, 1)).map(isOf)).toEqual(['a'])
    await write(api, 'b')
    await write(api, 'c')
    expect((await take(lines, 2)).map(isOf)).toEqual(['b', 'c'])
    response.destroy()
  })

  it('goes on behind a cursor', async () => {
    await using api = await openApi()
    for (const id of ['a', 'b', 'c']) await write(api, id)
    const [, b] = (await api.ask('GET', '/api/deltas')).json as { cursor: string }[]
    const lines = linesOf(await open({ port: api.port }, 'GET', `/api/deltas?follow=true&after=${b?.cursor ?? ''}`))
    expect((await take(lines, 1)).map(isOf)).toEqual(['c'])
    await lines.return(undefined)
  })

  it('ends by itself at a limit', async () => {
    await using api = await openApi()
    for (const id of ['a', 'b', 'c']) await write(api, id)
    const { text } = await api.ask('GET', '/api/deltas?follow=true&limit=2')
    expect(text.trim().split('\n').map(isOf)).toEqual(['a', 'b'])
  })

  it('gives a reader who waits for long every delta, in order', async () => {
    await using api = await openApi()
    const response = await open({ port: api.port }, 'GET', '/api/deltas?follow=true')
    // 40 MB: more than every buffer between the two ends holds.
    const values = Array.from({ length: 200 }, (_, index) => `${String(index).padStart(3, '0')}${'x'.repeat(200_000)}`)
    for (const value of values) await write(api, 'same', value)
    let index = 0
    for await (const line of linesOf(response)) {
      if (isOf(line) !== values[index]) throw new Error(`line ${index} is another`)
      if (++index === values.length) break
    }
    expect(index).toBe(values.length)
  })
})

describe('events', () => {
  it('come from now on, as type delta with a cursor as id', async () => {
    await using api = await openApi()
    await write(api, 'before')
    const response = await open({ port: api.port }, 'GET', '/api/events')
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    })
    const events = eventsOf(linesOf(response))
    await write(api, 'after')
    const [event] = await take(events, 1)
    expect(event).toMatchObject({ name: 'delta', is: 'after', id: expect.stringMatching(/^[0-9a-f]{8}-\d+\.0$/) })
    await events.return(undefined)
  })

  it('resume behind Last-Event-ID and miss nothing', async () => {
    await using api = await openApi()
    const first = eventsOf(linesOf(await open({ port: api.port }, 'GET', '/api/ns/users/events')))
    await write(api, 'a')
    const [seen] = await take(first, 1)
    await first.return(undefined)
    await write(api, 'b')
    await write(api, 'c')
    const headers = { 'last-event-id': seen?.id ?? '' }
    const again = eventsOf(linesOf(await open({ port: api.port }, 'GET', '/api/ns/users/events?after=0', { headers })))
    await write(api, 'd')
    expect((await take(again, 3)).map(({ is }) => is)).toEqual(['b', 'c', 'd'])
    await again.return(undefined)
  })

  it('refuse a Last-Event-ID that is no place in this log', async () => {
    await using api = await openApi()
    for (const id of ['999999', 'x', '-1', '1.99999']) {
      const answer = await api.ask('GET', '/api/events', { headers: { 'last-event-id': id } })
      expect(answer).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_INPUT' } })
    }
  })

  it('are not for HEAD, which would wait for ever', async () => {
    await using api = await openApi()
    expect(await api.ask('HEAD', '/api/events')).toMatchObject({ status: 405, headers: { allow: 'GET, OPTIONS' } })
  })

  it('are the same over the control socket', async () => {
    await using api = await openApi()
    const { socketPath } = api
    const events = eventsOf(linesOf(await open({ socketPath }, 'GET', '/api/events')))
    await write(api, 'a')
    expect((await take(events, 1)).map(({ is }) => is)).toEqual(['a'])
    await events.return(undefined)
  })
})

describe('closing', () => {
  it('ends streams as an end, and takes less than two seconds though a reader of each server does not read', async () => {
    await using api = await openApi()
    const reading = open({ port: api.port }, 'GET', '/api/events')
    const stuck = connect(api.port, '127.0.0.1')
    stuck.on('error', () => undefined)
    stuck.write('GET /api/deltas?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n')
    stuck.pause()
    const stuckToo = connect(api.socketPath)
    stuckToo.on('error', () => undefined)
    stuckToo.write('GET /api/deltas?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n')
    stuckToo.pause()
    for (let count = 0; count < 40; count++) await write(api, 'same', `${count}${'x'.repeat(400_000)}`)
    const rest = Array.fromAsync(linesOf(await reading))
    const startedMs = performance.now()
    await api.face.close()
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect((await rest).length).toBeGreaterThan(0)
    stuck.destroy()
    stuckToo.destroy()
  })

  it('twice is harmless, and frees port and socket for the next', async () => {
    await using api = await openApi()
    await Promise.all([api.face.close(), api.face.close()])
    await expect(ask({ port: api.port }, 'GET', '/health')).rejects.toThrow('ECONNREFUSED')
    await expect(ask({ socketPath: api.socketPath }, 'GET', '/health')).rejects.toThrow('ENOENT')
    await using next = await openApi({ port: api.port, socketPath: api.socketPath })
    expect(next.port).toBe(api.port)
  })
})

describe('streams at once', () => {
  it('are refused with RZ_HTTP_BUSY past their limit, and let in again when one has gone', async () => {
    await using api = await openApi()
    const streams = await Promise.all(
      Array.from({ length: FOLLOWERS_MAX }, () => open({ port: api.port }, 'GET', '/api/events')),
    )
    expect(streams.every(({ statusCode }) => statusCode === 200)).toBe(true)
    expect(await api.ask('GET', '/api/events')).toMatchObject({ status: 503, json: { code: 'RZ_HTTP_BUSY' } })
    for (const stream of streams) stream.destroy()
    const again = async () => {
      const response = await open({ port: api.port }, 'GET', '/api/events')
      response.destroy()
      return response.statusCode
    }
    await expect.poll(again, { timeout: 10_000 }).toBe(200)
  })
})

describe('gathered lines', () => {
  async function* counting(count: number, pulled: { count: number }, line = 'x'.repeat(999)): AsyncGenerator<string> {
    while (pulled.count < count) {
      pulled.count++
      yield `${line}\n`
    }
  }

  it('hold every line once, in few chunks', async () => {
    const pulled = { count: 0 }
    const chunks = await Array.fromAsync(gathered(counting(1_000, pulled)))
    expect(chunks.join('')).toBe(`${'x'.repeat(999)}\n`.repeat(1_000))
    expect(chunks.length).toBeLessThan(100)
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(CHUNK_CHARS_MAX + 1_001)
  })

  it('are pulled no further than a reader who does not read has room for', async () => {
    const pulled = { count: 0 }
    const reader = new PassThrough({ highWaterMark: 1_000 })
    const source = Readable.from(gathered(counting(1_000_000, pulled)), { objectMode: false })
    source.pipe(reader)
    await once(reader, 'readable')
    // Every turn that the source could use to run ahead.
    for (let turn = 0; turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(pulled.count).toBeLessThan(500)
    source.destroy()
  })

  it('leave at once when no more come', async () => {
    const waiting = Promise.withResolvers<void>()
    async function* source(): AsyncGenerator<string> {
      yield 'first\n'
      await waiting.promise
      yield 'second\n'
    }
    const chunks = gathered(source())
    expect((await chunks.next()).value).toBe('first\n')
    waiting.resolve()
    expect((await chunks.next()).value).toBe('second\n')
    expect((await chunks.next()).done).toBe(true)
  })

  it('are kept company by heartbeats, at once and while nothing comes', async () => {
    const waiting = Promise.withResolvers<void>()
    async function* source(): AsyncGenerator<string> {
      await waiting.promise
      yield 'late\n'
    }
    const chunks = gathered(source(), { heartbeat: '\n', heartbeatMs: 5 })
    for (let beat = 0; beat < 3; beat++) expect((await chunks.next()).value).toBe('\n')
    waiting.resolve()
    for await (const chunk of chunks) if (chunk !== '\n') expect(chunk).toBe('late\n')
  })

  it('fail as their source does', async () => {
    async function* source(): AsyncGenerator<string> {
      yield 'good\n'
      throw new Error('the disk said no')
    }
    const chunks = gathered(source())
    expect((await chunks.next()).value).toBe('good\n')
    await expect(chunks.next()).rejects.toThrow('the disk said no')
  })
})
