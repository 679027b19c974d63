/**
 * The shell's end of the line protocol: a line goes out, the lines of its answer come in, then how it ended. Each line of an
 * answer begins with `|` and the last with `=`, so that no value can be taken for the end.
 */

import type { Socket } from 'node:net'
import { RhizomeError } from '../errors.ts'

export class Conversation implements Disposable {
  readonly #socket: Socket
  readonly #utf8 = new TextDecoder()
  /** Whole lines that came and were not read yet. */
  readonly #lines: string[] = []
  #rest = ''
  #isOver = false
  #wake = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#hear(chunk))
    socket.on('error', () => undefined)
    socket.on('end', () => this.#end())
    socket.on('close', () => this.#end())
  }

  /** True once the other side has ended it. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Sends a line, or what ends the watching of a bucket. */
  send(line: string): void {
    this.#socket.write(`${line}\n`)
  }

  /**
   * The lines of the answer to the oldest line that was sent, as they come; then, as the generator's result, its last one. Ends
   * with RZ_CLI_NO_NODE when the node goes away.
   */
  async *answer(): AsyncGenerator<string, string> {
    for (;;) {
      const line = await this.#next()
      if (line.startsWith('|')) yield line.slice(1)
      else if (line.startsWith('=')) return line.slice(1)
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #next(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) {
        if (this.#lines.length === 0) this.#socket.resume()
        return line
      }
      if (this.#isOver) {
        throw new RhizomeError('RZ_CLI_NO_NODE', 'the node went away in the middle: see whether it still runs')
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
  }

  #hear(chunk: Buffer): void {
    const [first = '', ...others] = this.#utf8.decode(chunk, { stream: true }).split('\r\n')
    // A CRLF that is cut in two ends a line all the same.
    const parts = `${this.#rest}${first}`.split('\r\n').concat(others)
    this.#rest = parts.pop() ?? ''
    this.#lines.push(...parts)
    // No faster than it is read.
    if (this.#lines.length > 0) this.#socket.pause()
    this.#wake()
  }

  #end(): void {
    this.#isOver = true
    this.#wake()
  }
}
