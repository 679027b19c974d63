/** Functions are told what became of the deltas that they were handed. */
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Delta,
  type DeltaId,
  type FunctionOptions,
  type Namespace,
  openNode,
  type StandingChange,
} from '../../../src/index.ts'
import { POSITION_START } from '../../../src/store/store.ts'
import { openMemoryStore } from '../../../src/store/memory.ts'
import { machineEnvironment } from '../../../src/node/environment.ts'
import { Functions } from '../../../src/node/functions/functions.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../../support/blocks.ts'
import { caughtUp, said, start } from '../../support/functions.ts'
import { openTestNode, temporaryFolder, until } from '../../support/nodes.ts'

const open = async (): Promise<Namespace> => (await openTestNode()).namespace('users')

/** What a function is told, in its order: deltas by their value, changes as `kind value`. */
function listening(users: Namespace, options: Partial<FunctionOptions> = {}) {
  const told: string[] = []
  const started = start(
    users,
    { onStanding: ({ kind, delta }) => void told.push(`${kind} ${valueOf(delta)}`), ...options },
    (delta) => void told.push(valueOf(delta) ?? 'negation'),
  )
  return { told, started, settled: () => caughtUp(started) }
}

/** What a delta that `put` wrote claims, as text. */
function valueOf(delta: Delta): string | undefined {
  const value = said(delta)[2]
  return typeof value === 'number' ? value.toString() : undefined
}

const first = ({ deltas }: { readonly deltas: readonly DeltaId[] }): DeltaId => deltas[0] as DeltaId

describe('a function that asks for it', () => {
  it('is told that a delta it saw was hidden, restored, and hidden again, once each', async () => {
    const users = await open()
    const { told, settled } = listening(users)
    const claimed = first(await users.put('user', 'a', { n: 1 }))
    await settled()
    const negation = first(await users.negate(claimed))
    await users.negate(claimed)
    await settled()
    expect(told).toEqual(['1', 'negation', 'hidden 1', 'negation'])
    await users.negate(negation)
    await settled()
    expect(told.slice(4)).toEqual(['negation', 'hidden undefined'])
  })

  it('is told so of what its filter lets through alone', async () => {
    const users = await open()
    const filter = { '==': [{ var: 'pointers.0.targetContext' }, 'n'] }
    const { told, settled } = listening(users, { filter })
    const claimed = first(await users.put('user', 'a', { n: 1, m: 2 }))
    const other = (await users.put('user', 'a', { m: 3 })).deltas[0] as DeltaId
    const negation = first(await users.negate(claimed))
    await users.negate(other)
    await settled()
    const back = first(await users.negate(negation))
    await settled()
    await users.negate(back)
    await settled()
    expect(told).toEqual(['1', 'hidden 1', 'restored 1', 'hidden 1'])
  })

  it('is told of a negation that came before the delta right after the delta', async () => {
    const users = await open()
    const { deltas } = await users.transaction((transaction) => {
      const own = transaction.append([{ localContext: 'note', target: 'x', targetContext: 'notes' }])
      transaction.negate(own)
    })
    expect(deltas).toHaveLength(2)
    const told: string[] = []
    const onStanding = ({ kind }: StandingChange) => void told.push(kind)
    const started = start(users, { onStanding }, (delta) => void told.push(`handed ${delta.index}`))
    await caughtUp(started)
    expect(told).toEqual(['handed 0', 'handed 1', 'hidden'])
  })

  it('that is behind is told of each delta before it is told that it is hidden', async () => {
    const users = await open()
    const a = first(await users.put('user', 'a', { n: 1 }))
    await users.negate(a)
    await users.put('user', 'a', { n: 2 })
    const { told, settled } = listening(users)
    await settled()
    expect(told).toEqual(['1', 'hidden 1', 'negation', '2'])
  })

  it('takes back what it had emitted, and is told itself what that was', async () => {
    const users = await open()
    const filter = { '==': [{ var: 'pointers.0.localContext' }, 'order'] }
    const started = start(
      users,
      {
        filter,
        onStanding: ({ kind, delta, emitted }, emit) => {
          for (const id of emitted) emit.negate(id)
          if (kind === 'restored') emit.put('sum', 'a', { [delta.id]: said(delta)[2] as number })
        },
      },
      (delta, emit) => void emit.put('sum', 'a', { [delta.id]: said(delta)[2] as number }),
    )
    const sum = () =>
      Object.values(users.get('sum', 'a')?.properties ?? {})
        .map(Number)
        .toSorted((a, b) => a - b)
    const one = first(await users.put('order', 'one', { price: 1 }))
    await users.put('order', 'two', { price: 2 })
    await caughtUp(started)
    expect(sum()).toEqual([1, 2])
    const negation = first(await users.negate(one))
    await caughtUp(started)
    expect(sum()).toEqual([2])
    const back = first(await users.negate(negation))
    await caughtUp(started)
    expect(sum()).toEqual([1, 2])
    await users.negate(back)
    await caughtUp(started)
    expect(sum()).toEqual([2])
  })

  it('is not told again after a restart', async () => {
    const data = await temporaryFolder()
    const told: string[] = []
    const onStanding = ({ kind }: StandingChange) => void told.push(kind)
    const run = async (work: (users: Namespace) => Promise<unknown>) => {
      await using node = await openNode({ topics: ['users'], data, network: false })
      const users = node.namespace('users')
      await work(users)
      await using started = users.on({ name: 'f', onStanding }, () => {})
      await caughtUp(started)
    }
    let negation: DeltaId | undefined
    await run(async (users) => {
      negation = first(await users.negate(first(await users.put('user', 'a', { n: 1 }))))
    })
    expect(told).toEqual(['hidden'])
    await run(async () => {})
    expect(told).toEqual(['hidden'])
    await run((users) => users.negate(negation ?? ''))
    expect(told).toEqual(['hidden', 'hidden', 'restored'])
  })
})

