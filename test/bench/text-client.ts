/** The client of the row `text`: sends lines without waiting, counts and checks the answers, tells its parent the seconds. */

import { once } from 'node:events'
import { connect } from 'node:net'

export interface TextRun {
  readonly kind: 'put' | 'get'
  readonly port: number
  readonly lines: number
  readonly keys: number
}

const CHUNK_LINES = 500

const { kind, port, lines, keys } = JSON.parse(process.argv[2] ?? '') as TextRun
const socket = connect(port, '127.0.0.1')
await once(socket, 'connect')
if (kind === 'put') {
  socket.write('CREATE bench\n')
  await once(socket, 'data')
}
const isDone = Promise.withResolvers<void>()
const wantedBytes = answersOf(0, lines).length
let bytes = 0
let tail = ''
socket.on('data', (chunk: Buffer) => {
  bytes += chunk.length
  tail = (tail + chunk.toString('latin1')).slice(-64)
  if (bytes >= wantedBytes) isDone.resolve()
})
const started = performance.now()
for (let from = 0; from < lines; from += CHUNK_LINES) {
  if (!socket.write(linesOf(from, Math.min(from + CHUNK_LINES, lines)))) await once(socket, 'drain')
}
await isDone.promise
const seconds = (performance.now() - started) / 1_000
if (bytes !== wantedBytes || !tail.endsWith(answersOf(lines - 1, lines))) throw new Error(`the answers end in ${tail}`)
socket.destroy()
process.send?.(seconds)

function linesOf(from: number, to: number): string {
  let text = ''
  for (let index = from; index < to; index++) {
    text += kind === 'put' ? `PUT bench key${index % keys} value${valueAt(index)}\n` : `GET bench key${index % keys}\n`
  }
  return text
}

/** What is read is what was written last. */
function answersOf(from: number, to: number): string {
  let text = ''
  for (let index = from; index < to; index++) text += kind === 'put' ? 'OK\r\n' : `value${valueAt(index)}\r\nOK\r\n`
  return text
}

/** The same for each writing of a key, so that the answers are known. */
function valueAt(index: number): number {
  return (index % keys) + 1_000_000
}
