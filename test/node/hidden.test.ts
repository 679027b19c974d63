/** A block with a critical extension that this release does not know is kept and forwarded, but not shown. design.md 3. */
import { expect, it } from 'vitest'
import { localContexts } from '../../src/node/local-contexts.ts'
import { NamespaceMembers } from '../../src/node/members.ts'
import { machineEnvironment } from '../../src/node/environment.ts'
import { NamespaceMessages } from '../../src/node/messages.ts'
import { Namespace } from '../../src/node/namespace.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../support/blocks.ts'

it('is passed over by whoever follows the deltas, and the blocks after it are not', async () => {
  await using store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const log = new TestLog()
  store.commit(runOf(log.append([], { header: { extensions: { '!later': 1 } } })))
  store.commit(runOf(log.append()))
  const delivery = {
    store,
    namespace: NAMESPACE,
    replication: () => undefined,
    self: { peer: signer(1).id, durability: 'memory' },
    members: undefined,
    detects: true,
    environment: machineEnvironment(),
    closing: new AbortController().signal,
  } as const
  const namespace = new Namespace(NAMESPACE_NAME, NAMESPACE, {
    store,
    writer: () => expect.unreachable('nothing is written'),
    status: () => ({ kind: 'alone' }),
    waitForSync: () => Promise.resolve({ kind: 'alone' }),
    members: new NamespaceMembers(() => undefined, NAMESPACE),
    messages: new NamespaceMessages(() => undefined, NAMESPACE),
    delivery,
    environment: delivery.environment,
    keep: true,
    signer: signer(1),
    contexts: localContexts(),
    closing: new AbortController().signal,
    tell: () => expect.unreachable('nothing happens'),
    functions: false,
    awaitEnd: () => expect.unreachable('nothing is begun'),
  })
  const seqs: number[] = []
  for await (const { delta } of namespace.deltas({ live: false })) seqs.push(delta.seq)
  expect(seqs).toEqual([1])
})
