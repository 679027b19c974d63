/**
 * The other node of a row, in a process of its own: opens as told in its arguments, does one thing, answers over IPC. Runs
 * only as a child; the parent's half is `second.ts`.
 */

import { openNode, type QueryJson } from '../../src/index.ts'
import { sharedMs } from '../support/shared-clock.ts'
import { cpuSecondsSince } from './measure.ts'
import { RAW_PROTOCOL, type SecondTask, type Told } from './second.ts'
import { benchNamespace, openOnLoopback, TOPIC } from './workload.ts'

const task = JSON.parse(process.argv[2] ?? '') as SecondTask
process.once('disconnect', () => process.exit())

switch (task.kind) {
  case 'hold':
    await hold(task.folder, task.peers, task.deltas)
    break
  case 'watch':
    await watch(task.folder, task.peers, task.count)
    break
  case 'open':
    await openAndRead(task.data, task.entity)
    break
  case 'read-all':
    await readAll(task.data, task.entities)
    break
  case 'query':
    await query(task.data, task.query, task.repeats)
    break
  case 'swallow':
    await swallow(task.bytes)
    break
}

/** Waits until so many deltas are stored and the newest can be read. */
async function hold(folder: string, peers: readonly string[], deltas: number): Promise<void> {
  const cpuBefore = process.cpuUsage()
  const startedMs = sharedMs()
  const node = await openOnLoopback(folder, peers)
  const users = benchNamespace(node)
  tell({ kind: 'ready', addresses: node.addresses(), atMs: startedMs })
  while (users.counts().deltas < deltas) await new Promise((resolve) => setTimeout(resolve, 1))
  let read = 0
  for (const entity of ['user/1', 'item/1']) if (users.entity(entity) !== undefined) read++
  if (read === 0) throw new Error('nothing can be read')
  tell({ kind: 'held', atMs: sharedMs(), cpuSeconds: cpuSecondsSince(cpuBefore) })
  await node.close()
}

/** Notes when each delta is seen: its value says when it was written. */
async function watch(folder: string, peers: readonly string[], count: number): Promise<void> {
  const node = await openOnLoopback(folder, peers)
  tell({ kind: 'ready', addresses: node.addresses(), atMs: sharedMs() })
  const latenciesMs: number[] = []
  for await (const { delta } of benchNamespace(node).deltas()) {
    const sentMs = delta.pointers.find(({ localContext }) => localContext === 'sentMs')?.target
    if (typeof sentMs !== 'number') continue
    latenciesMs.push(sharedMs() - sentMs)
    tell({ kind: 'seen' })
    if (latenciesMs.length >= count) break
  }
  tell({ kind: 'latencies', latenciesMs })
  await node.close()
}

/** From the start of this process to the first entity read, with the network up. */
async function openAndRead(data: string, entity: string): Promise<void> {
  const startedMs = performance.now()
  const node = await openNode({
    topics: [TOPIC],
    data,
    network: { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, registry: false },
  })
  if (benchNamespace(node).entity(entity) === undefined) throw new Error(`${entity} is not there`)
  tell({
    kind: 'opened',
    tookMs: performance.now() - startedMs,
    sinceStartMs: performance.now(),
    rssBytes: process.memoryUsage.rss(),
  })
  await node.close()
}

/** Every entity's views, lossy and lossless; tells the most memory that this process ever had. */
async function readAll(data: string, entities: number): Promise<void> {
  const node = await openNode({ topics: [TOPIC], data, network: false })
  const users = benchNamespace(node)
  let readCount = 0
  for await (const { properties } of users.viewAll()) if ('p0' in properties) readCount++
  for await (const { properties } of users.losslessAll()) if ('p0' in properties) readCount++
  if (readCount !== 2 * entities) throw new Error(`${readCount} views of ${entities} entities`)
  tell({ kind: 'read', rssBytesMost: process.resourceUsage().maxRSS * 1_024 })
  await node.close()
}

/** One query over and over, in a process that has opened the store and read nothing. */
async function query(data: string, json: QueryJson, repeats: number): Promise<void> {
  const node = await openNode({ topics: [TOPIC], data, network: false })
  const users = benchNamespace(node)
  const tookMs: number[] = []
  let rows = 0
  for (let repeat = 0; repeat < repeats; repeat++) {
    const startedMs = performance.now()
    rows = users.query(json).rows.length
    tookMs.push(performance.now() - startedMs)
  }
  tell({ kind: 'answered', tookMs, rows })
  await node.close()
}

/** Reads a raw stream to its end. */
async function swallow(bytes: number): Promise<void> {
  // Not before it is needed: tasks without a network measure their memory.
  const { openLibp2pNet } = await import('../../src/net/libp2p.ts')
  const net = await openLibp2pNet({
    identity: { privateKey: new Uint8Array(32).fill(2) },
    mdns: false,
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
  net.handle(RAW_PROTOCOL, async (stream) => {
    let got = 0
    for await (const frame of stream.frames()) got += frame.length
    if (got !== bytes) throw new Error(`${got} bytes of ${bytes}`)
    await stream.close()
    tell({ kind: 'held', atMs: sharedMs(), cpuSeconds: 0 })
  })
  tell({ kind: 'ready', addresses: net.addresses(), atMs: sharedMs() })
}

function tell(message: Told): void {
  process.send?.(message)
}
