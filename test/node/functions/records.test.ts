/** Functions that are records: written anywhere, at work where somebody has opted in and the definition names the node. */
import { describe, expect, it } from 'vitest'
import type { FunctionInput, Namespace, RhizomeNode } from '../../../src/index.ts'
import { codeOf } from '../../support/expect.ts'
import { functionEvents } from '../../support/functions.ts'
import { openLoopbackNode, openTestNode, until } from '../../support/nodes.ts'

const open = (functions: boolean | readonly string[] = true): Promise<RhizomeNode> =>
  openTestNode({ functions: functions as boolean })

/** Doubles the price of each order. */
const doubling = (runsOn: FunctionInput['runsOn']): FunctionInput => ({
  when: {
    and: [
      { '==': [{ var: 'pointers.0.localContext' }, 'order'] },
      { '==': [{ var: 'pointers.0.targetContext' }, 'price'] },
    ],
  },
  emit: [
    {
      collection: 'doubled',
      id: { substr: [{ var: 'pointers.0.target' }, 6] },
      properties: { price: { '*': [{ var: 'pointers.1.target' }, 2] }, by: 'a rule' },
    },
  ],
  runsOn,
})

const doubled = (users: Namespace, id: string) => users.get('doubled', id)?.properties['price']

/** Resolves once the functions at work have these names. */
const atWork = (users: Namespace, ...names: readonly string[]) =>
  until(
    `${names.join()} are at work`,
    () =>
      users
        .functions()
        .map(({ name }) => name)
        .join() === names.join(),
  )

