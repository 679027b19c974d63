/** What the line protocol does when a limit is reached, over real sockets; and that no client touches another's connection. */

import { describe, expect, it } from 'vitest'
import { openNode } from '../../src/index.ts'
import { makeToken, tokenCheck } from '../../src/node/token.ts'
import { openText } from '../../src/text/server.ts'
import { until } from '../support/nodes.ts'
import { openClient, serveText } from './client.ts'

describe('a line that is too long', () => {
  it('is skipped and told, and the next one answered', async () => {
    const { client } = await serveText({ limits: { lineBytesMax: 40 } })
    const telnet = await client()
    expect(await telnet.ask('CREATE shopping')).toEqual(['OK'])
    expect(await telnet.ask(`PUT shopping milk ${'x'.repeat(22)}`)).toEqual(['OK'])
    expect(await telnet.ask(`PUT shopping milk ${'x'.repeat(23)}`)).toEqual([
      'ERROR RZ_TEXT_TOO_LONG 41 a line has at most 40 bytes',
    ])
    for (let part = 0; part < 100; part++) telnet.send('y'.repeat(1_000))
    expect(await telnet.ask('')).toEqual([expect.stringMatching(/^ERROR RZ_TEXT_TOO_LONG /)])
    expect(await telnet.ask('GET shopping milk')).toEqual(['x'.repeat(22), 'OK'])
  })

  it('takes little memory, however long it is', async () => {
    const { client } = await serveText()
    const telnet = await client()
    const before = process.memoryUsage().arrayBuffers
    const part = Buffer.alloc(1_048_576, 'z')
    let most = 0
    for (let sent = 0; sent < 256; sent++) {
      if (!telnet.socket.write(part)) await new Promise((resolve) => telnet.socket.once('drain', resolve))
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    expect(await telnet.ask('')).toEqual([expect.stringMatching(/^ERROR RZ_TEXT_TOO_LONG 1048577 /)])
    expect(most).toBeLessThan(150 * 1_048_576)
  })
})

describe('one connection too many', () => {
  it('is told and closed; there is room again when another has gone', async () => {
    const { client } = await serveText({ limits: { connectionsMax: 2 } })
    const [first, second] = [await client(), await client()]
    expect(await (await client()).rest()).toMatch(/^ERROR RZ_TEXT_BUSY 1 2 connections are open already.*\r\n$/)
    expect(await first.ask('CREATE shopping')).toEqual(['OK'])
    second.socket.destroy()
    await until('there is room', async () => {
      const next = await client()
      next.send('BUCKETS\r\n')
      return (await next.line()) === 'shopping'
    })
  })
})

describe('a bucket too many that is watched', () => {
  it('is told, and the connection goes on', async () => {
    const { client } = await serveText({ limits: { watchesMax: 1 } })
    const [first, second] = [await client(), await client()]
    await first.ask('CREATE shopping')
    first.send('WATCH shopping\r\n')
    expect(await first.line()).toBe('')
    expect(await second.ask('WATCH shopping')).toEqual([expect.stringMatching(/^ERROR RZ_TEXT_BUSY 1 1 buckets/)])
    expect(await second.ask('BUCKETS')).toEqual(['shopping', 'OK'])
  })
})

describe('more lines at once than are answered at once', () => {
  it.each([1, 2, 7])('wait, and are all answered in order (%i at once)', async (pipelineMax) => {
    const { client, node } = await serveText({ limits: { pipelineMax } })
    const telnet = await client()
    const lines = Array.from({ length: 300 }, (_, index) => `PUT s k${index % 10} ${index}\nGET s k${index % 10}\n`)
    telnet.send(`CREATE s\n${lines.join('')}QUIT\n`)
    const wanted = lines.map((_, index) => `OK\r\n${index}\r\nOK\r\n`).join('')
    expect(await telnet.rest()).toBe(`OK\r\n${wanted}OK\r\n`)
    expect(node.namespace('users').ids('s')).toHaveLength(10)
  })

  it('wait, however many bytes they have', async () => {
    const { client } = await serveText({ limits: { pipelineBytesMax: 1_000 } })
    const telnet = await client()
    const lines = Array.from({ length: 200 }, (_, index) => `PUT s k ${'x'.repeat(900)}${index}\n`)
    telnet.send(`CREATE s\n${lines.join('')}GET s k\nQUIT\n`)
    expect(await telnet.rest()).toBe(`${'OK\r\n'.repeat(201)}${'x'.repeat(900)}199\r\nOK\r\nOK\r\n`)
  })

  it('share blocks when they are puts', async () => {
    const { client, node } = await serveText()
    const telnet = await client()
    await telnet.ask('CREATE s')
    const before = node.namespace('users').counts().blocks
    telnet.send(`${Array.from({ length: 500 }, (_, index) => `PUT s k${index} ${index}\n`).join('')}QUIT\n`)
    expect(await telnet.rest()).toBe('OK\r\n'.repeat(501))
    expect(node.namespace('users').counts().blocks - before).toBeLessThan(50)
  })
})

describe('silence', () => {
  it('ends a connection after a while, and tells so', async () => {
    const { client } = await serveText({ limits: { idleMs: 60 } })
    const telnet = await client()
    expect(await telnet.ask('CREATE shopping')).toEqual(['OK'])
    expect(await telnet.rest()).toBe('ERROR RZ_TEXT_IDLE 1 nothing came within 0.06 s\r\n')
  })

  it('of a bucket that is watched ends none: it says an empty line from time to time', async () => {
    const { client } = await serveText({ limits: { idleMs: 300, heartbeatMs: 50 } })
    const [telnet, other] = [await client(), await client()]
    await telnet.ask('CREATE shopping')
    telnet.send('WATCH shopping\r\n')
    expect(await other.rest()).toMatch(/RZ_TEXT_IDLE/)
    expect(await telnet.read(16)).toBe('\r\n'.repeat(8))
    const third = await client()
    await third.ask('PUT shopping milk 1')
    await until('the change is told', async () => (await telnet.line()).includes('milk'))
  })
})

describe('a client that does not read', () => {
  it('is not read from either, and cut after a while; others are answered meanwhile', async () => {
    const { client, node } = await serveText({ limits: { stalledMs: 400 } })
    const [slow, other] = [await client(), await client()]
    await other.ask('CREATE shopping')
    await other.ask(`PUT shopping milk ${'x'.repeat(100_000)}`)
    slow.socket.pause()
    const asking = Buffer.from('GET shopping milk\n'.repeat(10_000))
    const cut = new Promise((resolve) => slow.socket.once('close', resolve))
    slow.send(asking)
    // A gigabyte of answers is asked for: what is not taken is not made.
    const before = process.memoryUsage()
    for (let round = 0; round < 50; round++) expect((await other.ask('GET shopping milk'))[1]).toBe('OK')
    const after = process.memoryUsage()
    expect(after.rss - before.rss).toBeLessThan(200 * 1_048_576)
    slow.socket.on('error', () => undefined)
    await until('it is cut', () => {
      slow.send('\n')
      return slow.socket.destroyed
    })
    await cut
    expect(node.namespace('users').get('shopping', 'milk')).toBeDefined()
  })

  it('of a large answer gets all of it once it reads', async () => {
    const { client, node } = await serveText()
    await node.namespace('users').transaction((transaction) => {
      for (let id = 0; id < 900; id++) transaction.put('large', `${id}`, { text: 'x'.repeat(1_000) })
    })
    const slow = await client()
    slow.socket.pause()
    slow.send('select from large\nselect from large\nselect from large\nselect from large\nQUIT\n')
    const other = await client()
    for (let round = 0; round < 20; round++) expect(await other.ask('BUCKETS')).toEqual(['large', 'OK'])
    slow.socket.resume()
    expect((await slow.rest()).split('\r\n').filter((line) => line.startsWith('{'))).toHaveLength(3_600)
  })
})

describe('beyond loopback', () => {
  it('is refused without a token', async () => {
    await using node = await openNode({ topics: ['users'], memory: true, network: false })
    await expect(openText(node, { port: 0, host: '0.0.0.0' })).rejects.toMatchObject({ code: 'RZ_TEXT_TOKEN_MISSING' })
  })

  it('the first line shows the token; another, a wrong one or none ends the connection', async () => {
    const token = makeToken()
    const { client } = await serveText({ host: '0.0.0.0', token: tokenCheck(token), limits: { strangerMs: 150 } })
    const known = await client()
    expect(await known.ask(`AUTH ${token}`)).toEqual(['OK'])
    expect(await known.ask('CREATE shopping')).toEqual(['OK'])
    const closed = async (sent: string) => {
      const stranger = await client()
      stranger.send(sent)
      return stranger.rest()
    }
    expect(await closed('CREATE pantry\r\nCREATE cellar\r\n')).toBe(
      'ERROR RZ_TEXT_TOKEN 1 the first line is AUTH <token>\r\n',
    )
    expect(await closed(`AUTH ${makeToken()}\r\nCREATE pantry\r\n`)).toMatch(
      /^ERROR RZ_TEXT_TOKEN 6 this is not the token.*\r\n$/,
    )
    expect(await closed('x'.repeat(100_000))).toMatch(/^ERROR RZ_TEXT_TOKEN 1 /)
    expect(await closed(`${'x'.repeat(100_000)}\r\n`)).toBe('ERROR RZ_TEXT_TOKEN 1 the first line is AUTH <token>\r\n')
    expect(await closed('')).toBe('ERROR RZ_TEXT_TOKEN 1 no token came within 0.15 s\r\n')
    // Nor does it help to go on talking.
    const talker = await client()
    const talking = setInterval(() => talker.send('x'), 10)
    expect(await talker.rest()).toBe('ERROR RZ_TEXT_TOKEN 1 no token came within 0.15 s\r\n')
    clearInterval(talking)
    expect(await known.ask('BUCKETS')).toEqual(['shopping', 'OK'])
  })

  it('AUTH is done where no token is needed', async () => {
    const { client } = await serveText()
    expect(await (await client()).ask('AUTH whatever')).toEqual(['OK'])
  })
})

describe('what a web page has a browser send', () => {
  it.each([
    'POST / HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\nHost: 127.0.0.1:4040\r\n',
    'PUT /shopping/milk HTTP/1.1\r\nHost: localhost\r\n',
  ])('is not obeyed: %j', async (head) => {
    const { client, node } = await serveText()
    const page = await client()
    page.send(`${head}Content-Type: text/plain\r\n\r\nCREATE shopping\r\nPUT shopping milk 0\r\n`)
    expect(await page.rest()).toMatch(/^(?:NOT FOUND\r\n|COMMAND NOT IMPLEMENTED\r\n)*COMMAND NOT IMPLEMENTED\r\n$/)
    expect(node.namespace('users').collections()).toEqual([])
  })
})

describe('listening', () => {
  it('fails on a port that is taken, and on an address of another machine', async () => {
    const { node, face } = await serveText()
    await expect(openText(node, { port: face.port })).rejects.toMatchObject({ code: 'RZ_TEXT_PORT_TAKEN' })
    await expect(openText(node, { port: 0, host: '192.0.2.1', token: () => true })).rejects.toMatchObject({
      code: 'RZ_TEXT_LISTEN_FAILED',
    })
  })

  it('ends at once for those who are idle and soon for those who are not, and what was asked is answered', async () => {
    const { face, client } = await serveText()
    const [idle, busy] = [await client(), await client()]
    await idle.ask('CREATE s')
    busy.send(Array.from({ length: 100 }, (_, index) => `PUT s k${index} ${index}\n`).join(''))
    expect(await busy.line()).toBe('OK')
    await face.close()
    expect(await idle.rest()).toBe('')
    expect((await busy.rest()).replaceAll('OK\r\n', '')).toBe('')
    await expect(openClient(face.port)).rejects.toThrow(/ECONNREFUSED/)
  })
})

describe('what fails', () => {
  it('by no fault of the client is told by its code alone to it, and in full to the operator', async () => {
    const token = () => Promise.reject(new Error('the reason'))
    const { client, errors } = await serveText({ token })
    expect(await (await client()).ask('AUTH whatever')).toEqual([
      'ERROR RZ_TEXT_FAILED 1 this node failed on it; its own output says why',
    ])
    expect(errors).toEqual([new Error('the reason')])
  })

  it('in the store is told to both', async () => {
    const { client, node, errors } = await serveText()
    const telnet = await client()
    await telnet.ask('CREATE shopping')
    await node.close()
    expect(await telnet.ask('PUT shopping milk 1')).toEqual([expect.stringMatching(/^ERROR RZ_STORE_CLOSED \d+ /)])
    expect(errors).toMatchObject([{ code: 'RZ_STORE_CLOSED' }])
  })
})

describe('a bad client', () => {
  it('never touches the connection of another', async () => {
    const { client } = await serveText({ limits: { stalledMs: 1_000 } })
    const good = await client()
    await good.ask('CREATE shopping')
    const bad = await Promise.all(Array.from({ length: 20 }, () => client()))
    for (const [index, each] of bad.entries()) {
      each.socket.pause()
      each.send(Buffer.alloc(200_000, index % 2 === 0 ? 'x' : 'GET shopping milk\n'))
      if (index % 5 === 0) each.socket.resetAndDestroy()
    }
    for (let round = 0; round < 200; round++) {
      expect(await good.ask(`PUT shopping k${round} ${round}`)).toEqual(['OK'])
      expect(await good.ask(`GET shopping k${round}`)).toEqual([`${round}`, 'OK'])
    }
  })
})
