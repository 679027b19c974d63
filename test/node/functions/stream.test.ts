/** Functions: what they are handed, in which order, and what they emit. */
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  compareDeltas,
  type Delta,
  type Emit,
  type Handler,
  type Namespace,
  openNode,
  type Position,
  type Value,
} from '../../../src/index.ts'
import { caughtUp, functionEvents, said, start } from '../../support/functions.ts'
import { openTestNode, temporaryFolder, until } from '../../support/nodes.ts'

const open = async (): Promise<Namespace> => (await openTestNode()).namespace('users')

const fromStore = (users: Namespace, collection: string) => users.ids(collection).map((id) => users.get(collection, id))

describe('what a function is handed', () => {
  it('each delta once, in the order of the stream, what was there before and what comes later', async () => {
    const users = await open()
    await users.put('user', 'a', { n: 1, m: 2 })
    const seen: Delta[] = []
    start(users, {}, (delta) => void seen.push(delta))
    await users.put('user', 'a', { n: 3 })
    await until('all are seen', () => seen.length === 3)
    expect(seen.map(said)).toEqual([
      ['user/a', 'n', 1],
      ['user/a', 'm', 2],
      ['user/a', 'n', 3],
    ])
    expect(seen).toEqual(seen.toSorted(compareDeltas))
  })

  it('only what comes from now on, where that is asked for, and after a restart what came meanwhile', async () => {
    const data = await temporaryFolder()
    const seen: unknown[] = []
    const handler: Handler = (delta) => void seen.push(said(delta)[2])
    {
      await using node = await openNode({ topics: ['users'], data, network: false })
      const users = node.namespace('users')
      await users.put('user', 'a', { n: 1 })
      await using _ = users.on({ name: 'f', from: 'now' }, handler)
    }
    {
      await using node = await openNode({ topics: ['users'], data, network: false })
      await node.namespace('users').put('user', 'a', { n: 2 })
    }
    const node = await openTestNode({ data })
    start(node.namespace('users'), { from: 'now' }, handler)
    await until('it is seen', () => seen.length > 0)
    expect(seen).toEqual([2])
  })

  it('what a rule lets through', async () => {
    const users = await open()
    const seen: unknown[] = []
    const filter = { '==': [{ var: 'pointers.0.targetContext' }, 'age'] }
    start(users, { filter }, (delta) => void seen.push(said(delta)))
    await users.put('user', 'a', { name: 'Ann', age: 3 })
    await until('it is seen', () => seen.length > 0)
    expect(seen).toEqual([['user/a', 'age', 3]])
  })

  it('what a function of the application lets through', async () => {
    const users = await open()
    const seen: unknown[] = []
    const filter = (delta: Delta) => said(delta)[1] === 'age'
    const started = start(users, { filter }, (delta) => void seen.push(said(delta)))
    await users.put('user', 'a', { name: 'Ann', age: 3 })
    await caughtUp(started)
    expect(seen).toEqual([['user/a', 'age', 3]])
  })

  it.each([
    ['a rule that runs out of gas', { reduce: [{ var: 'pointers' }, spin(6), 0] }, 'RZ_RULE_GAS'],
    [
      'a function that throws',
      () => {
        throw new Error('no')
      },
      'RZ_FUNCTION_FAILED',
    ],
  ])('a delta on which %s fails is listed and passed over', async (_, filter, code) => {
    const node = await openTestNode()
    const users = node.namespace('users')
    const events = functionEvents(node)
    const seen: Delta[] = []
    const started = start(users, { filter }, (delta) => void seen.push(delta))
    const { deltas } = await users.put('user', 'a', { n: 1 })
    await until('it is listed', () => started.status().failedCount === 1)
    expect(seen).toEqual([])
    expect(started.status().failures).toEqual([expect.objectContaining({ delta: deltas[0], code })])
    expect(events).toEqual([expect.objectContaining({ kind: 'skipped', name: 'f', delta: deltas[0], code })])
  })

  it('of two functions each has a cursor of its own, and neither waits for the other', async () => {
    const users = await open()
    const held = Promise.withResolvers<void>()
    const quick: unknown[] = []
    const slow = start(users, { name: 'slow' }, () => held.promise)
    start(users, { name: 'quick' }, (delta) => void quick.push(said(delta)[2]))
    for (const n of [1, 2, 3]) await users.put('user', 'a', { n })
    await until('the quick one is done', () => quick.length === 3)
    expect(users.functions()).toMatchObject([
      { name: 'slow', handledCount: 0 },
      { name: 'quick', lag: 0, handledCount: 3 },
    ])
    expect(slow.status().lag).toBeGreaterThan(0)
    held.resolve()
    await caughtUp(slow)
    expect(slow.status().handledCount).toBe(3)
  })

  it('one delta at a time, however slow it is, while nothing piles up but the cursor', async () => {
    const users = await open()
    let working = 0
    let most = 0
    const started = start(users, {}, async () => {
      most = Math.max(most, ++working)
      await new Promise((resolve) => setImmediate(resolve))
      working--
    })
    await Promise.all(Array.from({ length: 500 }, (_, n) => users.put('user', `u${n}`, { n })))
    expect(started.status().handledCount).toBeLessThan(500)
    await until('all are handled', () => started.status().handledCount === 500)
    expect(most).toBe(1)
  })
})

