/** A DNS server on port 53 that says what `name-server.ts` tells it over IPC: A, AAAA and TXT records, or that there is no such name. */
import { createSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import type { Records } from './name-server.ts'

const TYPES = { A: 1, TXT: 16, AAAA: 28 } as const
const NO_SUCH_NAME = 3
const HEADER_BYTES = 12

let records: Records = {}

/** The one question of a query: its name, its type, and its bytes, to be repeated in the answer. */
function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly bytes: Buffer } {
  const labels: string[] = []
  let offset = HEADER_BYTES
  for (let length = query.readUInt8(offset); length > 0; length = query.readUInt8(offset)) {
    labels.push(query.toString('latin1', offset + 1, offset + 1 + length))
    offset += length + 1
  }
  const name = labels.join('.').toLowerCase()
  return { name, type: query.readUInt16BE(offset + 1), bytes: query.subarray(HEADER_BYTES, offset + 5) }
}

function valuesOf(name: string, type: number): readonly Buffer[] {
  const { addresses = [], texts = [] } = records[name] ?? {}
  if (type === TYPES.A)
    return addresses.filter((each) => isIPv4(each)).map((each) => Buffer.from(each.split('.').map(Number)))
  if (type !== TYPES.TXT) return []
  return texts.map((text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]))
}

function answerTo(query: Buffer): Buffer {
  const { name, type, bytes } = readQuestion(query)
  const answers = valuesOf(name, type).map((value) => {
    // A pointer to the name in the question; type, class 1, no time to live, length.
    const head = Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 0, value.length >> 8, value.length & 0xff])
    return Buffer.concat([head, value])
  })
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | (name in records ? 0 : NO_SUCH_NAME), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers.length, 6)
  return Buffer.concat([header, bytes, ...answers])
}

const socket = createSocket('udp4')
socket.on('message', (query, { port, address }) => socket.send(answerTo(query), port, address))
socket.bind(53, () => process.send?.('ready'))
process.on('message', (message) => {
  records = message as Records
  process.send?.('changed')
})
