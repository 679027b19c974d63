/** Two nodes in two processes, over libp2p on loopback: how much goes over while it is written, and how fast one write does. */

import { setTimeout as after } from 'node:timers/promises'
import { openLibp2pNet } from '../../../src/net/libp2p.ts'
import { sharedMs } from '../../support/shared-clock.ts'
import { type Figure, percentile, type Row, rowOf, rowOfFigures } from '../measure.ts'
import { type Bench, fewer, inFolder, type Scale, sized } from '../row.ts'
import { RAW_PROTOCOL, Second } from '../second.ts'
import { benchNamespace, openOnLoopback, putGathered, RECORD_DELTAS } from '../workload.ts'

export const live: Bench = {
  name: 'live',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const records = sized(scale, 60_000, 300)
    const runs = fewer(scale, 3)
    const row = await rowOf(
      {
        what: 'live replication, gathered',
        unit: 'deltas/s',
        atLeast: 30_000,
        runs,
        rawWhat: 'a raw libp2p stream of as many bytes',
      },
      () => inFolder((folder) => replicate(folder, records, sized(scale, 128, 2) * 1_048_576)),
    )
    return [row]
  },
}

export const latency: Bench = {
  name: 'latency',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const writes = sized(scale, 1_000, 20)
    const runs: number[][] = []
    for (let run = 0; run < scale.runs; run++) runs.push(await inFolder((folder) => latenciesOf(folder, writes)))
    const row = (share: number, atMost: number): Row =>
      rowOfFigures(
        { what: `one write seen on the other node, p${share * 100}`, unit: 'ms', atMost, runs: scale.runs },
        runs.map((latencies) => ({ value: percentile(latencies, share) })),
      )
    return [row(0.5, 3), row(0.99, 15)]
  },
}

async function replicate(folder: string, records: number, rawBytes: number): Promise<Figure> {
  const deltas = records * RECORD_DELTAS
  await using node = await openOnLoopback(`${folder}/a`)
  const users = benchNamespace(node)
  await using second = new Second({ kind: 'hold', folder: `${folder}/b`, peers: node.addresses(), deltas: deltas + 1 })
  await second.told('ready')
  await users.put('user', 'first', { n: 1 })
  await connected(() => node.peers().some((peer) => peer.connected && peer.state === 'in sync'))
  const startedMs = sharedMs()
  await putGathered(users, 0, records)
  const { atMs, cpuSeconds } = await second.told('held')
  const { blocks } = users.counts()
  if (deltas / blocks < 10) throw new Error(`${deltas} deltas in ${blocks} blocks are not gathered`)
  const bytesPerDelta = (await encodedBytes(users)) / deltas
  const raw = (await rawBytesPerSecond(rawBytes)) / bytesPerDelta
  return { value: (deltas * 1_000) / (atMs - startedMs), perCpuSecond: deltas / cpuSeconds, raw }
}

/** Bytes of the values and pointers as they go over the wire, from the ids of one block: what the raw stream is compared by. */
async function encodedBytes(users: ReturnType<typeof benchNamespace>): Promise<number> {
  let bytes = 0
  let count = 0
  for await (const { delta } of users.deltas({ live: false })) {
    bytes += JSON.stringify(delta.pointers).length
    if (++count === 3_000) break
  }
  return (bytes / count) * users.counts().deltas
}

async function latenciesOf(folder: string, writes: number): Promise<number[]> {
  await using node = await openOnLoopback(`${folder}/a`)
  const users = benchNamespace(node)
  await using second = new Second({ kind: 'watch', folder: `${folder}/b`, peers: node.addresses(), count: writes })
  await second.told('ready')
  await connected(() => node.peers().some((peer) => peer.connected && peer.state === 'in sync'))
  for (let index = 0; index < writes; index++) {
    await users.put('user', `${index}`, { sentMs: sharedMs() })
    await second.told('seen')
    // Not in step with anything: as single writes come.
    await after(1 + (index % 7))
  }
  return [...(await second.told('latencies')).latenciesMs]
}

/** What one stream of our own network carries when nothing is done with it. */
async function rawBytesPerSecond(bytes: number): Promise<number> {
  await using second = new Second({ kind: 'swallow', bytes })
  const { addresses } = await second.told('ready')
  await using net = await openLibp2pNet({
    identity: { privateKey: new Uint8Array(32).fill(1) },
    mdns: false,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: addresses,
  })
  await connected(() => net.peers().length > 0)
  const [peer] = net.peers()
  if (peer === undefined) throw new Error('the raw peer is gone')
  const stream = await net.open(peer.id, RAW_PROTOCOL, { signal: AbortSignal.timeout(10_000) })
  const frame = new Uint8Array(65_536)
  const startedMs = sharedMs()
  for (let sent = 0; sent < bytes; sent += frame.length) await stream.send(frame)
  await stream.close()
  const { atMs } = await second.told('held')
  return (bytes * 1_000) / (atMs - startedMs)
}

async function connected(holds: () => boolean): Promise<void> {
  const end = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > end) throw new Error('the two nodes did not meet')
    await after(5)
  }
}
