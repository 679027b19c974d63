/** Functions whose handler throws, whose store takes nothing, and that make loops. */
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type DeltaFunction,
  type DeltaId,
  type StandingHandler,
  type FunctionEvent,
  type Handler,
  RhizomeError,
  type Namespace,
} from '../../../src/index.ts'
import { machineEnvironment } from '../../../src/node/environment.ts'
import { Functions } from '../../../src/node/functions/functions.ts'
import { createMemoryDisk, openMemoryStore } from '../../../src/store/memory.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../../support/blocks.ts'
import { caughtUp, functionEvents, said, start } from '../../support/functions.ts'
import { openLoopbackNode, openTestNode, until } from '../../support/nodes.ts'

const value = (delta: Parameters<typeof said>[0]) => said(delta)[2]

describe('a handler that throws', () => {
  it('is called again with the same delta, later and later, before any other', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    const events = functionEvents(node)
    const calls: unknown[] = []
    const started = start(users, {}, (delta, emit, { attempt }) => {
      calls.push([value(delta), attempt])
      emit.put('copy', String(value(delta)), { attempt })
      if (attempt < 4 && value(delta) === 1) throw new Error('not yet')
    })
    const { deltas } = await users.put('user', 'a', { n: 1 })
    await users.put('user', 'a', { n: 2 })
    await until('both are handled', () => started.status().handledCount === 2)
    expect(calls).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [1, 4],
      [2, 1],
    ])
    expect(users.ids('copy').map((id) => users.get('copy', id)?.properties['attempt'])).toEqual([4, 1])
    const about = {
      name: 'f',
      kind: 'retrying',
      delta: deltas[0],
      told: 'delta',
      code: 'RZ_FUNCTION_FAILED',
      message: 'not yet',
    }
    expect(events).toEqual([
      { ...about, attempt: 1, retryMs: 1 },
      { ...about, attempt: 2, retryMs: 2 },
      { ...about, attempt: 3, retryMs: 4 },
    ])
    expect(started.status()).toMatchObject({ state: 'running', failedCount: 0 })
  })

  it('to the last is passed over: what it failed on is listed, told, and can be tried again', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    const events = functionEvents(node)
    let isMended = false
    const handler: Handler = async (delta, emit) => {
      await Promise.resolve()
      if (value(delta) === 1 && !isMended) throw new RhizomeError('RZ_HTTP_FAILED', 'no answer')
      emit.put('copy', String(value(delta)), { n: value(delta) as number })
    }
    const started = start(users, { attemptsMax: 2 }, handler)
    const { deltas } = await users.put('user', 'a', { n: 1 })
    await users.put('user', 'a', { n: 2 })
    await until('the next is handled', () => users.ids('copy').length === 1)
    const failure = { delta: deltas[0], told: 'delta', code: 'RZ_HTTP_FAILED', message: 'no answer', attempts: 2 }
    expect(started.status().failures).toEqual([expect.objectContaining(failure)])
    expect(events.map(({ kind }) => kind)).toEqual(['retrying', 'skipped'])
    expect(await started.retryFailures()).toBe(1)
    isMended = true
    expect(await started.retryFailures()).toBe(0)
    expect(users.ids('copy')).toEqual(['1', '2'])
    expect(started.status()).toMatchObject({ failedCount: 0, failures: [] })
  })

  it('to the last stops one that asks for that, which begins there when it is started again', async () => {
    const users = (await openTestNode()).namespace('users')
    let isMended = false
    const seen: unknown[] = []
    const handler: Handler = (delta) => {
      if (!isMended && value(delta) === 2) throw new Error('no')
      seen.push(value(delta))
    }
    const options = { attemptsMax: 2, onFailure: 'stop' } as const
    const stopped = start(users, options, handler)
    for (const n of [1, 2, 3]) await users.put('user', 'a', { n })
    await stopped.ended
    expect(users.functions()).toMatchObject([{ name: 'f', state: 'stopped', failedCount: 0 }])
    await stopped.close()
    expect(users.functions()).toEqual([])
    isMended = true
    const again = start(users, options, handler)
    await caughtUp(again)
    expect(seen).toEqual([1, 2, 3])
  })

  it('what is listed is kept across a restart, the newest 256 of it', async () => {
    const users = (await openTestNode()).namespace('users')
    const first = start(users, { attemptsMax: 1 }, () => {
      throw new Error('x'.repeat(10_000))
    })
    await users.transaction((transaction) => {
      for (let n = 0; n < 300; n++) transaction.put('user', String(n), { n })
    })
    await until('all are given up', () => first.status().failedCount === 300)
    await first.close()
    const again = start(users, { attemptsMax: 1 }, () => {})
    expect(again.status()).toMatchObject({ failedCount: 300 })
    expect(again.status().failures).toHaveLength(256)
    expect(again.status().failures[0]?.message).toHaveLength(300)
    expect(await again.retryFailures()).toBe(44)
  })

  it('when it is told what became of a delta, fails in the same way', async () => {
    const users = (await openTestNode()).namespace('users')
    let isMended = false
    const told: string[] = []
    const started = start(
      users,
      {
        attemptsMax: 2,
        onStanding: ({ kind }) => {
          if (!isMended) throw new Error('no')
          told.push(kind)
        },
      },
      () => {},
    )
    const { deltas } = await users.put('user', 'a', { n: 1 })
    await users.negate(deltas[0] ?? '')
    await until('it is given up', () => started.status().failedCount === 1)
    expect(started.status().failures).toMatchObject([{ delta: deltas[0], told: 'hidden' }])
    isMended = true
    expect(await started.retryFailures()).toBe(0)
    expect(told).toEqual(['hidden'])
  })
})

