/**
 * A link that is far: a TCP proxy in a process of its own, on a host of the LAN, that hands on every byte later and unevenly, and
 * in order. The kernel's own tool for that is not everywhere. It runs as `node delaying-proxy.ts <to> <port> <delayMs> <jitterMs>`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Host } from './lan.ts'

export interface FarLink {
  readonly to: string
  readonly port: number
  /** Each way, milliseconds: between `delayMs` and `delayMs + jitterMs`. */
  readonly delayMs: number
  readonly jitterMs: number
}

/** Runs on `host`; nodes there reach the other end at `127.0.0.1:<port>`. */
export class DelayingProxy implements Disposable {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(host: Host, { to, port, delayMs, jitterMs }: FarLink): Promise<DelayingProxy> {
    const [program = '', ...enter] = host.enter
    const file = fileURLToPath(import.meta.url)
    const words = [process.execPath, file, to, port, delayMs, jitterMs].map(String)
    const child = spawn(program, [...enter, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
    const [listening] = (await once(child.stdout, 'data')) as [Buffer]
    return new DelayingProxy(child, Number(listening.toString()))
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}

/** Bytes under way in one direction; past it the sender waits. */
const UNDER_WAY_BYTES_MAX = 4_194_304

function handOn(from: Socket, to: Socket, delayMs: number, jitterMs: number): void {
  let underWay = 0
  let lastMs = 0
  /** Never before what came before it: a stream stays in order. */
  const later = (deliver: () => void): void => {
    lastMs = Math.max(lastMs, performance.now() + delayMs + Math.random() * jitterMs)
    setTimeout(deliver, lastMs - performance.now())
  }
  from.on('data', (chunk: Buffer) => {
    underWay += chunk.length
    if (underWay > UNDER_WAY_BYTES_MAX) from.pause()
    later(() => {
      to.write(chunk)
      underWay -= chunk.length
      if (from.isPaused()) from.resume()
    })
  })
  from.on('end', () => later(() => to.end()))
  from.on('error', () => to.destroy())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [to = '', port = '', delayMs = '', jitterMs = ''] = process.argv.slice(2)
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: to, port: Number(port), allowHalfOpen: true })
    handOn(near, far, Number(delayMs), Number(jitterMs))
    handOn(far, near, Number(delayMs), Number(jitterMs))
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object') process.stdout.write(`${address?.port}`)
  })
  process.stdin.resume().once('end', () => process.exit())
}
