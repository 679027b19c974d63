/**
 * Whether multicast DNS works here: sends the question of mDNS discovery, under this software's own service tag, on each
 * interface and on the one that the system chooses, and listens for its own copies and for answers.
 *
 * A copy of what is sent to a group comes back to every member of it on the sending machine, through the same firewall as
 * packets from elsewhere: a question that is not heard again was dropped on its way out or in. That one's own copy is heard
 * says nothing about the cable behind the interface: answers of other machines do.
 */
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { DEFAULT_SERVICE_TAG } from '../limits.ts'
import { type Interface, interfacesHere } from '../interfaces.ts'
import { parseDnsMessage, question } from './dns-message.ts'

const GROUP = '224.0.0.251'
const PORT = 5_353
/** RFC 6762, 11. */
const TTL = 255
/** Asked twice, since a datagram may be lost; a node answers at once, a busy one within the rest of the time. */
const ASK_AT_MS = [0, 1_000] as const
const LISTEN_MS = 2_500
const ANSWERS_MAX = 1_000

export interface MulticastOptions {
  /** @default '_rhizome._udp.local' */
  readonly serviceTag?: string
  /** How long is listened, in milliseconds. @default 2_500 */
  readonly listenMs?: number
  readonly signal?: AbortSignal
}

/** What became of the question on one interface. */
export interface MulticastTry {
  /** Absent: the one that the system chooses, on which nodes ask. */
  readonly interface?: Interface
  /** Why it could not be sent. */
  readonly failure?: string
  /** Its own copy came back. */
  readonly heard: boolean
}

export interface MulticastAnswer {
  /** Whence it came. */
  readonly from: string
  /** Multiaddrs with peer ids. */
  readonly addresses: readonly string[]
}

export interface MulticastReport {
  /** Why nothing could be tried at all: the port cannot be shared. */
  readonly failure?: string
  readonly tries: readonly MulticastTry[]
  /** One for each answering node. */
  readonly answers: readonly MulticastAnswer[]
}

export async function probeMulticast(options: MulticastOptions = {}): Promise<MulticastReport> {
  const { serviceTag = DEFAULT_SERVICE_TAG, listenMs = LISTEN_MS, signal } = options
  const candidates = interfacesHere().filter(({ family }) => family === 'IPv4')
  const outward = candidates.filter(({ kind }) => kind !== 'loopback')
  const interfaces = outward.length > 0 ? outward : candidates
  await using socket = await openMulticast()
  if (socket.failure !== undefined) return { failure: socket.failure, tries: [], answers: [] }
  for (const { address } of interfaces) socket.join(address)
  const asked = [undefined, ...interfaces].map((each) => ({ interface: each, id: randomInt(1, 65_536) }))
  const heard = new Set<number>()
  const answers = new Map<string, MulticastAnswer>()
  socket.listen((bytes, from) => {
    const message = parseDnsMessage(bytes)
    if (message?.name !== serviceTag) return
    if (message.kind === 'question') heard.add(message.id)
    else if (answers.size < ANSWERS_MAX)
      answers.set(`${from} ${message.addresses.join(' ')}`, { from, addresses: message.addresses })
  })
  const failures = new Map<number, string>()
  const endMs = performance.now() + listenMs
  for (const [index, delayMs] of ASK_AT_MS.entries()) {
    await setTimeout(delayMs - (ASK_AT_MS[index - 1] ?? 0), undefined, signal && { signal })
    for (const { id, interface: through } of asked) {
      const failure = await socket.send(question(id, serviceTag), through?.address)
      if (failure !== undefined) failures.set(id, failure)
    }
  }
  await setTimeout(Math.max(0, endMs - performance.now()), undefined, signal && { signal })
  const tries = asked.map(({ id, interface: through }) => {
    const failure = failures.get(id)
    return {
      ...(through === undefined ? {} : { interface: through }),
      ...(failure === undefined ? {} : { failure }),
      heard: heard.has(id),
    }
  })
  return { tries, answers: [...answers.values()] }
}

interface MulticastSocket extends AsyncDisposable {
  readonly failure?: string
  join(address: string): void
  listen(hear: (bytes: Uint8Array, from: string) => void): void
  /** Answers why it could not be sent. */
  send(bytes: Uint8Array, through: string | undefined): Promise<string | undefined>
}

/** Shares the port with every other program that speaks mDNS here, as they all do. */
async function openMulticast(): Promise<MulticastSocket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const close = () => closed(socket)
  try {
    socket.bind({ port: PORT, address: '0.0.0.0' })
    await once(socket, 'listening')
    socket.setMulticastTTL(TTL)
    socket.setMulticastLoopback(true)
  } catch (error) {
    return {
      failure: messageOf(error),
      join() {},
      listen() {},
      send: async () => undefined,
      [Symbol.asyncDispose]: close,
    }
  }
  // Failures of sending come to the sender.
  socket.on('error', () => {})
  return {
    join(address) {
      try {
        socket.addMembership(GROUP, address)
      } catch {
        // What cannot be joined is not heard, and told as such.
      }
    },
    listen: (hear) => void socket.on('message', (bytes, { address }) => hear(bytes, address)),
    async send(bytes, through = '0.0.0.0') {
      try {
        socket.setMulticastInterface(through)
        const { promise, resolve } = Promise.withResolvers<string | undefined>()
        socket.send(bytes, PORT, GROUP, (error) => resolve(error === null ? undefined : error.message))
        return await promise
      } catch (error) {
        return messageOf(error)
      }
    },
    [Symbol.asyncDispose]: close,
  }
}

async function closed(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.close(() => resolve())
  await promise
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
