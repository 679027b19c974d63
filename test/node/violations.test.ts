/** A search for violations that is told, in its midst, that all it knows is old. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Freshness } from '../../src/node/freshness.ts'
import { localContexts } from '../../src/node/local-contexts.ts'
import { Views } from '../../src/node/views.ts'
import { Violations } from '../../src/node/violations.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, TestLog } from '../support/blocks.ts'

const COUNT = 4_000

it('a search that is overtaken by more changes than are followed begins anew, and misses nothing', async () => {
  await using store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const log = new TestLog()
  const writeAll = (value: string) => {
    const claims = Array.from({ length: COUNT }, (_, index) => claim('user', `${index}`, 'n', value))
    store.commit({ blocks: [log.append(claims)] })
  }
  const definition = { collection: 'user', schema: { properties: { n: { type: 'number' } } }, semantics: 1 }
  store.commit({ blocks: [log.append([claim('schema', 'user', 'definition', definition)])] })
  writeAll('one')
  const freshness = new Freshness(store, NAMESPACE)
  const views = new Views({ store, namespace: NAMESPACE, name: NAMESPACE_NAME, contexts: localContexts(), freshness })
  const violations = new Violations(store, NAMESPACE, views)
  freshness.add(violations)
  expect((await violations.list({ countMax: 7 })).violations).toHaveLength(7)

  writeAll('two')
  let turns = 0
  let isDone = false
  const page = violations.list({ countMax: 7 }).finally(() => {
    isDone = true
  })
  for (; !isDone; turns++) {
    if (turns === 2) violations.forget()
    await turn()
  }
  expect(turns).toBeGreaterThan(2)
  expect((await page).violations).toHaveLength(7)
})
