/**
 * A node in a process of its own, as tests see it: its commands, its events, and its end. `node-child.ts` runs inside.
 * Whatever is told to write through it is remembered once acknowledged: that must never be lost.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { NodeEvent, NodeOptions } from '../../src/index.ts'
import type { Commands } from './node-child.ts'

const CHILD = fileURLToPath(new URL('node-child.ts', import.meta.url))
/** Long enough for a loaded machine; a node that needs longer to start or end has failed. */
const LIFE_MS = 60_000

export interface ProcessNodeOptions {
  /** Shown in failures, and the node's own name. */
  readonly name: string
  readonly node: Omit<NodeOptions, 'topics' | 'signal' | 'name'> & Partial<Pick<NodeOptions, 'topics'>>
  /** Command words to start it with: `host.enter` of a LAN. */
  readonly enter?: readonly string[]
  /** Modules to run before anything else in the process. */
  readonly preload?: readonly string[]
}

type Answer<Name extends keyof Commands> = Awaited<ReturnType<Commands[Name]>>

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

interface Message {
  readonly call?: number
  readonly result?: unknown
  readonly failure?: { readonly code?: string; readonly message: string }
  readonly event?: NodeEvent
}

/** A command failed inside the process; `code` is that of the RhizomeError. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.code = code
  }
}

export class ProcessNode implements AsyncDisposable {
  readonly name: string
  readonly events: NodeEvent[] = []
  /** Deltas whose writing was acknowledged. */
  readonly acknowledged: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #pending = new Map<number, Pending>()
  #calls = 0
  #errors = ''
  #opened: Answer<'open'> | undefined

  private constructor({ name, enter = [], preload = [] }: ProcessNodeOptions) {
    this.name = name
    const imports = preload.flatMap((module) => ['--import', module])
    const [program, ...args] = [...enter, process.execPath, ...imports, CHILD]
    this.#child = spawn(program ?? '', args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' })
    this.#child.on('message', (message) => this.#receive(message as Message))
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-8_192)
    })
    this.#ended = once(this.#child, 'exit').then(() => this.#failAll())
  }

  /** Resolves once the node is ready. Throws CommandError when it cannot be opened; then the process is gone. */
  static async start(options: ProcessNodeOptions): Promise<ProcessNode> {
    const node = new ProcessNode(options)
    try {
      node.#opened = await within(`${options.name} opens`, node.run('open', { name: options.name, ...options.node }))
      return node
    } catch (error) {
      await node.kill()
      throw error
    }
  }

  get peerId(): string {
    return this.#ready.peerId
  }

  /** As they were when it started. */
  get addresses(): readonly string[] {
    return this.#ready.addresses
  }

  get #ready(): Answer<'open'> {
    if (this.#opened === undefined) throw new Error(`${this.name} is not open`)
    return this.#opened
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Runs a command of `node-child.ts` there. */
  async run<Name extends keyof Commands>(command: Name, ...args: Parameters<Commands[Name]>): Promise<Answer<Name>> {
    const call = ++this.#calls
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(call, { resolve, reject })
    this.#child.send(
      { call, command, args },
      (error) => error && reject(new CommandError(`${this.name}: ${error.message}`)),
    )
    return (await promise) as Answer<Name>
  }

  /** Writes one record of one property, and remembers it as acknowledged. */
  async put(id: string, value = 'x'): Promise<void> {
    const { deltas } = await this.run('put', 'user', id, { value })
    this.acknowledged.push(...deltas)
  }

  /** `count` records named by the prefix, in a block each. */
  async putMany(prefix: string, count: number, value = 'x'): Promise<void> {
    this.acknowledged.push(...(await this.run('putMany', prefix, count, value)))
  }

  /** Events of the network, of one kind. */
  networkEvents<Kind extends NetworkEvent['kind']>(kind: Kind): Extract<NetworkEvent, { kind: Kind }>[] {
    return this.events.flatMap((event) =>
      event.kind === 'network' && event.event.kind === kind
        ? [event.event as Extract<NetworkEvent, { kind: Kind }>]
        : [],
    )
  }

  /** Peer ids of those it is connected to. */
  async connected(): Promise<readonly string[]> {
    return (await this.run('peers')).filter((peer) => peer.connected).map((peer) => peer.id)
  }

  /** Ctrl-C: closes cleanly. Harmless when it has ended. */
  stop(): Promise<void> {
    return this.#end('SIGINT')
  }

  /** kill -9, of this process alone. Harmless when it has ended. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
    await within(`${this.name} ends on ${signal}`, this.#ended)
  }

  #receive({ call, result, failure, event }: Message): void {
    if (event !== undefined) this.events.push(event)
    const pending = this.#pending.get(call ?? 0)
    if (call === undefined || pending === undefined) return
    this.#pending.delete(call)
    if (failure === undefined) pending.resolve(result)
    else pending.reject(new CommandError(`${this.name}: ${failure.message}`, failure.code))
  }

  #failAll(): void {
    const { exitCode, signalCode } = this.#child
    const why = `${this.name} has ended (${signalCode ?? exitCode}). ${this.#errors}`
    for (const { reject } of this.#pending.values()) reject(new CommandError(why))
    this.#pending.clear()
  }
}

type NetworkEvent = Extract<NodeEvent, { kind: 'network' }>['event']

/** Fails with its name when the promise takes longer. */
async function within<Result>(what: string, promise: Promise<Result>, deadlineMs = LIFE_MS): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`waited ${deadlineMs} ms in vain until ${what}`)), deadlineMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
