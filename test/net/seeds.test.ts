import { describe, expect, test } from 'vitest'
import { parseSeed, readPeers, seedAddress } from '../../src/net/seeds.ts'

const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'

describe('seeds as people type them', () => {
  test.each([
    ['rhizome', { host: 'rhizome', port: 4_000 }, '/dns/rhizome/tcp/4000'],
    [' nodes.example.org:4002 ', { host: 'nodes.example.org', port: 4_002 }, '/dns/nodes.example.org/tcp/4002'],
    ['/dns4/nodes.example/tcp/7', { host: 'nodes.example', port: 7 }, '/dns/nodes.example/tcp/7'],
    ['/dnsaddr/example.org', { host: 'example.org' }, '/dnsaddr/example.org'],
    [`/dnsaddr/example.org/p2p/${PEER}`, { host: 'example.org', peer: PEER }, `/dnsaddr/example.org/p2p/${PEER}`],
  ])('%j', (text, seed, address) => {
    expect(parseSeed(text)).toEqual(seed)
    expect(seedAddress(parseSeed(text))).toBe(address)
  })

  test.each([
    '',
    '10.0.0.1',
    '10.0.0.1:4000',
    '[::1]:4000',
    '/ip4/10.0.0.1/tcp/4000',
    'a b',
    '/dnsaddr/',
    '/dnsaddr/a b',
  ])('%j is refused', (text) => {
    expect(() => parseSeed(text)).toThrow(expect.objectContaining({ code: 'RZ_NET_ADDRESS_INVALID' }))
  })

  test('a dnsaddr may stand among the peers, and is followed like a seed', () => {
    expect(readPeers(['/dnsaddr/example.org', 'host'], ['nodes'])).toEqual({
      addresses: [{ address: '/dns/host/tcp/4000' }],
      seeds: [{ host: 'example.org' }, { host: 'nodes', port: 4_000 }],
    })
    expect(() => readPeers([`/dnsaddr/example.org/tcp/4000`], [])).toThrow(
      expect.objectContaining({ code: 'RZ_NET_ADDRESS_INVALID' }),
    )
  })
})