describe('a store that takes nothing', () => {
  /** A function over a disk that can be made to fail. */
  function onDisk(handler: Handler, log = new TestLog({ signer: signer(9) })) {
    const disk = createMemoryDisk()
    const store = openMemoryStore({ disk })
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    const closing = new AbortController()
    const events: FunctionEvent[] = []
    onTestFinished(async () => {
      closing.abort()
      await store.close()
    })
    const functions = new Functions({
      store,
      namespace: NAMESPACE,
      creator: () => signer(9).id,
      write: async (deltas, notes) => {
        store.commit(runOf(log.append(deltas)), notes)
      },
      tell: (_, event) => void events.push(event),
      environment: machineEnvironment(),
      closing: closing.signal,
      awaitEnd: () => {},
    })
    const started = functions.start({ name: 'f', retryMs: 1, attemptsMax: 1 }, handler)
    return { disk, store, events, started }
  }

  const source = () => {
    const log = new TestLog()
    log.append([claim('item', 'x', 'n', 1)])
    return log
  }

  it.each(['full', 'failed'] as const)(
    'because it is %s is waited for; the handler is not called again',
    async (fault) => {
      let calls = 0
      const { disk, store, events, started } = onDisk(() => {
        calls++
        disk.fault = fault
      })
      store.commit(source().run())
      await until('it waits', () => events.length > 2)
      expect(started.status().state).toBe('retrying')
      expect(events[0]).toMatchObject({
        kind: 'retrying',
        code: fault === 'full' ? 'RZ_STORE_FULL' : 'RZ_STORE_FAILED',
      })
      disk.fault = 'none'
      await caughtUp(started)
      expect(calls).toBe(1)
      expect(started.status()).toMatchObject({ state: 'running', handledCount: 1, failedCount: 0 })
    },
  )

  it('or says so after it took it: what was emitted is in the log once', async () => {
    const { disk, store, started } = onDisk((_, emit) => {
      emit([{ localContext: 'note', target: 'noted', targetContext: 'notes' }])
      disk.fault = 'failed-after-write'
    })
    store.commit(source().run())
    await until('it is done', () => started.status().handledCount === 1)
    disk.fault = 'none'
    const next = source()
    next.append([claim('item', 'x', 'n', 2)])
    store.commit(next.run())
    expect(store.entity(NAMESPACE, 'noted').deltas).toHaveLength(1)
  })
})

