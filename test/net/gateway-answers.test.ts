import { describe, expect, test } from 'vitest'
import { controlOf, locationOf, textOf } from '../../src/net/gateway-answers.ts'
import { GATEWAY_ANSWER_BYTES_MAX } from '../../src/net/limits.ts'

const IP = 'urn:schemas-upnp-org:service:WANIPConnection:1'

describe('an answer to a search', () => {
  const answer = (location: string) => `HTTP/1.1 200 OK\r\nST: x\r\nLOCATION: ${location}\r\nEXT:\r\n\r\n`

  test('tells where the description lies', () => {
    expect(locationOf(answer('http://192.168.1.1:5000/root.xml'), '192.168.1.1')?.href).toBe(
      'http://192.168.1.1:5000/root.xml',
    )
    expect(locationOf('HTTP/1.1 200 OK\nlocation:http://192.168.1.1/\n\n', '192.168.1.1')?.href).toBe(
      'http://192.168.1.1/',
    )
  })

  test.each([
    'http://127.0.0.1:5000/root.xml',
    'http://192.168.1.1.example.org/',
    'http://192.168.1.1@10.0.0.1/',
    'https://192.168.1.1/',
    'file:///etc/passwd',
    'nonsense',
    '',
  ])('that leads elsewhere, or nowhere, is none: %s', (location) => {
    expect(locationOf(answer(location), '192.168.1.1')).toBeUndefined()
  })

  test.each([
    '',
    'NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    '\0'.repeat(65_535),
  ])('of another kind is none', (text) => {
    expect(locationOf(text, '192.168.1.1')).toBeUndefined()
  })
})

describe('a description', () => {
  const location = new URL('http://192.168.1.1:5000/root.xml')
  const service = (type: string, path: string) =>
    `<service><serviceType>${type}</serviceType><serviceId>x</serviceId><controlURL>${path}</controlURL></service>`
  const root = (...services: readonly string[]) =>
    `<?xml version="1.0"?><root xmlns="x"><device><serviceList>${services.join('\n')}</serviceList></device></root>`

  test.each(['WANIPConnection:1', 'WANIPConnection:2', 'WANPPPConnection:1'])(
    'of a router that maps ports: %s',
    (name) => {
      const type = `urn:schemas-upnp-org:service:${name}`
      const other = service('urn:schemas-upnp-org:service:Layer3Forwarding:1', '/other')
      const found = controlOf(root(other, service(` ${type} `, '/control')), location)
      expect(found).toEqual({ control: new URL('http://192.168.1.1:5000/control'), service: type })
    },
  )

  test.each([
    ['elsewhere', root(service(IP, 'http://10.0.0.1/control'))],
    ['on another port', root(service(IP, 'http://192.168.1.1:22/'))],
    ['with a base elsewhere', `<URLBase>http://10.0.0.1/</URLBase>${root(service(IP, '/control'))}`],
    ['of another protocol', root(service(IP, 'gopher://192.168.1.1:5000/'))],
    ['of another service', root(service(`${IP}x`, '/control'))],
    ['that breaks off', root(service(IP, '/control')).slice(0, 110)],
    ['that is a page', '<!doctype html><title>Router</title>'],
  ])('%s is that of no router', (_, text) => {
    expect(controlOf(text, location)).toBeUndefined()
  })
})

describe('an element', () => {
  test('has its text, without space around', () => {
    expect(textOf('<a><code\n x="1"> 718\n</code></a>', 'code')).toBe('718')
    expect(textOf('<code></code>', 'code')).toBe('')
  })

  test.each(['<codes>1</codes>', '<code>1', '<code><b>1</b></code>', '<code', 'code'])('that is none: %s', (text) => {
    expect(textOf(text, 'code')).toBeUndefined()
  })
})

/** Made to cost a reader that looks back and forth the square of its length; the deadline is that of any test. */
test.each([
  '<service>',
  '<service><serviceType>',
  '<serviceType ',
  '<controlURL>\n',
  ' ',
  '<',
  '</service>',
  '<URLBase x>',
])(
  'many times %j is read in a time that grows with its length',
  (part) => {
    const text = part.repeat(GATEWAY_ANSWER_BYTES_MAX / part.length)
    expect(controlOf(`<serviceType>${text}`, new URL('http://192.168.1.1/'))).toBeUndefined()
    expect(textOf(`<errorCode>${text}`, 'errorCode')).toBeUndefined()
    expect(locationOf(`HTTP/1.1 200 OK\nlocation:${text}`, '192.168.1.1')).toBeUndefined()
  },
  10_000,
)
