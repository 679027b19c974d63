import { describe, expect, it } from 'vitest'
import { openNode, type SubscribeOptions } from '../../../src/index.ts'
import { runOf, signer, TestLog } from '../../support/blocks.ts'
import { Subscribed } from '../../support/subscribed.ts'

const RELIABLE = { delivery: 'reliable', name: 'mails' } as const

function writes(world: Subscribed, log: TestLog, count: number): string[] {
  return Array.from({ length: count }, () => {
    const block = log.append()
    world.store.commit(runOf(block))
    return `${block.hash}/0`
  })
}

describe('a subscription', () => {
  it('of best effort hands out what comes from now on, and nothing that came while it was away', async () => {
    await using world = new Subscribed()
    const log = new TestLog()
    writes(world, log, 2)
    const first = world.begin({ delivery: 'best-effort' })
    const seen = writes(world, log, 2)
    await world.time.advance(10)
    await first.close()
    writes(world, log, 1)
    world.begin({ delivery: 'best-effort' })
    const last = writes(world, log, 1)
    await world.time.advance(10)
    expect(world.handed).toEqual([...seen, ...last])
  })

  it('that is reliable hands out all there is, and goes on where it was after a restart', async () => {
    await using world = new Subscribed()
    const log = new TestLog()
    const all = writes(world, log, 3)
    world.begin(RELIABLE)
    await world.time.advance(10)
    await world.restart()
    all.push(...writes(world, log, 3))
    world.begin(RELIABLE)
    await world.time.advance(10)
    expect(world.handed).toEqual(all)
  })

  it('keeps a cursor of its own under each name and kind of delivery', async () => {
    await using world = new Subscribed()
    writes(world, new TestLog(), 2)
    world.begin(RELIABLE)
    world.begin({ ...RELIABLE, name: 'other' })
    world.begin({ ...RELIABLE, delivery: 'causal' })
    await world.time.advance(10)
    expect(world.handed).toHaveLength(6)
  })

  it('hands out what its filter lets through', async () => {
    await using world = new Subscribed()
    const log = new TestLog()
    const all = writes(world, log, 4)
    world.begin({ ...RELIABLE, filter: ({ seq }) => seq % 2 === 1 })
    await world.time.advance(10)
    expect(world.handed).toEqual([all[1], all[3]])
  })

  it('calls a handler that throws again, later and later, then lists the delta and goes on', async () => {
    await using world = new Subscribed()
    const [bad, good] = writes(world, new TestLog(), 2)
    const attempts: number[] = []
    const subscription = world.begin({ ...RELIABLE, retry: { attemptsMax: 3, retryMs: 100 } }, (delta, attempt) => {
      if (delta.id !== bad) return
      attempts.push(attempt)
      throw new Error('not now')
    })
    await world.time.advance(250)
    expect(subscription.status().state).toBe('retrying')
    await world.time.advance(1_000)
    expect(attempts).toEqual([1, 2, 3])
    expect(world.handed).toEqual([good])
    const about = { delta: bad, code: 'RZ_FUNCTION_FAILED', message: 'not now' }
    expect(world.events).toMatchObject([
      { kind: 'retrying', ...about, attempt: 1, retryMs: 100 },
      { kind: 'retrying', ...about, attempt: 2, retryMs: 200 },
      { kind: 'skipped', ...about, attempt: 3 },
    ])
    expect(subscription.status()).toMatchObject({
      state: 'running',
      handledCount: 1,
      failedCount: 1,
      failures: [about],
    })
    await world.restart()
    world.begin(RELIABLE)
    await world.time.advance(10)
    expect(world.handed).toEqual([good])
  })

  it('stops at a handler that goes on throwing, if told to, and begins with the same delta again', async () => {
    await using world = new Subscribed()
    const [bad] = writes(world, new TestLog(), 1)
    const options = { ...RELIABLE, retry: { attemptsMax: 1, onFailure: 'stop' } } as const
    const subscription = world.begin(options, () => {
      throw new Error('no')
    })
    await subscription.ended
    expect(subscription.status().state).toBe('stopped')
    expect(world.events).toMatchObject([{ kind: 'stopped', delta: bad, attempt: 1 }])
    await subscription.close()
    expect(subscription.status().state).toBe('closed')
    world.begin(options)
    await world.time.advance(1)
    expect(world.handed).toEqual([bad])
  })

  it('lists a delta on which its filter throws', async () => {
    await using world = new Subscribed()
    const [id] = writes(world, new TestLog(), 1)
    const filter = () => {
      throw new Error('what is this?')
    }
    const subscription = world.begin({ ...RELIABLE, filter })
    await world.time.advance(1)
    expect(subscription.status().failures).toMatchObject([{ delta: id, message: 'what is this?' }])
  })

  it('reads no further than its handler is: what waits, waits in the store', async () => {
    await using world = new Subscribed()
    const log = new TestLog()
    const held = Promise.withResolvers<void>()
    world.begin(RELIABLE, () => held.promise)
    const first = writes(world, log, 1)
    await world.time.advance(1)
    const all = [...first, ...writes(world, log, 2_000)]
    await world.time.advance(1_000)
    expect(world.readCount).toBe(1)
    held.resolve()
    await world.time.advance(1_000)
    expect(world.handed).toEqual(all)
  })

  it('is begun and closed while others work, and ends at once though its handler does not', async () => {
    await using world = new Subscribed()
    const log = new TestLog()
    const stuck = world.begin({ ...RELIABLE, name: 'stuck' }, () => new Promise(() => {}))
    world.begin(RELIABLE)
    const all = writes(world, log, 1)
    await world.time.advance(1)
    await stuck.close()
    await stuck.close()
    all.push(...writes(world, log, 1))
    await world.time.advance(1)
    expect(world.handed).toEqual(all)
  })

  it('ends with the signal that it was given', async () => {
    await using world = new Subscribed()
    const ending = new AbortController()
    const subscription = world.begin({ ...RELIABLE, signal: ending.signal })
    ending.abort()
    await subscription.ended
    expect(subscription.status().state).toBe('closed')
  })
})

