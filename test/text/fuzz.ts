/**
 * `npm run fuzz [-- <inputs> <seed>]`: throws random lines at the parser, and then random bytes at a node's line protocol over a
 * real socket. Ends with 1 where something crashes, hangs, or takes more time or memory than it may.
 */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { openNode } from '../../src/index.ts'
import { openText } from '../../src/text/server.ts'
import { anyLine, fuzzOne, nearStatement } from './lines.ts'

const [inputs = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number)
const WATCH_MS = 20_000
/** Of one line, which is short: a thousand times what it takes. */
const LINE_MS_MAX = 1_000
/** What the heap may have grown by when all is done and the lines are forgotten. */
const GROWN_BYTES_MAX = 256 * 1_048_576

const started = performance.now()
const before = process.memoryUsage().heapUsed
let slowestMs = 0

fc.assert(
  fc.property(fc.oneof(anyLine, nearStatement), (line) => {
    const fromMs = performance.now()
    fuzzOne(line)
    const tookMs = performance.now() - fromMs
    slowestMs = Math.max(slowestMs, tookMs)
    if (tookMs > LINE_MS_MAX) throw new Error(`it takes ${tookMs} ms`)
  }),
  { numRuns: inputs, seed },
)
say(`${inputs} lines parsed, the slowest in ${slowestMs.toFixed(1)} ms (seed ${seed})`)

await using node = await openNode({ topics: ['fuzz'], memory: true, network: false })
await using face = await openText(node, { port: 0, onError: fail })
let sent = 0
let connections = 0
for (const batch of batches(Math.ceil(inputs / 10), 100)) {
  const socket = connect(face.port, '127.0.0.1')
  await once(socket, 'connect')
  connections++
  socket.on('error', () => undefined)
  const ended = drained(socket)
  socket.end(Buffer.concat(batch.map((line) => Buffer.concat([line, Buffer.from('\n')]))))
  await within(ended, 'its answers')
  sent += batch.length
}
const good = connect(face.port, '127.0.0.1')
good.end('CREATE s\nPUT s k v\nGET s k\nQUIT\n')
const told = await within(drained(good), 'a last answer')
if (told !== 'OK\r\nOK\r\nv\r\nOK\r\nOK\r\n') fail(`after all that it answers ${JSON.stringify(told)}`)
say(`${sent} lines of random bytes over ${connections} connections`)

globalThis.gc?.()
const grown = process.memoryUsage().heapUsed - before
if (grown > GROWN_BYTES_MAX) fail(`the heap has grown by ${grown} bytes`)
say(
  `done in ${((performance.now() - started) / 1_000).toFixed(1)} s; the heap has grown by ${(grown / 1_048_576).toFixed(0)} MiB`,
)

function* batches(count: number, size: number): Generator<readonly Buffer[]> {
  // Whoever watches would wait for ever, and a QUIT would spare the rest.
  const line = fc
    .oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      nearStatement.map((text) => Buffer.from(text)),
      fc
        .constantFrom('CREATE s', 'PUT s k v', 'GET s k', 'KEYS s', 'DELETE s k', 'BUCKETS', 'select from s')
        .map((text) => Buffer.from(text)),
    )
    .filter((bytes) => !/WATCH|QUIT/.test(bytes.toString('latin1')))
  const lines = fc.sample(line, { numRuns: count, seed })
  for (let start = 0; start < lines.length; start += size) yield lines.slice(start, start + size)
}

async function drained(socket: Socket): Promise<string> {
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
  await once(socket, 'close')
  return heard
}

async function within<What>(what: Promise<What>, said: string): Promise<What> {
  const timer = setTimeout(() => fail(`waited in vain for ${said}`), WATCH_MS)
  try {
    return await what
  } finally {
    clearTimeout(timer)
  }
}

function fail(why: unknown): never {
  process.stderr.write(`${String(why)} (seed ${seed})\n`)
  process.exit(1)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
