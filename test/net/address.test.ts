import { describe, expect, test } from 'vitest'
import { announced, isLoopback, isRelayed, parsePeerAddress, relayOf } from '../../src/net/address.ts'

const OTHER = '12D3KooWGRUUVFWXjeRGB42yBJLRQ1iRRYmDmNGrGfjuwE6oEw45'
const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'

describe('addresses as people type them', () => {
  test.each([
    ['localhost', '/dns/localhost/tcp/4000'],
    ['localhost:4002', '/dns/localhost/tcp/4002'],
    [' localhost:4002 ', '/dns/localhost/tcp/4002'],
    ['node-1.example.org:9', '/dns/node-1.example.org/tcp/9'],
    ['node_1', '/dns/node_1/tcp/4000'],
    ['192.168.1.5', '/ip4/192.168.1.5/tcp/4000'],
    ['192.168.1.5:65535', '/ip4/192.168.1.5/tcp/65535'],
    ['::1', '/ip6/::1/tcp/4000'],
    ['[fe80::1]:4001', '/ip6/fe80::1/tcp/4001'],
    ['[::1]', '/ip6/::1/tcp/4000'],
    ['/ip4/10.0.0.1/tcp/4000', '/ip4/10.0.0.1/tcp/4000'],
    ['/dns4/a.example/tcp/4000', '/dns4/a.example/tcp/4000'],
    ['/ip6/::1/tcp/4000', '/ip6/::1/tcp/4000'],
    ['ws://host', '/dns/host/tcp/80/ws'],
    ['ws://10.0.0.1:8080/', '/ip4/10.0.0.1/tcp/8080/ws'],
    ['wss://node.example.org', '/dns/node.example.org/tcp/443/wss'],
    ['wss://[::1]:444', '/ip6/::1/tcp/444/wss'],
    ['wss://::1', '/ip6/::1/tcp/443/wss'],
    ['/dns/host/tcp/443/wss', '/dns/host/tcp/443/wss'],
    ['/dns/host/tcp/443/tls/ws', '/dns/host/tcp/443/wss'],
  ])('%j is %s', (text, address) => {
    expect(parsePeerAddress(text)).toEqual({ address })
  })

  test('a peer id in a multiaddr is kept apart from the address', () => {
    expect(parsePeerAddress(`/ip4/10.0.0.1/tcp/4000/p2p/${PEER}`)).toEqual({
      address: '/ip4/10.0.0.1/tcp/4000',
      peer: PEER,
    })
  })

  test('an address through a relay keeps the relay in the address', () => {
    const relay = `/dns4/a.example/tcp/4000/p2p/${PEER}/p2p-circuit`
    expect(parsePeerAddress(`${relay}/p2p/${OTHER}`)).toEqual({ address: relay, peer: OTHER })
    expect([relay, '/ip4/1.2.3.4/tcp/4000'].map(isRelayed)).toEqual([true, false])
    expect(relayOf(relay)).toBe(`/dns4/a.example/tcp/4000/p2p/${PEER}`)
  })

  test.each([
    '',
    ':4000',
    'a b',
    'host:',
    'host:0',
    'host:65536',
    'host:12x',
    'host:4000:4000',
    '1.2.3',
    '1.2.3.256',
    '999.1.1.1:80',
    '[::1',
    'ho\nst',
    'a'.repeat(254),
    'http://localhost:4000',
    '/',
    '/ip4',
    '/ip4/1.2.3.4',
    '/ip4/1.2.3.4/tcp',
    '/ip4/1.2.3.4/tcp/0',
    '/dns/a b/tcp/4000',
    '/ip4/1.2.3.4/udp/4000',
    '/ip4/1.2.3.4/tcp/4000/ws/ws',
    '/ip4/1.2.3.4/tcp/4000/tls',
    '/ip4/1.2.3.4/tcp/4000/tls/wss',
    'ws://',
    'wss://host/path',
    'ws://host:0',
    '/ip4/1.2.3.4/tcp/4000/p2p/nonsense',
    '/unix/tmp/socket',
    `/p2p/${PEER}`,
    `/ip4/1.2.3.4/tcp/4000/p2p/${PEER}/p2p-circuit`,
    `/ip4/1.2.3.4/tcp/4000/p2p-circuit/p2p/${PEER}`,
    `/ip4/1.2.3.4/tcp/4000/p2p/${PEER}/p2p-circuit/p2p/nonsense`,
    `/ip4/1.2.3.4/udp/4000/p2p/${PEER}/p2p-circuit/p2p/${PEER}`,
    `/p2p-circuit/p2p/${PEER}`,
  ])('%j is refused with a message that shows what works', (text) => {
    const refused = expect.objectContaining({
      code: 'RZ_NET_ADDRESS_INVALID',
      message: expect.stringContaining('host:port'),
    })
    expect(() => parsePeerAddress(text)).toThrow(refused)
  })
})

describe('what others are told', () => {
  const loopback = ['/ip4/127.0.0.1/tcp/4000', '/ip4/127.9.9.9/tcp/1', '/ip6/::1/tcp/4000']

  test('loopback is told apart', () => {
    expect(loopback.map(isLoopback)).toEqual([true, true, true])
    expect(['/ip4/12.7.0.1/tcp/1', '/ip6/::2/tcp/1', '/dns/localhost/tcp/1'].map(isLoopback)).toEqual([
      false,
      false,
      false,
    ])
  })

  test('loopback is announced only when nothing else is there', () => {
    expect(announced([...loopback, '/ip4/10.0.0.1/tcp/4000'], String)).toEqual(['/ip4/10.0.0.1/tcp/4000'])
    expect(announced(loopback, String)).toEqual(loopback)
    expect(announced([], String)).toEqual([])
  })
})