describe('a loop', () => {
  /** Copies each delta of one collection into another, counting. */
  const pass = (users: Namespace, from: string, to: string): DeltaFunction =>
    start(
      users,
      { name: `${from}-to-${to}`, filter: { '==': [{ var: 'pointers.0.localContext' }, from] } },
      (delta, emit) => {
        emit.put(to, 'x', { n: (value(delta) as number) + 1 })
      },
    )

  it('of two functions ends after 16 causes, with a code that says so', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    const events = functionEvents(node)
    const there = pass(users, 'ping', 'pong')
    const back = pass(users, 'pong', 'ping')
    await users.put('ping', 'x', { n: 0 })
    await until('it ends', () => events.length > 0)
    expect(events).toEqual([
      expect.objectContaining({ kind: 'skipped', code: 'RZ_FUNCTION_DEPTH', attempt: 1, name: 'ping-to-pong' }),
    ])
    expect(users.get('ping', 'x')?.properties).toEqual({ n: 16 })
    expect(users.get('pong', 'x')?.properties).toEqual({ n: 15 })
    expect([there.status().emittedCount, back.status().emittedCount]).toEqual([8, 8])
    await users.put('ping', 'x', { n: 100 })
    await until('another begins anew', () => events.length > 1)
    expect(users.get('ping', 'x')?.properties).toEqual({ n: 116 })
  })

  it('of a function with itself ends where it asks for that', async () => {
    const users = (await openTestNode()).namespace('users')
    const started = start(users, { own: true, depthMax: 3 }, (delta, emit) => {
      emit.put('user', 'a', { n: (value(delta) as number) + 1 })
    })
    await users.put('user', 'a', { n: 0 })
    await until('it ends', () => started.status().failedCount > 0)
    expect(users.get('user', 'a')?.properties).toEqual({ n: 3 })
    expect(started.status().failures).toMatchObject([{ code: 'RZ_FUNCTION_DEPTH' }])
  })

  it('through hiding and restoring ends as well', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    const events = functionEvents(node)
    const isClaim = { '==': [{ var: 'pointers.0.localContext' }, 'user'] }
    const negations = (id: DeltaId) => users.lossless(id)?.properties['negated_by'] ?? []
    const contrary: StandingHandler = ({ kind, delta: { id } }, emit) => {
      if (kind === 'restored') emit.negate(id)
      else for (const { delta, standing } of negations(id)) if (standing) emit.negate(delta.id)
    }
    start(users, { filter: isClaim, depthMax: 6, onStanding: contrary }, () => {})
    const { deltas } = await users.put('user', 'a', { n: 1 })
    await users.negate(deltas[0] ?? '')
    await until('it ends', () => events.some(({ code }) => code === 'RZ_FUNCTION_DEPTH'))
  })

  it('across two nodes ends on either', async () => {
    const one = await openLoopbackNode()
    const two = await openLoopbackNode([one])
    const there = pass(one.namespace('users'), 'ping', 'pong')
    const back = pass(two.namespace('users'), 'pong', 'ping')
    await one.namespace('users').put('ping', 'x', { n: 0 })
    await until('it ends', () => there.status().failedCount + back.status().failedCount > 0)
    expect(there.status().failures).toMatchObject([{ code: 'RZ_FUNCTION_DEPTH' }])
    expect(one.namespace('users').get('ping', 'x')?.properties).toEqual({ n: 16 })
  })
})

it('a cause that a delta of another block states is nobody’s: only its own author says where a delta comes from', async () => {
  const users = (await openTestNode()).namespace('users')
  const started = start(
    users,
    { filter: { '==': [{ var: 'pointers.0.localContext' }, 'user'] } },
    (_, emit, { depth }) => {
      emit.put('depth', 'x', { depth })
    },
  )
  const { deltas } = await users.put('user', 'a', { n: 1 })
  await users.append([
    { localContext: 'caused_by', target: deltas[0] ?? '', targetContext: 'causes' },
    { localContext: 'told', target: 'delta' },
    { localContext: 'function', target: 'f' },
    { localContext: 'depth', target: 900 },
    { localContext: 'emitted', target: deltas[0] ?? '', targetContext: 'emitted_by' },
  ])
  await caughtUp(started)
  expect(users.get('depth', 'x')?.properties).toEqual({ depth: 1 })
})

it.each([
  ['half a depth', 1.5],
  ['no depth', null],
  ['a depth that is none', -1],
])('what states a cause with %s is a delta like any other', async (_, depth) => {
  const users = (await openTestNode()).namespace('users')
  const seen: number[] = []
  const started = start(users, {}, (delta) => void seen.push(delta.pointers.length))
  await users.append([
    { localContext: 'caused_by', target: 'x', targetContext: 'causes' },
    { localContext: 'told', target: 'delta' },
    { localContext: 'function', target: 'f' },
    { localContext: 'depth', target: depth },
  ])
  await caughtUp(started)
  expect(seen).toEqual([4])
})
