/** A DNS server on a host of a LAN, whose records tests change, and how hosts are made to ask it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Host } from './lan.ts'

/** By name, in lower case. */
export type Records = Readonly<
  Record<string, { readonly addresses?: readonly string[]; readonly texts?: readonly string[] }>
>

const CHILD = fileURLToPath(new URL('name-server-child.ts', import.meta.url))

export class NameServer implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #configuration: string

  private constructor(child: ChildProcess, configuration: string) {
    this.#child = child
    this.#configuration = configuration
  }

  /** Listens on the host; `folder` is where the file lies that others are pointed at it with. */
  static async start(host: Host, folder: string): Promise<NameServer> {
    const configuration = join(folder, 'resolv.conf')
    await writeFile(configuration, `nameserver ${host.address}\noptions timeout:1 attempts:2\n`)
    const [program, ...args] = [...host.enter, process.execPath, CHILD]
    const child = spawn(program ?? '', args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    await once(child, 'message')
    return new NameServer(child, configuration)
  }

  /** Resolves once the next question is answered so. */
  async say(records: Records): Promise<void> {
    this.#child.send(records)
    await once(this.#child, 'message')
  }

  /** `host.enter` for a process that asks this server. */
  enter(host: Host): readonly string[] {
    const bind = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    return [...host.enter, 'unshare', '--mount', 'sh', '-c', bind, this.#configuration]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}
