/** Options that are misspelt, or belong to another method, are refused with the name that is meant; nothing is passed over. */
import { describe, expect, it } from 'vitest'
import { type Namespace, openNode } from '../../src/index.ts'
import { DETECTORS } from '../../src/sync/members/detector.ts'
import { openTestNode } from '../support/nodes.ts'

const unknown = (message: string) => ({
  code: 'RZ_OPTION_UNKNOWN',
  message: expect.stringContaining(message) as string,
})

describe('openNode', () => {
  it.each([
    [{ topcis: ['users'] }, 'openNode has no option "topcis"; did you mean "topics"?'],
    [{ topics: ['users'], memroy: true }, 'did you mean "memory"?'],
    [{ topics: ['users'], secret: 'x' }, 'openNode has no option "secret"'],
    [{ topics: ['users'], network: { peer: ['x'] } }, '"network" has no option "peer"; did you mean "peers"?'],
    [
      { topics: ['users'], detector: { kind: 'off', presenceMs: 30_000, presencesPerSecond: 5, heartbeatMs: 400 } },
      '"detector" has no option "heartbeatMs"',
    ],
    [{ topics: ['users'], detector: { ...DETECTORS.lan, suspicionMs: 1 } }, 'did you mean "suspicionMsM'],
    [{ topics: ['users'], network: { zzzzzzzzzz: 1 } }, 'it takes listen, '],
  ])('refuses %j', async (options, message) => {
    await expect(openNode(options as never)).rejects.toMatchObject(unknown(message))
  })
})

it('a node refuses what peers does not take', async () => {
  const node = await openTestNode()
  expect(() => node.peers({ al: true } as never)).toThrow(expect.objectContaining(unknown('did you mean "all"?')))
})

describe('a namespace', () => {
  const cases: readonly (readonly [string, (namespace: Namespace, options: never) => unknown, object, string])[] = [
    ['put', (users, options) => users.put('user', 'a', { b: 1 }, options), { onlyChange: true }, '"onlyChanged"'],
    [
      'append',
      (users, options) => users.append([{ localContext: 'a', target: 1 }], options),
      { untill: 'local' },
      '"until"',
    ],
    ['delete', (users, options) => users.delete('user', 'a', options), { ass: 'me' }, '"as"'],
    ['transaction', (users, options) => users.transaction(() => {}, options), { deadline: 1 }, '"deadlineMs"'],
    ['get', (users, options) => users.get('user', 'a', options), { contxt: 'a' }, '"context"'],
    ['history', (users, options) => users.history('user', 'a', 'b', options), { deltaMax: 3 }, '"deltasMax"'],
    ['diff', (users, options) => users.diff('user', 'a', options), { form: 0 }, '"from"'],
    ['ids', (users, options) => users.ids('user', options), { limit: 3 }, 'it takes'],
    ['deltas', (users, options) => users.deltas(options), { life: false }, '"live"'],
    ['watch', (users, options) => users.watch('user', options), { is: 'a' }, '"id"'],
    ['on', (users, options) => users.on(options, () => {}), { name: 'x', fitler: {} }, '"filter"'],
    [
      'subscribe',
      (users, options) => users.subscribe(options, () => {}),
      { delivery: 'causal', member: [] },
      '"members"',
    ],
    ['ping', (users, options) => users.ping(options), { timeout: 5 }, '"timeoutMs"'],
    ['broadcast', (users, options) => users.broadcast('hello', options), { two: 'x' }, '"to"'],
    ['waitForSync', (users, options) => users.waitForSync(options), { singal: undefined }, '"signal"'],
    ['settleIndexes', (users, options) => users.settleIndexes(options), { deadlineMs: 5 }, 'it takes signal'],
    ['collection', (users, options) => users.collection('user', options), { schema: {}, indices: [] }, '"indexes"'],
  ]

  it.each(cases)('refuses what %s does not take', async (method, call, options, hint) => {
    const node = await openTestNode()
    const attempt = async () => call(node.namespace('users'), options as never)
    await expect(attempt()).rejects.toMatchObject(unknown(`${method} has no option`))
    await expect(attempt()).rejects.toMatchObject(unknown(hint))
  })

  it('refuses what retrying does not take', async () => {
    const users = (await openTestNode()).namespace('users')
    const options = { delivery: 'reliable', retry: { attempts: 3 } } as never
    expect(() => users.subscribe(options, () => {})).toThrow(
      expect.objectContaining(unknown('"retry" has no option "attempts"')),
    )
  })

  it('takes what there is', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'a', { b: 1 }, { onlyChanged: true, checkReferences: true, until: 'local', deadlineMs: 5 })
    expect(users.get('user', 'a', { context: false, expand: 1, filter: true, asOf: users.frontier() })).toMatchObject({
      id: 'a',
    })
  })
})

describe('a function', () => {
  it.each([
    [{}, () => {}, 'it needs a "name"'],
    [{ name: 'x' }, undefined, 'it needs a handler'],
  ])('of %j is refused', async (options, handler, message) => {
    const users = (await openTestNode()).namespace('users')
    const refused = { code: 'RZ_FUNCTION_INVALID', message: expect.stringContaining(message) as string }
    expect(() => users.on(options as never, handler as never)).toThrow(expect.objectContaining(refused))
    expect(users.functions()).toEqual([])
  })

  it('and a subscription without a handler are refused', async () => {
    const users = (await openTestNode()).namespace('users')
    const refused = { code: 'RZ_SUBSCRIPTION_INVALID', message: expect.stringContaining('a handler') as string }
    expect(() => users.subscribe({ delivery: 'reliable' }, undefined as never)).toThrow(
      expect.objectContaining(refused),
    )
    expect(users.subscriptions()).toEqual([])
  })
})