describe('what cannot be subscribed to is refused at once:', () => {
  const me = signer(1).id
  it.each([
    ['an unknown delivery', { delivery: 'total' }, 'RZ_SUBSCRIPTION_INVALID'],
    ['none', {}, 'RZ_SUBSCRIPTION_INVALID'],
    ['a bad name', { ...RELIABLE, name: 'Mails!' }, 'RZ_SUBSCRIPTION_INVALID'],
    ['members of another delivery', { ...RELIABLE, members: [me] }, 'RZ_SUBSCRIPTION_INVALID'],
    ['a deadline where nothing is waited for', { ...RELIABLE, deadlineMs: 5 }, 'RZ_SUBSCRIPTION_INVALID'],
    ['best effort from the start', { delivery: 'best-effort', from: 'start' }, 'RZ_SUBSCRIPTION_INVALID'],
    ['no attempt', { ...RELIABLE, retry: { attemptsMax: 0 } }, 'RZ_SUBSCRIPTION_INVALID'],
    ['an endless wait', { ...RELIABLE, retry: { retryMs: 1e9 } }, 'RZ_SUBSCRIPTION_INVALID'],
    ['uniform without a list', { delivery: 'uniform' }, 'RZ_DELIVERY_MEMBERS'],
    ['uniform of nobody', { delivery: 'uniform', members: [] }, 'RZ_DELIVERY_INVALID'],
    ['uniform without a network', { delivery: 'uniform', members: [me] }, 'RZ_NODE_OFFLINE'],
    ['no time', { delivery: 'causal', deadlineMs: 0 }, 'RZ_DELIVERY_INVALID'],
    ['a filter that is no rule', { ...RELIABLE, filter: { nonsense: [] } }, 'RZ_RULE_OPERATOR'],
  ])('%s', async (_, options, code) => {
    await using node = await openNode({ topics: ['users'], memory: true, network: false })
    const begin = () => node.namespace('users').subscribe(options as SubscribeOptions, () => undefined)
    expect(begin).toThrow(expect.objectContaining({ code }) as Error)
    expect(node.namespace('users').subscriptions()).toEqual([])
  })

  it('a second one of a name', async () => {
    await using node = await openNode({ topics: ['users'], memory: true, network: false })
    const users = node.namespace('users')
    const first = users.subscribe({ delivery: 'reliable' }, () => undefined)
    const begin = () => users.subscribe({ delivery: 'reliable' }, () => undefined)
    expect(begin).toThrow(expect.objectContaining({ code: 'RZ_SUBSCRIPTION_RUNNING' }) as Error)
    await first.close()
    expect(begin().status()).toMatchObject({ name: 'reliable', state: 'running' })
  })
})
