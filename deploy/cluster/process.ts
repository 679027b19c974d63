/**
 * Nodes as plain processes on 127.0.0.1, each with ports of its own; they find each other through a registry in the cluster's
 * folder. Needs nothing but Node. Names do not resolve here, which needs a network of one's own.
 *
 * A partition is kept by the nodes themselves: `cut.ts`, loaded before each, breaks and refuses connections to the ports it
 * is told. Nothing crosses, as with a pulled cable, but those cut off are told at once; on `netns` packets vanish in silence.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { replaceFile } from '../../src/node/whole-file.ts'
import { ClusterError } from './cluster-error.ts'
import { CUTS_FILE, type Cuts, CUTS_SEEN_FILE } from './cuts.ts'
import { lives } from './life.ts'
import type { Ground, Place } from './local.ts'
import { indexesText } from './names.ts'
import type { NodeRecord, State } from './state.ts'

const CUT = fileURLToPath(new URL('cut.ts', import.meta.url))
const FIRST_PORT = 4_000
const FIRST_HTTP_PORT = 3_000
const PORTS_TRIED_MAX = 200
const SEEN_MS = 10_000
const SEEN_POLL_MS = 20

export function processGround(state: State): Ground {
  return {
    kind: 'process',
    names: 'names do not resolve here: all nodes are on 127.0.0.1, told apart by their ports',
    hasHttp: true,
    prepare: () => Promise.resolve(),
    place: (index) => placeOf(state, index),
    partition: (groups) => partition(state, groups),
    remove: () => Promise.resolve(),
  }
}

async function placeOf(state: State, index: number): Promise<Place> {
  const { groups } = state.record
  const { port, httpPort } = await portsOf(state, index)
  // To those who run, its ports may be news.
  if (groups.length > 0) await partition(state, groups)
  else await writeCuts(state, index, groups)
  return {
    enter: [],
    settings: {
      RHIZOME_LISTEN: `127.0.0.1:${port}`,
      RHIZOME_HTTP_PORT: String(httpPort),
      RHIZOME_NO_MDNS: 'true',
      CLUSTER_CUTS: join(state.nodeFolder(index), CUTS_FILE),
    },
    imports: [CUT],
  }
}

/** Those it had, else the first free ones: others are told to cut them, so they stay. */
async function portsOf(state: State, index: number): Promise<{ readonly port: number; readonly httpPort: number }> {
  const { port, httpPort } = state.record.nodes[index] ?? {}
  if (port !== undefined && httpPort !== undefined) return { port, httpPort }
  const taken = Object.values(state.record.nodes).flatMap(portsIn)
  const found = {
    port: await freePort(FIRST_PORT + index, taken),
    httpPort: await freePort(FIRST_HTTP_PORT + index, taken),
  }
  state.updateNode(index, found)
  return found
}

async function freePort(first: number, taken: readonly number[]): Promise<number> {
  for (let port = first; port < first + PORTS_TRIED_MAX; port++) {
    if (!taken.includes(port) && (await isFree(port))) return port
  }
  throw new ClusterError(`no free port from ${first} on: end what listens there`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen({ port, host: '127.0.0.1', exclusive: true }), 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** Tells every node whom it may not reach, and waits until those that run have obeyed. */
async function partition(state: State, groups: readonly (readonly number[])[]): Promise<void> {
  const running = Object.entries(state.record.nodes).filter(([, { life }]) => life !== undefined && lives(life))
  const waiting = new Map<number, string>()
  for (const [index] of Object.entries(state.record.nodes)) {
    const version = await writeCuts(state, Number(index), groups)
    if (running.some(([each]) => each === index)) waiting.set(Number(index), version)
  }
  const deadlineMs = performance.now() + SEEN_MS
  for (;;) {
    for (const [index, version] of waiting) {
      const path = join(state.nodeFolder(index), CUTS_SEEN_FILE)
      if (existsSync(path) && readFileSync(path, 'utf8') === version) waiting.delete(index)
    }
    if (waiting.size === 0) return
    if (performance.now() > deadlineMs) {
      throw new ClusterError(
        `node ${indexesText(waiting.keys())} does not keep the partition: only nodes of rhizome-node do on plain processes; use --backend netns or docker`,
      )
    }
    await setTimeout(SEEN_POLL_MS)
  }
}

/** Answers the version, which the node writes back once it holds. */
async function writeCuts(state: State, index: number, groups: readonly (readonly number[])[]): Promise<string> {
  const others = Object.entries(state.record.nodes).filter(
    ([other]) => groupOf(Number(other), groups) !== groupOf(index, groups),
  )
  const ports = others.flatMap(([, node]) => portsIn(node))
  const cuts: Cuts = { version: crypto.randomUUID(), ports }
  rmSync(join(state.nodeFolder(index), CUTS_SEEN_FILE), { force: true })
  await replaceFile(join(state.nodeFolder(index), CUTS_FILE), JSON.stringify(cuts))
  return cuts.version
}

function groupOf(index: number, groups: readonly (readonly number[])[]): number {
  return groups.findIndex((group) => group.includes(index))
}

function portsIn({ port, httpPort }: NodeRecord): readonly number[] {
  return [port, httpPort].filter((each) => each !== undefined)
}
