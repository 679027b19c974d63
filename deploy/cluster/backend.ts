/**
 * The port: what the verbs ask of a cluster, wherever its nodes run. Three implementations: `process.ts`, `netns.ts`,
 * `docker.ts`; `test/cluster/contract.ts` is the suite that each runs. `choose.ts` alone names them.
 */

import type { Ask } from '../../src/cli/control.ts'
import type { BackendKind } from './state.ts'

/**
 * `starting`: its process runs and no node answers there, or not yet. `failed`: its start-up command did, and its place stays
 * for a look. `ended`: it ended by itself. Who was never started is not told of.
 */
export type NodeState = 'up' | 'starting' | 'failed' | 'killed' | 'ended'

export interface NodeSight {
  readonly index: number
  readonly state: NodeState
  /** With `failed`: of the start-up command. */
  readonly exitCode?: number
  /** Of the HTTP API from this machine, where that is not what the node tells. */
  readonly http?: string
}

/** A command to be run before the person's eyes: it takes over terminal, signals and exit code. */
export interface Launch {
  readonly argv: readonly [string, ...string[]]
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface LogOptions {
  /** From the end; absent: all of it. */
  readonly lines?: number
  /** Goes on with what comes. */
  readonly follow?: boolean
}

export interface Backend {
  readonly kind: BackendKind
  /** What a person should know about names and addresses here, in a sentence. */
  readonly names: string
  /** Whether the HTTP APIs can be reached from this machine: at what NodeSight tells, else at what the nodes tell. */
  readonly hasHttp: boolean

  /** Builds what nodes run and makes the ground they stand on. Harmless where that is there. Throws with what the build said. */
  prepare(): Promise<void>

  /** Starts those that do not run, for the first time or again with the data they had. Does not wait until they answer. */
  start(indexes: readonly number[]): Promise<void>

  /** Ends a node as a crash does, without a word to anybody; its data stays. */
  kill(index: number): Promise<void>

  /** Whoever is in a group reaches nobody outside it, and the rest nobody in one; it holds when this resolves. None: all meet. */
  partition(groups: readonly (readonly number[])[]): Promise<void>

  /** Every node that was ever started, by index. */
  nodes(): Promise<readonly NodeSight[]>

  /** The JSON that the node's HTTP API answers. Throws where it does not answer. */
  ask<Body>(index: number, path: readonly string[], ask?: Ask): Promise<Body>

  /** A shell in the node's place, or a command there; none where its place is gone (ClusterError). */
  enter(index: number, command: readonly string[]): Promise<Launch>

  log(index: number, options: LogOptions): Promise<Launch>

  /** Ends everything and leaves nothing behind. */
  remove(): Promise<void>
}
