import { describe, expect, it } from 'vitest'
import { openText } from '../../src/text/server.ts'
import { openTestNode, temporaryFolder, until } from '../support/nodes.ts'
import { openClient, serveText } from './client.ts'

const RANDOM_BYTES = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0xfe, 0x80])

describe('a bucket', () => {
  it('is a collection, and a key a record whose property is value: the SDK sees what telnet put', async () => {
    const { client, node } = await serveText()
    const telnet = await client()
    await telnet.ask('CREATE shopping')
    await telnet.ask('PUT shopping milk 1')
    const users = node.namespace('users')
    expect(users.get('shopping', 'milk')).toEqual({ id: 'milk', properties: { value: '1' } })
    expect(users.collections()).toEqual(['shopping'])
    expect(users.ids('shopping')).toEqual(['milk'])
  })

  it('exists because records of it do, and its values are shown as lines', async () => {
    const { client, node } = await serveText()
    const users = node.namespace('users')
    const values = {
      text: 'two words',
      number: 1.5,
      no: false,
      nothing: null,
      list: [1, 'a'],
      object: { a: [true] },
      lines: 'a\r\nOK',
      bytes: Uint8Array.of(0),
      broken: Uint8Array.of(0xff, 0x0a),
    }
    for (const [id, value] of Object.entries(values)) await users.put('thing', id, { value })
    await users.put('thing', 'other', { name: 'no value' })
    const telnet = await client()
    const shown = async (id: string) => (await telnet.ask(`GET thing ${id}`))[0]
    expect(await shown('text')).toBe('two words')
    expect(await shown('number')).toBe('1.5')
    expect(await shown('no')).toBe('false')
    expect(await shown('nothing')).toBe('null')
    expect(await shown('list')).toBe('[1,"a"]')
    expect(await shown('object')).toBe('{"a":[true]}')
    expect(await shown('lines')).toBe(String.raw`"a\r\nOK"`)
    expect(await shown('bytes')).toBe('{"$bytes":"AA=="}')
    expect(await shown('broken')).toBe('{"$bytes":"/wo="}')
    expect(await shown('other')).toBe('')
  })

  it('that is empty is there on this node after a restart, and named as a collection', async () => {
    const data = await temporaryFolder()
    for (const round of [1, 2]) {
      await using node = await openTestNode({ data })
      await using face = await openText(node, { port: 0 })
      const telnet = await openClient(face.port)
      if (round === 1) expect(await telnet.ask('CREATE shopping')).toEqual(['OK'])
      expect(await telnet.ask('GET shopping milk')).toEqual(['', 'OK'])
      expect(await telnet.ask('BUCKETS')).toEqual(['shopping', 'OK'])
      expect(await telnet.ask('KEYS shopping')).toEqual(['OK'])
      expect(node.namespace('users').collections()).toEqual(['shopping'])
      telnet.socket.end()
    }
  })

  it('takes any bytes as a value, and gives them back as they were', async () => {
    const { client } = await serveText()
    const nc = await client()
    await nc.ask('CREATE raw')
    nc.send(Buffer.concat([Buffer.from('PUT raw key '), RANDOM_BYTES, Buffer.from('\n')]))
    expect(await nc.line()).toBe('OK')
    nc.send('GET raw key\n')
    expect(Buffer.from(await nc.read(RANDOM_BYTES.length), 'latin1')).toEqual(RANDOM_BYTES)
    expect(await nc.read(6)).toBe('\r\nOK\r\n')
  })

  it('and a key are UTF-8: others are refused where they would be made, and are not there elsewhere', async () => {
    const { client } = await serveText()
    const nc = await client()
    const says = async (before: string, bytes: Buffer, behind = '') => {
      nc.send(Buffer.concat([Buffer.from(before), bytes, Buffer.from(`${behind}\n`)]))
      return nc.line()
    }
    await nc.ask('CREATE raw')
    expect(await says('CREATE ', RANDOM_BYTES)).toMatch(/^ERROR RZ_RECORD_INVALID 8 /)
    expect(await says('PUT raw ', RANDOM_BYTES, ' 1')).toMatch(/^ERROR RZ_RECORD_INVALID 9 /)
    expect(await says('PUT ', RANDOM_BYTES, ' key 1')).toBe('NOT FOUND')
    expect(await says('GET ', RANDOM_BYTES, ' key')).toBe('NOT FOUND')
    expect(await says('DELETE raw ', RANDOM_BYTES)).toBe('OK')
    expect(await says('GET raw ', RANDOM_BYTES)).toBe('')
  })

  it('cannot have a name that no collection can have', async () => {
    const { client } = await serveText()
    const telnet = await client()
    expect(await telnet.ask('CREATE a/b')).toEqual([expect.stringMatching(/^ERROR RZ_RECORD_INVALID 8 /)])
    expect(await telnet.ask('CREATE .')).toEqual([expect.stringMatching(/^ERROR RZ_RECORD_INVALID 8 /)])
    expect(await telnet.ask('GET a/b c')).toEqual(['NOT FOUND'])
    expect(await telnet.ask('PUT / key 1')).toEqual(['NOT FOUND'])
  })

  it('tells a value that is too large, and goes on', async () => {
    const { client } = await serveText()
    const telnet = await client()
    await telnet.ask('CREATE shopping')
    expect(await telnet.ask(`PUT shopping milk ${'x'.repeat(600_000)}`)).toEqual([
      expect.stringMatching(/^ERROR RZ_DELTA_TOO_LARGE 14 /),
    ])
    expect(await telnet.ask(`PUT shopping milk ${'x'.repeat(500_000)}`)).toEqual(['OK'])
    expect((await telnet.ask('GET shopping milk'))[0]).toHaveLength(500_000)
  })

  it('lists its keys in order, however many there are', async () => {
    const { client } = await serveText()
    const telnet = await client()
    const keys = Array.from({ length: 2_500 }, (_, index) => `k${String(index).padStart(5, '0')}`)
    telnet.send(`CREATE many\n${keys.map((key) => `PUT many ${key} 1\n`).join('')}`)
    for (let count = 0; count <= keys.length; count++) expect(await telnet.line()).toBe('OK')
    expect(await telnet.ask('KEYS many')).toEqual([...keys, 'OK'])
    expect(await telnet.ask('KEYS none')).toEqual(['NOT FOUND'])
  })

  it('is watched until the next line, with what others write elsewhere', async () => {
    const { client, node } = await serveText()
    const [watcher, writer] = [await client(), await client()]
    await writer.ask('CREATE shopping')
    watcher.send('WATCH shopping\r\n')
    expect(await watcher.line()).toBe('')
    await writer.ask('PUT shopping milk 1')
    expect(await watcher.line()).toBe('{"id":"milk","properties":{"value":"1"}}')
    await node.namespace('users').put('shopping', 'eggs', { value: 3 })
    expect(await watcher.line()).toBe('{"id":"eggs","properties":{"value":3}}')
    await writer.ask('DELETE shopping milk')
    expect(await watcher.line()).toBe('{"id":"milk","gone":true}')
    watcher.send('GET shopping eggs\r\n')
    expect([await watcher.line(), await watcher.line(), await watcher.line()]).toEqual(['OK', '3', 'OK'])
    // An empty line ends it, and is no line of its own.
    watcher.send('WATCH shopping\r\n')
    expect(await watcher.line()).toBe('')
    watcher.send('\r\nBUCKETS\r\n')
    expect([await watcher.line(), await watcher.line(), await watcher.line()]).toEqual(['OK', 'shopping', 'OK'])
    expect(await watcher.ask('WATCH pantry')).toEqual(['NOT FOUND'])
    expect(await watcher.ask('')).toEqual(['COMMAND NOT IMPLEMENTED'])
  })

  it('is still watched by a client that has ended its side, and given up when it is gone', async () => {
    const { client } = await serveText({ limits: { watchesMax: 1, heartbeatMs: 50 } })
    const [watcher, other] = [await client(), await client()]
    await other.ask('CREATE shopping')
    watcher.send('WATCH shopping\r\n')
    watcher.socket.end()
    expect(await watcher.line()).toBe('')
    await other.ask('PUT shopping milk 1')
    expect(await watcher.line()).toBe('{"id":"milk","properties":{"value":"1"}}')
    watcher.socket.resetAndDestroy()
    await until('its place is free', async () => {
      other.send('WATCH shopping\r\n')
      for (;;) {
        const line = await other.line()
        if (!/^(?:OK|\{.*\})$/.test(line)) return line === ''
      }
    })
  })

  it('shows why a value has none: its rule', async () => {
    const { client, node } = await serveText()
    const users = node.namespace('users')
    await users.put('thing', 'a', { value: 'x' })
    await users.resolver('value', { collection: 'thing', property: 'value', rule: { property: 'other' } })
    await users.resolver('other', { collection: 'thing', property: 'other', rule: { property: 'value' } })
    const telnet = await client()
    expect(await telnet.ask('GET thing a')).toEqual([expect.stringMatching(/^ERROR RZ_RULE_CYCLE 1 /)])
  })
})