describe('what a function emits', () => {
  const copy: Handler = (delta, emit) => {
    const [, , value] = said(delta)
    emit.put('copy', delta.id.replace('/', '-'), { value: value as string })
  }

  it('is in the log as anything else is, and says in a delta of its own what brought it about', async () => {
    const users = await open()
    const started = start(users, { name: 'copy' }, copy)
    const { deltas } = await users.put('user', 'a', { n: 1 })
    const [cause] = deltas
    await until('it is emitted', () => users.ids('copy').length === 1)
    expect(fromStore(users, 'copy')).toEqual([expect.objectContaining({ properties: { value: 1 } })])
    const about = users.lossless(cause ?? '')?.properties['causes'] ?? []
    expect(about.map(({ value }) => value)).toEqual([
      { told: 'delta', function: 'copy', depth: 1, emitted: expect.stringMatching(/\/0$/) as unknown },
    ])
    await caughtUp(started)
    expect(started.status()).toMatchObject({ handledCount: 1, emittedCount: 1 })
  })

  it('may be raw deltas, records, and negations, of the log and of the same emission, all in one block', async () => {
    const users = await open()
    start(users, { filter: { '==': [{ var: 'pointers.0.targetContext' }, 'n'] } }, (delta, emit) => {
      const own = emit([{ localContext: 'note', target: 'somewhere', targetContext: 'notes' }])
      emit.negate(own)
      emit.negate(delta.id)
      emit.put('user', 'a', { m: 2 })
    })
    await users.put('user', 'a', { n: 1 })
    await until('it is emitted', () => users.get('user', 'a')?.properties['m'] === 2)
    expect(users.get('user', 'a')?.properties).toEqual({ m: 2 })
    const notes = users.lossless('somewhere')?.properties['notes'] ?? []
    expect(notes.map(({ standing }) => standing)).toEqual([false])
  })

  it('is not handed to itself unless it asks for that, and never is what states a cause', async () => {
    const users = await open()
    const seen: unknown[] = []
    start(users, { name: 'all' }, (delta) => void seen.push(said(delta)[0]))
    start(users, { name: 'copy' }, copy)
    const { deltas } = await users.put('user', 'a', { n: 1 })
    await until('the other sees it', () => seen.length === 2)
    expect(seen).toEqual(['user/a', `copy/${deltas[0]?.replace('/', '-')}`])
    expect(users.ids('copy')).toHaveLength(1)
  })

  it('of more than one delta can name may be the cause: 600 deltas are emitted as one block', async () => {
    const users = await open()
    const started = start(users, {}, (_, emit) => {
      for (let index = 0; index < 600; index++) emit.put('many', String(index), { index })
    })
    const { deltas } = await users.put('user', 'a', { n: 1 })
    await until('they are there', () => users.ids('many').length === 600)
    expect(users.counts().blocks).toBe(2)
    const stated = users.lossless(deltas[0] ?? '')?.properties['causes'] ?? []
    expect(stated.map(({ delta }) => delta.pointers.length - 4)).toEqual([252, 252, 96])
    expect(started.status().emittedCount).toBe(600)
  })

  it('goes under the identity that was named', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    expect(() => users.on({ name: 'f', as: 'nobody' }, copy)).toThrow(
      expect.objectContaining({ code: 'RZ_IDENTITY_UNKNOWN' }),
    )
    start(users, { as: 'default' }, copy)
    await users.put('user', 'a', { n: 1 })
    await until('it is emitted', () => users.ids('copy').length === 1)
  })

  it('comes too late once the handler has returned', async () => {
    const users = await open()
    let kept: Emit | undefined
    start(users, {}, (_, emit) => {
      kept = emit
    })
    await users.put('user', 'a', { n: 1 })
    const late = await until('it was called', () => kept)
    expect(() => late([])).toThrow(expect.objectContaining({ code: 'RZ_TRANSACTION_OVER' }))
  })

  it.each([
    [
      'that does not fit a block',
      'RZ_BLOCK_TOO_LARGE',
      (emit: Emit) => {
        for (let n = 0; n < 3; n++) emit.put('big', 'x', { [n]: 'x'.repeat(500_000) })
      },
    ],
    ['that is no delta', 'RZ_DELTA_INVALID', (emit: Emit) => void emit([])],
  ])('and is an emission %s is refused at once with a code, and passed over', async (_, code, fill) => {
    const users = await open()
    let calls = 0
    const started = start(users, {}, (_delta, emit) => {
      calls++
      fill(emit)
    })
    await users.put('user', 'a', { n: 1 })
    await until('it is given up', () => started.status().failedCount === 1)
    expect(started.status().failures).toMatchObject([{ code, attempts: 1 }])
    expect(calls).toBe(1)
    expect(users.counts().blocks).toBe(1)
  })

  it('that breaks a schema is refused as any write is', async () => {
    const users = await open()
    await users.schema('copies', { collection: 'copy', schema: { properties: { value: { type: 'string' } } } })
    const started = start(users, { filter: { '==': [{ var: 'pointers.0.localContext' }, 'user'] } }, copy)
    await users.put('user', 'a', { n: 1 })
    await until('it is given up', () => started.status().failedCount === 1)
    expect(started.status().failures).toMatchObject([{ code: 'RZ_SCHEMA_VIOLATION', attempts: 1 }])
    expect(users.ids('copy')).toEqual([])
  })

  it('is refused on a keeper, which may only look on', async () => {
    const data = await temporaryFolder()
    {
      await using node = await openNode({ topics: ['users'], data, network: false })
      await node.namespace('users').put('user', 'a', { n: 1 })
    }
    const users = (await openTestNode({ data, keep: true })).namespace('users')
    const started = start(users, {}, copy)
    await until('it is given up', () => started.status().failedCount === 1)
    expect(started.status().failures).toMatchObject([{ code: 'RZ_NODE_KEEPER' }])
  })
})

