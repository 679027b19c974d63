/**
 * Several nodes in processes of their own, on a LAN of namespaces or on loopback, with a folder that is gone afterwards.
 * Owns what all tests of clusters ask: are all connected, do all hold the same, is everything acknowledged there.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { NetworkOptions } from '../../src/index.ts'
import type { Lan } from './lan.ts'
import { until } from './nodes.ts'
import { ProcessNode, type ProcessNodeOptions } from './process-node.ts'

/** What is asked of a loaded machine of two cores; the numbers of design.md 7 are measured by the benchmarks. */
const DEADLINE_MS = 60_000

export interface StartOptions {
  /** The host of the LAN. Default: the host of the node's name. */
  readonly host?: string
  /** The folder of the data within the cluster's. Default: the node's name. */
  readonly data?: string
  readonly network?: NetworkOptions
  readonly node?: Partial<ProcessNodeOptions['node']>
  readonly preload?: readonly string[]
  /** Command words to start it with. Default: those of the host. */
  readonly enter?: readonly string[]
}

export class Cluster implements AsyncDisposable {
  readonly folder: string
  readonly #lan: Lan | undefined
  readonly #started: ProcessNode[] = []

  private constructor(folder: string, lan: Lan | undefined) {
    this.folder = folder
    this.#lan = lan
  }

  /** On the LAN, where nodes find each other by mDNS; without one on loopback, where they do by the registry in `home`. */
  static async open(lan?: Lan): Promise<Cluster> {
    return new Cluster(await mkdtemp(join(tmpdir(), 'rhizome-cluster-')), lan)
  }

  async start(name: string, options: StartOptions = {}): Promise<ProcessNode> {
    const { host = name, data = name, network, node, preload, enter = this.#lan?.host(host).enter } = options
    const place = this.#lan === undefined ? { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false } : { registry: false }
    const started = await ProcessNode.start({
      name,
      node: {
        data: this.dataOf(data),
        home: join(this.folder, 'home'),
        network: { ...place, ...network },
        ...node,
      },
      ...(enter === undefined ? {} : { enter }),
      ...(preload === undefined ? {} : { preload }),
    })
    this.#started.push(started)
    return started
  }

  startAll(...names: readonly string[]): Promise<ProcessNode[]> {
    return Promise.all(names.map((name) => this.start(name)))
  }

  dataOf(name: string): string {
    return join(this.folder, name)
  }

  /** As a person copies a directory: the node that owns it does not run. */
  copyData(from: string, to: string): Promise<void> {
    return cp(this.dataOf(from), this.dataOf(to), { recursive: true })
  }

  /** Writes the bytes of one directory into the very files of the other: no trace tells that it happened. */
  async overwriteData(from: string, to: string): Promise<void> {
    const kept = await filesIn(this.dataOf(from))
    for (const file of await filesIn(this.dataOf(to))) if (!kept.includes(file)) await rm(join(this.dataOf(to), file))
    for (const file of kept) await writeFile(join(this.dataOf(to), file), await readFile(join(this.dataOf(from), file)))
  }

  /** Every delta that any node of this cluster ever acknowledged. */
  acknowledged(): readonly string[] {
    return this.#started.flatMap((node) => node.acknowledged)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((node) => node.kill()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
}

/** As `until`, with the patience that processes on a loaded machine need. */
export function eventually<Answer>(
  what: string,
  holds: () => Answer | undefined | false | Promise<Answer | undefined | false>,
): Promise<Answer> {
  return until(what, holds, DEADLINE_MS)
}

/** Waits until each is connected to all the others; answers how long that took. */
export async function expectConnected(nodes: readonly ProcessNode[], deadlineMs = DEADLINE_MS): Promise<number> {
  const startedMs = performance.now()
  for (const node of nodes) {
    await until(
      `${node.name} is connected to ${nodes.length - 1} others`,
      async () => {
        const connected = await node.connected()
        return nodes.every((other) => other === node || connected.includes(other.peerId))
      },
      deadlineMs,
    )
  }
  return Math.round(performance.now() - startedMs)
}

/** Waits until all hold the same, and all of `deltas`; answers how long that took. Then compares every view of theirs. */
export async function expectEqual(
  nodes: readonly ProcessNode[],
  deltas: readonly string[],
  deadlineMs = DEADLINE_MS,
): Promise<number> {
  const startedMs = performance.now()
  let seen = ''
  try {
    await until(
      'all nodes hold the same',
      async () => {
        const all = await Promise.all(nodes.map((node) => node.run('counts')))
        seen = all
          .map((counts, index) => `${nodes[index]?.name}: ${counts.deltas}/${counts.blocks}/${counts.logs}`)
          .join(', ')
        if (new Set(all.map((counts) => JSON.stringify(counts))).size > 1) return false
        const contents = await Promise.all(nodes.map((node) => node.run('contents')))
        return new Set(contents.map((each) => JSON.stringify(each))).size === 1
      },
      deadlineMs,
    )
  } catch (error) {
    throw new Error(`${String(error)} (deltas/blocks/logs ${seen})`, { cause: error })
  }
  const tookMs = Math.round(performance.now() - startedMs)
  for (const node of nodes) {
    const missing = await node.run('missing', deltas)
    if (missing.length > 0)
      throw new Error(`${node.name} lacks ${missing.length} acknowledged deltas, ${missing[0]} first`)
  }
  return tookMs
}

/** A line for people who read the run: numbers that tests do not assert. */
export function report(line: string): void {
  process.stderr.write(`    ${line}\n`)
}
