/** UPnP on a router of `nat.ts`, which maps ports for real. Another machine has port 4000 outside from the beginning. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Host } from './lan.ts'

const CHILD = fileURLToPath(new URL('gateway-child.ts', import.meta.url))

/** A port outside, and the address and port inside. */
type Mapped = readonly [number, string]

export class FakeGateway implements AsyncDisposable {
  /** What it maps now. */
  mapped: readonly Mapped[] = []
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (mapped) => {
      this.mapped = mapped as Mapped[]
    })
  }

  /** Answers on the router's address `inside` of the network behind it. */
  static async start(router: Host, inside: string): Promise<FakeGateway> {
    const [program, ...args] = [...router.enter, process.execPath, CHILD, inside, router.address]
    const child = spawn(program ?? '', args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const gateway = new FakeGateway(child)
    await once(child, 'message')
    return gateway
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}
