import { afterEach, expect, it } from 'vitest'
import type { PeerId } from '../../src/delta/delta.ts'
import { openLibp2pNet } from '../../src/net/libp2p.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { openReplication, type Replication } from '../../src/sync/replication.ts'
import { claim, logId, logOf, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../support/blocks.ts'
import { until } from '../support/nodes.ts'

const DEADLINE_MS = 15_000
const opened = new AsyncDisposableStack()
afterEach(() => opened.disposeAsync())

async function open(
  number: number,
  peers: readonly string[],
): Promise<{ store: Store; replication: Replication; address: string }> {
  const store = opened.use(openMemoryStore())
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const privateKey = new Uint8Array(32).fill(number)
  const net = await openLibp2pNet({ identity: { privateKey }, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, peers })
  opened.use(net)
  const replication = openReplication({
    store,
    net,
    name: `node ${number}`,
    nowMs: Date.now,
    random: Math.random,
    schedule: (delayMs, run) => {
      const timer = setTimeout(run, delayMs)
      return () => clearTimeout(timer)
    },
  })
  opened.use(replication)
  replication.attach(NAMESPACE, NAMESPACE_NAME)
  return { store, replication, address: net.addresses()[0] ?? '' }
}

it('two nodes on real streams hold the same: what was there before, what is written now, and what gossip cannot carry', async () => {
  const a = await open(1, [])
  const history = logOf(3_000, { signer: signer(7), deltas: 3 })
  for (let seq = 0; seq < 3_000; seq += 500) a.store.commit(runOf(...history.blocks.slice(seq, seq + 500)))
  const b = await open(2, [a.address])
  const mine = logOf(5, { signer: signer(8), logId: logId(8) })
  b.store.commit(mine.run())

  const signal = AbortSignal.timeout(DEADLINE_MS)
  for (const { replication } of [a, b])
    expect(await replication.waitForSync(NAMESPACE, { signal })).toMatchObject({ kind: 'in-sync' })
  expect(b.store.frontier(NAMESPACE)).toEqual(a.store.frontier(NAMESPACE))
  expect(b.store.counts(NAMESPACE).blocks).toBe(3_005)

  const [peer] = b.replication.peers(NAMESPACE)
  if (peer === undefined) throw new Error('there is a peer')
  const written = new TestLog({ signer: signer(10), host: peer.peer as PeerId })
  a.store.commit(written.write())
  a.store.commit(written.write([claim('large', 'x', 'bytes', new Uint8Array(400_000))]))
  a.store.commit(written.write())
  await until('it is there', () => b.store.logState(NAMESPACE, written.key)?.seq === 2, DEADLINE_MS)
  expect(b.store.frontier(NAMESPACE)).toEqual(a.store.frontier(NAMESPACE))
}, 30_000)
