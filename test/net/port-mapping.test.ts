import { describe, expect, test } from 'vitest'
import { GatewayRefusal } from '../../src/net/gateway.ts'
import { PORT_LEASE_S, PORT_RENEWAL_MS, PORT_RETRY_MS } from '../../src/net/limits.ts'
import { PortMapping, type Router } from '../../src/net/port-mapping.ts'

const HERE = '/ip4/192.168.1.2/tcp/4000'
const CONFLICT = 718

/** A router whose mappings are a map, by the port outside. */
class FakeRouter implements Router {
  readonly host: string
  readonly localAddress = '192.168.1.2'
  outside = '5.6.7.8'
  refusal: GatewayRefusal | undefined
  readonly mapped = new Map<number, string>()

  constructor(host = '192.168.1.1') {
    this.host = host
  }

  externalAddress = () => Promise.resolve(this.outside)

  map = (port: number, externalPort: number): Promise<void> => {
    const to = `${this.localAddress}:${port}`
    const isTaken = (this.mapped.get(externalPort) ?? to) !== to
    const refusal = isTaken ? new GatewayRefusal(CONFLICT, 'ConflictInMappingEntry') : this.refusal
    if (refusal !== undefined) return Promise.reject(refusal)
    this.mapped.set(externalPort, to)
    return Promise.resolve()
  }

  unmap = (externalPort: number): Promise<void> => {
    this.mapped.delete(externalPort)
    return Promise.resolve()
  }
}

/** Of a node behind routers, whose time passes by hand. */
function home(...routers: FakeRouter[]) {
  const told: string[] = []
  let nowMs = 0
  let pass: (() => void) | undefined
  let wantedMs = 0
  const listening = [HERE]
  const mapping = new PortMapping({
    find: () => Promise.resolve([...routers]),
    nowMs: () => nowMs,
    wait: (delayMs, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
      wantedMs = delayMs
      pass = resolve
      return promise
    },
    listening: () => listening,
    onMapped: (address) => told.push(address),
    onFailed: (message) => told.push(message),
    log: () => {},
  })
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    mapping,
    told,
    routers,
    listening,
    start: (): Promise<void> => {
      mapping.start()
      return settled()
    },
    /** Until it looks again; answers after how long it wanted to. */
    next: async (): Promise<number> => {
      nowMs += wantedMs
      const waited = wantedMs
      pass?.()
      await settled()
      return waited
    },
  }
}

describe('a router that maps ports', () => {
  test('maps the port, is asked again long before that lapses, and gets it back', async () => {
    const router = new FakeRouter()
    const { mapping, told, start, next } = home(router)
    await start()
    expect([...router.mapped]).toEqual([[4_000, '192.168.1.2:4000']])
    expect(await next()).toBe(PORT_RENEWAL_MS)
    expect(PORT_RENEWAL_MS * 3).toBeLessThan(PORT_LEASE_S * 1_000)
    expect(told).toEqual(['/ip4/5.6.7.8/tcp/4000'])
    expect(mapping.addresses()).toEqual(told)
    await mapping.stop()
    expect(router.mapped.size).toBe(0)
    expect(mapping.addresses()).toEqual([])
  })

  test('that restarted and forgot is asked anew, for the same port', async () => {
    const router = new FakeRouter()
    router.mapped.set(4_000, '192.168.1.99:4000')
    const { mapping, told, start, next } = home(router)
    await start()
    expect(mapping.addresses()).toEqual(['/ip4/5.6.7.8/tcp/4001'])
    router.mapped.clear()
    await next()
    expect([...router.mapped]).toEqual([[4_001, '192.168.1.2:4000']])
    expect(told).toHaveLength(1)
  })

  test('that has another address is told of by that', async () => {
    const router = new FakeRouter()
    const { mapping, told, start, next } = home(router)
    await start()
    router.outside = '5.6.7.9'
    await next()
    expect(told).toEqual(['/ip4/5.6.7.8/tcp/4000', '/ip4/5.6.7.9/tcp/4000'])
    expect(mapping.addresses()).toEqual(['/ip4/5.6.7.9/tcp/4000'])
  })

  test('that does not answer once keeps its mappings until they lapse, and is asked soon', async () => {
    const router = new FakeRouter()
    const { mapping, told, routers, start, next } = home(router)
    await start()
    routers.pop()
    await next()
    expect(mapping.addresses()).toHaveLength(1)
    expect(await next()).toBe(PORT_RETRY_MS)
    for (let waitedMs = 0; waitedMs < PORT_LEASE_S * 1_000;) waitedMs += await next()
    expect(mapping.addresses()).toEqual([])
    expect(told.at(-1)).toContain('no router')
    routers.push(router)
    await next()
    expect(told.at(-1)).toBe('/ip4/5.6.7.8/tcp/4000')
  })

  test('of a network that this machine has left is none', async () => {
    const { mapping, routers, listening, start, next } = home(new FakeRouter())
    await start()
    routers.pop()
    listening.splice(0, 1, '/ip4/10.0.0.7/tcp/4000')
    await next()
    expect(mapping.addresses()).toEqual([])
  })

  test('that refuses what it mapped before takes it away, and says why', async () => {
    const router = new FakeRouter()
    const { mapping, told, start, next } = home(router)
    await start()
    router.refusal = new GatewayRefusal(606, 'Action not authorized')
    await next()
    expect(mapping.addresses()).toEqual([])
    expect(told.at(-1)).toMatch(/192\.168\.1\.1 .*Action not authorized \(606\)/)
    expect(await next()).toBe(PORT_RETRY_MS)
    expect(told).toHaveLength(2)
  })

  test.each([
    '',
    '192.168.0.2',
    '10.1.1.1',
    '100.64.0.9',
    '127.0.0.1',
    '0.0.0.0',
    '::1',
    '5.6.7.8/tcp/1/p2p/x',
    '5.6.7',
  ])('with the address %j outside maps nothing', async (outside) => {
    const router = new FakeRouter()
    router.outside = outside
    const { mapping, told, start } = home(router)
    await start()
    expect([mapping.addresses(), router.mapped.size]).toEqual([[], 0])
    expect(told[0]).toContain('is not public')
  })

  test('is given back a port that was mapped while it was stopped', async () => {
    const router = new FakeRouter()
    const { mapping } = home(router)
    const { promise, resolve } = Promise.withResolvers<string>()
    router.externalAddress = () => promise
    mapping.start()
    const stopped = mapping.stop()
    resolve('5.6.7.8')
    await stopped
    expect(router.mapped.size).toBe(0)
  })

  test('whose ports are all taken is not asked for ever', async () => {
    const router = new FakeRouter()
    for (let port = 4_000; port < 4_100; port++) router.mapped.set(port, 'another')
    const { told, start } = home(router)
    await start()
    expect(told).toEqual([expect.stringContaining('Conflict')])
  })
})
