/** What the original key-value store answers, byte for byte, over a real socket. */

import { describe, expect, it } from 'vitest'
import { serveText } from './client.ts'

/** A session of the original: what is typed, and what it answers. */
const SESSION = [
  ['UNKNOWN shopping\r\n', 'COMMAND NOT IMPLEMENTED\r\n'],
  ['GET shopping eggs\r\n', 'NOT FOUND\r\n'],
  ['CREATE shopping\r\n', 'OK\r\n'],
  ['PUT shopping milk 1\r\n', 'OK\r\n'],
  ['PUT shopping eggs 3\r\n', 'OK\r\n'],
  ['GET shopping milk\r\n', '1\r\nOK\r\n'],
  ['GET shopping eggs\r\n', '3\r\nOK\r\n'],
  ['DELETE shopping eggs\r\n', 'OK\r\n'],
  ['GET shopping eggs\r\n', '\r\nOK\r\n'],
  ['CREATE shopping\r\n', 'OK\r\n'],
  ['GET shopping milk\r\n', '1\r\nOK\r\n'],
  ['PUT pantry milk 1\r\n', 'NOT FOUND\r\n'],
  ['DELETE pantry milk\r\n', 'NOT FOUND\r\n'],
  ['DELETE shopping nothing\r\n', 'OK\r\n'],
  ['\r\n', 'COMMAND NOT IMPLEMENTED\r\n'],
  ['   \r\n', 'COMMAND NOT IMPLEMENTED\r\n'],
] as const

/** Lines that it does not understand, wrong numbers of words among them. */
const NOT_UNDERSTOOD = [
  'CREATE',
  'CREATE a b',
  'PUT shopping milk',
  'PUT shopping milk 1 2',
  'PUT shopping',
  'GET shopping',
  'GET shopping milk 1',
  'GET',
  'DELETE shopping',
  'DELETE shopping milk 1',
  'create shopping',
  'get shopping milk',
  'Put shopping milk 1',
  'SELECT from shopping',
  'KEYS',
  'KEYS a b',
  'WATCH',
  'BUCKETS shopping',
  'QUIT now',
  'HELP me',
  'AUTH',
  '\u0000',
  'PUT\u00A0shopping milk 1',
] as const

describe('a session of the original', () => {
  it('is answered byte for byte, line by line', async () => {
    const { client } = await serveText()
    const telnet = await client()
    for (const [typed, answer] of SESSION) expect([typed, await telnet.says(typed, answer)]).toEqual([typed, answer])
    expect(telnet.unread).toBe('')
  })

  it('is answered in its order when it is sent at once', async () => {
    const { client } = await serveText()
    const nc = await client()
    nc.send(SESSION.map(([typed]) => typed).join(''))
    nc.socket.end()
    expect(await nc.rest()).toBe(SESSION.map(([, answer]) => answer).join(''))
  })

  it('is answered with the same CRLF when its lines end in LF, and come byte by byte', async () => {
    const { client } = await serveText()
    const nc = await client()
    nc.socket.setNoDelay(true)
    for (const byte of Buffer.from(SESSION.map(([typed]) => typed.replace('\r', '')).join(''))) {
      nc.send(Buffer.from([byte]))
    }
    nc.socket.end()
    expect(await nc.rest()).toBe(SESSION.map(([, answer]) => answer).join(''))
  })

  it.each(NOT_UNDERSTOOD)('does not understand %j', async (line) => {
    const { client } = await serveText()
    const telnet = await client()
    await telnet.ask('CREATE shopping')
    await telnet.ask('PUT shopping milk 1')
    expect(await telnet.ask(line)).toEqual(['COMMAND NOT IMPLEMENTED'])
    expect(await telnet.ask('GET shopping milk')).toEqual(['1', 'OK'])
  })

  it('splits at white space, as much as there is, and takes quotes as they are', async () => {
    const { client } = await serveText()
    const telnet = await client()
    expect(await telnet.ask(' \t CREATE \u2003 shopping\u3000')).toEqual(['OK'])
    expect(await telnet.ask('PUT\tshopping\u2028"milk"\u0085"1"')).toEqual(['OK'])
    expect(await telnet.ask('GET shopping "milk"')).toEqual(['"1"', 'OK'])
    expect(await telnet.ask('PUT shopping milk "1 2"')).toEqual(['COMMAND NOT IMPLEMENTED'])
    expect(await telnet.ask('PUT shopping milk a\u00A0b\u2007c\u202Fd')).toEqual(['OK'])
    expect(await telnet.ask('GET shopping milk')).toEqual(['a\u00A0b\u2007c\u202Fd', 'OK'])
  })

  it('does nothing for a line whose end never comes', async () => {
    const { client, node } = await serveText()
    const nc = await client()
    nc.send('CREATE shopping\nPUT shopping milk 1\nPUT shopping milk 25')
    nc.socket.end()
    expect(await nc.rest()).toBe('OK\r\nOK\r\n')
    expect(node.namespace('users').get('shopping', 'milk')?.properties).toEqual({ value: '1' })
  })
})

describe('telnet itself', () => {
  /** Ctrl-C: interrupt the process, do a timing mark. */
  const INTERRUPT = Buffer.from([0xff, 0xf4, 0xff, 0xfd, 0x06])
  const WONT_MARK = Buffer.from([0xff, 0xfc, 0x06]).toString('latin1')

  it('goes on after Ctrl-C, which it asks a question with', async () => {
    const { client } = await serveText()
    const telnet = await client()
    await telnet.ask('CREATE shopping')
    telnet.send(INTERRUPT)
    expect(await telnet.read(3)).toBe(WONT_MARK)
    telnet.send(Buffer.concat([INTERRUPT, Buffer.from('GET shopping milk\r\n')]))
    expect(await telnet.read(9)).toBe(`${WONT_MARK}\r\nOK\r\n`)
  })

  it('ends the watching of a bucket by Ctrl-C', async () => {
    const { client } = await serveText()
    const telnet = await client()
    await telnet.ask('CREATE shopping')
    telnet.send('WATCH shopping\r\n')
    expect(await telnet.line()).toBe('')
    telnet.send(INTERRUPT)
    expect(await telnet.read(3)).toBe(WONT_MARK)
    expect(await telnet.line()).toBe('OK')
  })

  it('is offered and asked for nothing else; bytes of a value are its own', async () => {
    const { client } = await serveText()
    const telnet = await client()
    telnet.send(Buffer.from([0xff, 0xfb, 0x18, 0xff, 0xfe, 0x01, 0xff, 0xf1]))
    expect(await telnet.read(3)).toBe(Buffer.from([0xff, 0xfe, 0x18]).toString('latin1'))
    await telnet.ask('CREATE raw')
    telnet.send('PUT raw key ')
    telnet.send(INTERRUPT)
    telnet.send('\n')
    expect(await telnet.line()).toBe('OK')
    telnet.send('GET raw key\n')
    expect(await telnet.read(11)).toBe(`${INTERRUPT.toString('latin1')}\r\nOK\r\n`)
    telnet.send(Buffer.from([0xff, 0x0a]))
    expect(await telnet.line()).toBe('COMMAND NOT IMPLEMENTED')
  })
})
