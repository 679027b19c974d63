/** A node with its line protocol on a port of its own, and clients over real sockets that send and read exact bytes. */

import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { NodeOptions, RhizomeNode } from '../../src/index.ts'
import type { TextOptions } from '../../src/text/options.ts'
import { openText, type TextFace } from '../../src/text/server.ts'
import { openTestNode } from '../support/nodes.ts'

export interface Served {
  readonly node: RhizomeNode
  readonly face: TextFace
  /** What the face told its operator. */
  readonly errors: readonly unknown[]
  /** A connection that is gone after the test. */
  readonly client: () => Promise<Client>
}

export async function serveText(options: Partial<TextOptions> = {}, on: Partial<NodeOptions> = {}): Promise<Served> {
  return serveNode(await openTestNode(on), options)
}

export async function serveNode(node: RhizomeNode, options: Partial<TextOptions> = {}): Promise<Served> {
  const errors: unknown[] = []
  const face = await openText(node, { port: 0, onError: (error) => errors.push(error), ...options })
  onTestFinished(() => face.close())
  return { node, face, errors, client: () => openClient(face.port) }
}

const DEADLINE_MS = 20_000

export async function openClient(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve)
  socket.once('error', reject)
  await promise
  onTestFinished(() => void socket.destroy())
  return new Client(socket)
}

export class Client {
  readonly socket: Socket
  #heard = ''
  #isEnded = false
  #wake = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1')
      this.#wake()
    })
    const end = () => {
      this.#isEnded = true
      this.#wake()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', () => undefined)
  }

  send(text: string | Buffer): void {
    this.socket.write(text)
  }

  /** Exactly so many characters of what comes, each a byte. */
  async read(count: number): Promise<string> {
    await this.#until(() => this.#heard.length >= count, `${count} bytes`)
    const read = this.#heard.slice(0, count)
    this.#heard = this.#heard.slice(count)
    return read
  }

  /** Sends, and reads as many bytes as are wanted: what they are is compared by the test. */
  async says(sent: string, wanted: string): Promise<string> {
    this.send(sent)
    return this.read(Buffer.byteLength(wanted))
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    await this.#until(() => this.#heard.includes('\r\n'), 'a line')
    const end = this.#heard.indexOf('\r\n')
    const line = this.#heard.slice(0, end)
    this.#heard = this.#heard.slice(end + 2)
    return Buffer.from(line, 'latin1').toString()
  }

  /** Sends a line; answers the lines up to the one that ends the answer, which no test has among its values. */
  async ask(line: string): Promise<readonly string[]> {
    this.send(`${line}\r\n`)
    const lines: string[] = []
    for (;;) {
      const next = await this.line()
      lines.push(next)
      if (/^(?:OK|NOT FOUND|COMMAND NOT IMPLEMENTED|ERROR RZ_.*)$/.test(next)) return lines
    }
  }

  /** All that still comes, until the other side ends. */
  async rest(): Promise<string> {
    await this.#until(() => this.#isEnded, 'the end')
    const rest = this.#heard
    this.#heard = ''
    return rest
  }

  /** What has come and was not read. */
  get unread(): string {
    return this.#heard
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const timer = setTimeout(() => this.#fail(what), DEADLINE_MS)
    try {
      while (!holds()) {
        if (this.#isEnded)
          throw new Error(`the connection ended before ${what}; it had said ${JSON.stringify(this.#heard)}`)
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        this.#wake = resolve
        this.#reject = reject
        await promise
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #reject: (error: Error) => void = () => {}

  #fail(what: string): void {
    this.#reject(new Error(`waited in vain for ${what}; it said ${JSON.stringify(this.#heard.slice(0, 500))}`))
  }
}