describe('a function that is a record', () => {
  it('emits what its template says, from when it is there on', async () => {
    const node = await open()
    const users = node.namespace('users')
    await users.put('order', 'before', { price: 1 })
    await users.storeFunction('doubling', doubling([node.peerId]))
    await atWork(users, 'function/doubling')
    await users.put('order', 'a', { price: 4, note: 'x' })
    await until('it is doubled', () => doubled(users, 'a') !== undefined)
    expect(users.get('doubled', 'a')?.properties).toEqual({ by: 'a rule', price: 8 })
    expect(users.ids('doubled')).toEqual(['a'])
  })

  it('emits raw deltas too', async () => {
    const node = await open()
    const users = node.namespace('users')
    await users.storeFunction('noting', {
      when: { '==': [{ var: 'pointers.0.localContext' }, 'order'] },
      emit: [
        {
          pointers: [
            { localContext: 'seen', target: { var: 'id' }, targetContext: 'seen_by' },
            { localContext: 'at', target: { var: 'time.ms' } },
          ],
        },
      ],
      runsOn: 'anyone',
    })
    await atWork(users, 'function/noting')
    const { deltas } = await users.put('order', 'a', { price: 4 })
    const seenBy = await until('it is noted', () => users.lossless(deltas[0] ?? '')?.properties['seen_by'])
    expect(seenBy).toMatchObject([{ value: users.delta(deltas[0] ?? '')?.time.ms }])
  })

  it('is at work in its newest definition, and not any more when that is gone', async () => {
    const node = await open()
    const users = node.namespace('users')
    await users.storeFunction('doubling', doubling([node.peerId]))
    await atWork(users, 'function/doubling')
    const [template] = doubling('anyone').emit
    await users.storeFunction('doubling', {
      ...doubling('anyone'),
      emit: [{ ...template, properties: { price: 'new' } } as FunctionInput['emit'][number]],
    })
    const put = async (id: string) => users.put('order', id, { price: 1 })
    await until('the new one is in force', async () => {
      await put('a')
      return doubled(users, 'a') === 'new'
    })
    await users.delete('function', 'doubling')
    await atWork(users)
    await put('b')
    expect(doubled(users, 'b')).toBeUndefined()
  })

  it('works on nodes that it names and that have opted in, each in its own name, and is read on all', async () => {
    const one = await openLoopbackNode([], { functions: true })
    const two = await openLoopbackNode([one])
    const [here, there] = [one.namespace('users'), two.namespace('users')]
    await there.storeFunction('doubling', doubling([one.peerId, two.peerId]))
    await atWork(here, 'function/doubling')
    await there.put('order', 'a', { price: 2 })
    await until('it is doubled', () => doubled(there, 'a') === 4)
    expect(there.functions()).toEqual([])
    const claims = there.lossless('doubled/a')?.properties['price'] ?? []
    expect(claims.map(({ delta }) => delta.creator)).toEqual([one.peerId])
  })

  it('that names another node is left to it', async () => {
    const node = await open()
    const users = node.namespace('users')
    await users.storeFunction('doubling', doubling([]))
    await users.storeFunction('noting', doubling([node.peerId]))
    await atWork(users, 'function/noting')
    expect(users.problems()).toEqual([])
  })

  it('is heeded only of those whom the node says', async () => {
    const other = await openLoopbackNode()
    const node = await openLoopbackNode([other], { functions: [other.peerId] })
    const users = node.namespace('users')
    await users.storeFunction('mine', doubling('anyone'))
    await other.namespace('users').storeFunction('other', doubling('anyone'))
    await atWork(users, 'function/other')
    expect(users.ids('function')).toEqual(['mine', 'other'])
  })

  it.each<[string, FunctionInput['emit'][number], string]>([
    ['an id that is no text', { collection: 'a', id: 7, properties: { n: 1 } }, 'RZ_FUNCTION_EMIT'],
    ['an id that is empty', { collection: 'a', id: '', properties: { n: 1 } }, 'RZ_RECORD_INVALID'],
    [
      'a record that says how others are read',
      { collection: 'resolver', id: 'x', properties: { definition: 1 } },
      'RZ_FUNCTION_EMIT',
    ],
    ['a delta without pointers', { pointers: [] }, 'RZ_DELTA_INVALID'],
    [
      'a target that is no text',
      { pointers: [{ localContext: 'a', target: [1], targetContext: 'b' }] },
      'RZ_FUNCTION_EMIT',
    ],
    ['a local context that is no text', { pointers: [{ localContext: null, target: 1 }] }, 'RZ_FUNCTION_EMIT'],
    ['what takes too long', { collection: 'a', id: { cat: [spin(6)] }, properties: { n: 1 } }, 'RZ_RULE_GAS'],
  ])('that gives %s is passed over on that delta, and says so', async (_, template, code) => {
    const node = await open()
    const users = node.namespace('users')
    const events = functionEvents(node)
    await users.storeFunction('f', { ...doubling('anyone'), emit: [template] })
    await atWork(users, 'function/f')
    const { deltas } = await users.put('order', 'a', { price: 1 })
    await until('it is told', () => events.length > 0)
    expect(events).toMatchObject([{ name: 'function/f', kind: 'skipped', delta: deltas[0], code }])
    expect(users.functions()).toMatchObject([{ failedCount: 1, failures: [{ code }] }])
  })

  it('in a loop with another ends', async () => {
    const node = await open()
    const users = node.namespace('users')
    const events = functionEvents(node)
    const passing = (from: string, to: string): FunctionInput => ({
      when: { '==': [{ var: 'pointers.0.localContext' }, from] },
      emit: [{ collection: to, id: 'x', properties: { n: { '+': [{ var: 'pointers.1.target' }, 1] } } }],
      runsOn: 'anyone',
    })
    await users.storeFunction('there', passing('ping', 'pong'))
    await users.storeFunction('back', passing('pong', 'ping'))
    await until('both are at work', () => users.functions().length === 2)
    await users.put('ping', 'x', { n: 0 })
    await until('it ends', () => events.length > 0)
    expect(events).toMatchObject([{ code: 'RZ_FUNCTION_DEPTH' }])
    expect(users.get('ping', 'x')?.properties).toEqual({ n: 16 })
  })

  it.each([
    ['without "when"', { when: undefined }, 'RZ_DEFINITION_INVALID'],
    ['with a rule that is none', { when: { nonsense: [] } }, 'RZ_RULE_OPERATOR'],
    ['that emits nothing', { emit: [] }, 'RZ_DEFINITION_INVALID'],
    ['that emits too much', { emit: Array.from({ length: 65 }, () => ({ pointers: [] })) }, 'RZ_DEFINITION_INVALID'],
    ['that emits a record without id', { emit: [{ collection: 'a', properties: {} }] }, 'RZ_DEFINITION_INVALID'],
    ['that emits something else', { emit: [{ negate: 'x' }] }, 'RZ_DEFINITION_INVALID'],
    [
      'with another field in a pointer',
      { emit: [{ pointers: [{ localContext: 'a', target: 1, x: 1 }] }] },
      'RZ_DEFINITION_INVALID',
    ],
    [
      'with too many places',
      { emit: [{ pointers: Array.from({ length: 300 }, () => ({ localContext: 'a', target: 1 })) }] },
      'RZ_DEFINITION_INVALID',
    ],
    ['that says not where it runs', { runsOn: undefined }, 'RZ_DEFINITION_INVALID'],
    ['that runs nowhere in particular', { runsOn: 'somewhere' }, 'RZ_DEFINITION_INVALID'],
    ['with another field', { thenDo: 1 }, 'RZ_DEFINITION_INVALID'],
    ['of a later version', { semantics: 99 }, 'RZ_RULE_SEMANTICS'],
  ])('%s is refused when it is written, and reported and passed over when it comes', async (_, changed, code) => {
    const users = (await open()).namespace('users')
    const definition = { semantics: 1, ...doubling('anyone'), ...changed }
    const [problem] = await Promise.allSettled([users.storeFunction('f', definition as FunctionInput)])
    expect(problem).toMatchObject({ status: 'rejected', reason: { code } })
    const written = JSON.parse(JSON.stringify(definition)) as Record<string, string>
    await users.put('function', 'f', { definition: written })
    expect(users.problems()).toMatchObject([{ record: 'function/f', code }])
    expect(users.functions()).toEqual([])
  })
})

it('an application’s function has no name of theirs', async () => {
  const users = (await openTestNode()).namespace('users')
  expect(codeOf(() => users.on({ name: 'function/x' }, () => {}))).toBe('RZ_FUNCTION_INVALID')
})

/** A rule that takes gas by the power of its depth. */
function spin(depth: number): never {
  const list = Array.from({ length: 16 }, (_, index) => index)
  return (depth === 0 ? { '+': [1, 1] } : { map: [list, spin(depth - 1)] }) as never
}
