/**
 * What is known of a cluster that runs, in a folder of its own: so a second terminal sees it, and nothing is left when the
 * folder goes. One command at a time changes it.
 *
 *   <state folder>/<project>/cluster.json      the record below
 *                            lock              who changes it now
 *                            nodes/<index>/    log, data and notes of each node
 */

import { linkSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ClusterError } from './cluster-error.ts'
import { endLife, type Life, lives, ownLife } from './life.ts'

export const BACKENDS = ['docker', 'netns', 'process'] as const
export type BackendKind = (typeof BACKENDS)[number]

export interface NodeRecord {
  /** Of the process that is the node, where it is one of this machine. */
  readonly life?: Life
  /** Ports of 127.0.0.1, kept for life, where nodes share an address. */
  readonly port?: number
  readonly httpPort?: number
  /** It was killed by the command, and is not missed. */
  readonly killed?: boolean
}

export interface ClusterRecord {
  readonly version: 1
  readonly project: string
  /** The checkout that it runs. */
  readonly checkout: string
  readonly backend: BackendKind
  readonly topic: string
  /** The start-up command of `--run`, as an absolute path. */
  readonly script?: string
  /** What the HTTP APIs ask for, where they can be reached from beyond the node's own machine. */
  readonly token?: string
  /** RHIZOME_… of whoever began it, handed to every node. */
  readonly settings: Readonly<Record<string, string>>
  readonly nodes: Readonly<Record<string, NodeRecord>>
  /** Groups that are cut off from each other and from all others; empty: none. */
  readonly groups: readonly (readonly number[])[]
  /** Holds the namespaces, where there are any. */
  readonly keeper?: { readonly life: Life; readonly hasUserNamespace: boolean; readonly lan: string }
}

const LOCK_MS = 120_000
const LOCK_POLL_MS = 100

export class State {
  readonly project: string
  readonly folder: string

  constructor(project: string, environment: NodeJS.ProcessEnv) {
    this.project = project
    this.folder = join(stateHome(environment), project)
  }

  /** Undefined: no cluster of this name. */
  read(): ClusterRecord | undefined {
    let text: string
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    const record = JSON.parse(text) as ClusterRecord
    if (record.version === 1) return record
    throw new ClusterError(`${this.#path} was written by another version: end that cluster with its own checkout first`)
  }

  /** Throws where there is no cluster. */
  get record(): ClusterRecord {
    const record = this.read()
    if (record === undefined)
      throw new ClusterError(`no cluster ${this.project} is up: begin one with npm run cluster -- up 3`)
    return record
  }

  write(record: ClusterRecord): void {
    makeFolder(this.folder)
    writeFileSync(`${this.#path}.new`, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(`${this.#path}.new`, this.#path)
  }

  update(change: Partial<ClusterRecord>): void {
    this.write({ ...this.record, ...change })
  }

  updateNode(index: number, change: Partial<NodeRecord>): void {
    const { nodes } = this.record
    this.update({ nodes: { ...nodes, [index]: { ...nodes[index], ...change } } })
  }

  /** Of one node, made if need be. */
  nodeFolder(index: number): string {
    const folder = join(this.folder, 'nodes', String(index))
    makeFolder(folder)
    return folder
  }

  logPath(index: number): string {
    return join(this.folder, 'nodes', String(index), 'log')
  }

  /** In the environment of every process of this cluster, shells of people included. */
  get marker(): readonly [name: string, value: string] {
    return ['CLUSTER_FOLDER', this.folder]
  }

  /** Ends whatever carries the marker, and forgets everything. */
  async remove(keeper: Life | undefined): Promise<void> {
    await endLife(keeper, this.marker.join('='))
    rmSync(this.folder, { recursive: true, force: true })
    removeEmpty(dirname(this.folder))
  }

  /** Until it is disposed of, no other command changes this cluster. `tell` says for whom it waits. */
  async lock(verb: string, tell: (line: string) => void): Promise<Disposable> {
    makeFolder(this.folder)
    const path = join(this.folder, 'lock')
    const deadlineMs = performance.now() + LOCK_MS
    for (let isTold = false; !tryLock(path, verb);) {
      const owner = readLock(path)
      if (owner !== undefined && !lives(owner.life)) {
        rmSync(path, { force: true })
        continue
      }
      const who = owner === undefined ? 'another command' : `${owner.verb} (process ${owner.life.pid})`
      if (performance.now() > deadlineMs)
        throw new ClusterError(`${who} is still at work on ${this.project}: try again later`)
      if (!isTold) tell(`waiting for ${who}, which is at work on ${this.project}`)
      isTold = true
      await setTimeout(LOCK_POLL_MS)
    }
    return {
      [Symbol.dispose]: () => {
        rmSync(path, { force: true })
        // Nothing came of it: then there is no folder either.
        removeEmpty(this.folder)
        removeEmpty(dirname(this.folder))
      },
    }
  }

  get #path(): string {
    return join(this.folder, 'cluster.json')
  }
}

interface Lock {
  readonly verb: string
  readonly life: Life
}

/** Written whole before it counts: a lock that can be read has an owner. */
function tryLock(path: string, verb: string): boolean {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify({ verb, life: ownLife() } satisfies Lock), { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function readLock(path: string): Lock | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Lock
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Leaves one that holds anything, another cluster above all. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** XDG's place for what outlives a command and is no document. */
function stateHome(environment: NodeJS.ProcessEnv): string {
  const given = environment['XDG_STATE_HOME']
  const home = given !== undefined && given.startsWith('/') ? given : join(homedir(), '.local', 'state')
  return join(home, 'rhizome-cluster')
}
