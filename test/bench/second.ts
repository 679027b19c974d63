/** The parent's half of a row between two processes: starts `second-node.ts`, hears what it tells, ends it. */

import { type ChildProcess, fork } from 'node:child_process'
import type { QueryJson } from '../../src/index.ts'

export const RAW_PROTOCOL = '/bench/raw/1'

/** What the second node is for. */
export type SecondTask =
  | { readonly kind: 'hold'; readonly folder: string; readonly peers: readonly string[]; readonly deltas: number }
  | { readonly kind: 'watch'; readonly folder: string; readonly peers: readonly string[]; readonly count: number }
  | { readonly kind: 'open'; readonly data: string; readonly entity: string }
  | { readonly kind: 'read-all'; readonly data: string; readonly entities: number }
  | { readonly kind: 'query'; readonly data: string; readonly query: QueryJson; readonly repeats: number }
  | { readonly kind: 'swallow'; readonly bytes: number }

/** Times are of `sharedMs`. */
export type Told =
  | { readonly kind: 'ready'; readonly addresses: readonly string[]; readonly atMs: number }
  | { readonly kind: 'held'; readonly atMs: number; readonly cpuSeconds: number }
  | { readonly kind: 'seen' }
  | { readonly kind: 'latencies'; readonly latenciesMs: readonly number[] }
  | { readonly kind: 'opened'; readonly tookMs: number; readonly sinceStartMs: number; readonly rssBytes: number }
  | { readonly kind: 'read'; readonly rssBytesMost: number }
  /** How long each run of the query took, the first one cold, and how many rows it had. */
  | { readonly kind: 'answered'; readonly tookMs: readonly number[]; readonly rows: number }

const WAIT_MS_MAX = 300_000

export class Second implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #heard: Told[] = []
  readonly #waiting = new Set<() => void>()
  readonly #ended: Promise<void>

  constructor(task: SecondTask) {
    this.#child = fork(new URL('second-node.ts', import.meta.url), [JSON.stringify(task)])
    this.#child.on('message', (message) => {
      this.#heard.push(message as Told)
      this.#wake()
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.on('exit', () => {
      this.#wake()
      resolve()
    })
    this.#ended = promise
  }

  /** The next message of that kind. Throws when the process ends without it, or takes too long. */
  async told<Kind extends Told['kind']>(kind: Kind): Promise<Extract<Told, { readonly kind: Kind }>> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), WAIT_MS_MAX)
    try {
      for (;;) {
        const index = this.#heard.findIndex((message) => message.kind === kind)
        if (index >= 0) return this.#heard.splice(index, 1)[0] as Extract<Told, { readonly kind: Kind }>
        if (this.#child.exitCode !== null || this.#child.signalCode !== null)
          throw new Error(`the second node ended before "${kind}"`)
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#waiting.add(resolve)
        await promise
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Lets it end by itself once it is done; ends it when it is not. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#ended
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