describe('a fork', () => {
  /** Functions of a store that forks can be committed to, and that writes nothing. */
  function forking() {
    const store = openMemoryStore()
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    const closing = new AbortController()
    onTestFinished(async () => {
      closing.abort()
      await store.close()
    })
    const functions = new Functions({
      store,
      namespace: NAMESPACE,
      creator: () => signer(9).id,
      write: () => expect.unreachable('nothing is written'),
      tell: () => {},
      environment: machineEnvironment(),
      closing: closing.signal,
      awaitEnd: () => {},
    })
    const told: string[] = []
    const started = functions.start(
      { name: 'f', onStanding: ({ kind, delta }) => void told.push(`${kind} ${valueOf(delta)}`) },
      (delta) => void told.push(valueOf(delta) ?? 'negation'),
    )
    return { store, told, settled: () => caughtUp(started) }
  }

  it('that voids what was seen is told delta by delta, once though it is learnt of again and lower', async () => {
    const { store, told, settled } = forking()
    const log = new TestLog()
    for (let n = 0; n < 4; n++) log.append([claim('item', 'x', 'n', n)])
    store.commit(log.run())
    await settled()
    store.commit(runOf(log.fork(2).append([claim('item', 'x', 'n', 20)])))
    await settled()
    expect(told).toEqual(['0', '1', '2', '3', 'voided 2', 'voided 3'])
    store.commit(runOf(log.fork(1).append([claim('item', 'x', 'n', 10)])))
    await settled()
    expect(told.slice(6)).toEqual(['voided 1'])
    expect(store.changesNow({ after: POSITION_START, countMax: 9, bytesMax: 9_999 }).map(({ kind }) => kind)).toEqual([
      'committed',
      'voided',
      'voided',
    ])
  })

  it('that voids a negation restores what it had hidden', async () => {
    const { store, told, settled } = forking()
    const log = new TestLog()
    const block = log.append([claim('item', 'x', 'n', 0)])
    store.commit(log.run())
    await settled()
    const other = new TestLog({ signer: signer(2), logId: logId(2) })
    other.append([claim('item', 'y', 'n', 1)])
    other.append([[{ localContext: 'negates', target: `${block.hash}/0`, targetContext: 'negated_by' }]])
    store.commit(other.run())
    await settled()
    store.commit(runOf(other.fork(1).append([claim('item', 'y', 'n', 2)])))
    await settled()
    expect(told).toEqual(['0', '1', 'negation', 'hidden 0', expect.stringMatching(/^voided/), 'restored 0'])
  })
})

it('a function that does not ask for it is told nothing', async () => {
  const users = await open()
  const seen: unknown[] = []
  const started = start(users, {}, (delta) => void seen.push(said(delta)[2]))
  await users.negate(first(await users.put('user', 'a', { n: 1 })))
  await until('it has caught up', () => started.status().lag === 0)
  expect(seen).toEqual([1, undefined])
})