describe('a function', () => {
  it.each([
    ['no name', { name: '' }],
    ['a name with a slash', { name: 'a/b' }],
    ['no depth', { name: 'f', depthMax: 0 }],
    ['no attempt', { name: 'f', attemptsMax: 0.5 }],
    ['no wait', { name: 'f', retryMs: -1 }],
    ['another beginning', { name: 'f', from: 'never' as 'now' }],
    ['another end', { name: 'f', onFailure: 'cry' as 'stop' }],
  ])('with %s is refused', async (_, options) => {
    const users = await open()
    expect(() => users.on(options, () => {})).toThrow(expect.objectContaining({ code: 'RZ_FUNCTION_INVALID' }))
  })

  it('with a filter that is no rule is refused', async () => {
    const users = await open()
    expect(() => users.on({ name: 'f', filter: { nonsense: [1] } }, () => {})).toThrow(
      expect.objectContaining({ code: 'RZ_RULE_OPERATOR' }),
    )
  })

  it('is at work once under its name, and again when it was closed', async () => {
    const users = await open()
    const first = start(users, {}, () => {})
    expect(() => users.on({ name: 'f' }, () => {})).toThrow(expect.objectContaining({ code: 'RZ_FUNCTION_RUNNING' }))
    await first.close()
    await first.close()
    expect(first.status().state).toBe('closed')
    expect(users.functions()).toEqual([])
    start(users, {}, () => {})
    expect(users.functions()).toMatchObject([{ name: 'f', state: 'running' }])
  })

  it('ends with its signal, with its node, and with `await using`, though its handler never does', async () => {
    const node = await openNode({ topics: ['users'], memory: true, network: false })
    const users = node.namespace('users')
    const stop = new AbortController()
    const signals: AbortSignal[] = []
    const forever: Handler = (_, __, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    }
    const one = users.on({ name: 'one', signal: stop.signal }, forever)
    const two = users.on({ name: 'two' }, forever)
    {
      await using _ = users.on({ name: 'three' }, forever)
      await users.put('user', 'a', { n: 1 })
      await until('all are called', () => signals.length === 3)
    }
    expect(users.functions().map(({ name }) => name)).toEqual(['one', 'two'])
    stop.abort()
    await one.ended
    await node.close()
    await two.ended
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
    expect(two.status()).toMatchObject({ state: 'closed', lag: 0 })
  })

  it('tells its handler where it is, and how deep in a chain of causes', async () => {
    const users = await open()
    const told: { position: Position; depth: number; attempt: number }[] = []
    start(users, {}, (_, __, { position, depth, attempt }) => void told.push({ position, depth, attempt }))
    const { position } = await users.put('user', 'a', { n: 1 })
    await until('it is told', () => told.length > 0)
    expect(told).toEqual([{ position, depth: 1, attempt: 1 }])
  })

  it('leaves the rest of the node its turn, however many deltas there are', async () => {
    const users = await open()
    await Promise.all(Array.from({ length: 20_000 }, (_, n) => users.put('user', `u${n}`, { n })))
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    onTestFinished(() => clearInterval(counting))
    const started = start(users, {}, () => {})
    await until('all are handled', () => started.status().handledCount === 20_000)
    expect(turns).toBeGreaterThan(3)
  })
})

/** A rule that takes gas by the power of its depth. */
function spin(depth: number): Value {
  const list = Array.from({ length: 16 }, (_, index) => index)
  return depth === 0 ? { '+': [1, 1] } : { map: [list, spin(depth - 1)] }
}
