/**
 * One connection: lines in, answers out, in their order, while many are being answered. Owns what is read and when.
 *
 * Lines that do not depend on each other are answered together, so that puts that come at once share a block: runs of PUT, of
 * GET, of DELETE. Whatever else comes, or follows them, waits until they are done: so every line sees what the lines before it
 * on its connection have done. Nothing is read from a client that has too much under way, or does not read its answers.
 */

import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { toJson } from '../delta/json.ts'
import { assert, RhizomeError } from '../errors.ts'
import type { RhizomeNode } from '../node/node.ts'
import type { TokenCheck } from '../node/token.ts'
import { type Answer, columnOfByte, DONE, errorLine, failed, NO_COMMAND, UNKNOWN_BUCKET } from './answer.ts'
import { bucketExists, createBucket, deleteKey, getKey, putKey } from './buckets.ts'
import { type Command, type Name, readCommand } from './command.ts'
import { compileLine } from './compile.ts'
import { HELP } from './help.ts'
import { LineSplitter } from './line-splitter.ts'
import { bucketLines, changeLines, keyLines } from './listing.ts'
import { CHUNK_CHARS_MAX, CLOSE_GRACE_MS, READ_BYTES, type TextLimits, TURN_MS } from './options.ts'
import type { Reach, Soon } from './reach.ts'
import { type Lines, perform } from './statements.ts'
import { withoutCommands } from './telnet.ts'
import type { Watches } from './watches.ts'

export interface SessionOptions {
  readonly node: RhizomeNode
  readonly socket: Socket
  readonly limits: TextLimits
  readonly watches: Watches
  /** Given, the first line must show one that it passes. */
  readonly token?: TokenCheck | undefined
  /**
   * Begins each line of an answer with `|`, and its last one with `=`: for a program, which could not tell a value that says
   * OK from the end; bytes come as JSON. The shell's form.
   */
  readonly isMarked?: boolean
  readonly onError: (error: unknown) => void
}

/** Of lines that may be answered together. */
type Run = 'put' | 'get' | 'delete'

/** A line that was read. */
interface Asked {
  readonly command: Command | { readonly kind: 'too long' }
  readonly line: Buffer
}

/** The place of an answer, which may not be there yet. */
interface Slot {
  answer: Answer | undefined
}

const END = '\r\n'
const NO_BYTES = Buffer.alloc(0)

export class Session {
  readonly #options: SessionOptions
  readonly #lines = new LineSplitter()
  readonly #closed: Promise<void>
  #reach: Reach
  #isStranger: boolean
  /** With a stranger. */
  readonly #patience: NodeJS.Timeout | undefined
  /** Read, and not begun: what it must wait for is under way. */
  #waiting: Asked | undefined
  /** The oldest first. */
  #slots: Slot[] = []
  #run: Run | undefined
  #linesUnderWay = 0
  #bytesUnderWay = 0
  /** Of answers that wait to be sent. */
  #readyChars = 0
  /** While something is answered that nothing else is answered beside. */
  #isAlone = false
  /** Ends the watching of a bucket. */
  #watching: AbortController | undefined
  /** The line that ends the watching of a bucket may be empty, and is then no line of its own. */
  #endsWatching = false
  #out = ''
  #drained: (() => void) | undefined
  /** The client has ended its side: what it has asked is answered, and no more comes. */
  #isEnded = false
  /** What is being answered is the last. */
  #isClosing = false
  #isPumping = false

  constructor(options: SessionOptions) {
    const { socket, limits, node, token } = options
    this.#options = options
    this.#isStranger = token !== undefined
    this.#reach = node.everywhere(firstTopic(node))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#closed = promise
    socket.setNoDelay(true)
    socket.setKeepAlive(true, limits.stalledMs)
    socket.setTimeout(limits.idleMs)
    // However much a stranger says meanwhile.
    if (this.#isStranger) this.#patience = setTimeout(() => this.#turnAway(), limits.strangerMs)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('drain', () => this.#drain())
    socket.on('timeout', () => this.#timeOut())
    socket.on('end', () => {
      this.#isEnded = true
      this.#pump()
    })
    // Whoever breaks off is gone: `close` follows.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(this.#patience)
      this.#isClosing = true
      this.#watching?.abort()
      this.#drained?.()
      resolve()
    })
  }

  /** Ends it: what is being answered is told, and no more is read. Resolves when the connection is gone. */
  close(): Promise<void> {
    this.#isClosing = true
    this.#watching?.abort()
    this.#pump()
    return this.#closed
  }

  // ------------------------------------------------------------------------------------------------- reading

  #take(chunk: Buffer): void {
    if (this.#isClosing) return
    this.#lines.push(this.#lines.isInside ? chunk : this.#withoutTelnet(chunk))
    this.#pump()
  }

  /** Ctrl-C ends the watching of a bucket, too. */
  #withoutTelnet(chunk: Buffer): Buffer {
    const { rest, answer } = withoutCommands(chunk)
    if (rest.length === chunk.length) return rest
    this.#watching?.abort()
    if (answer.length > 0 && this.#options.socket.writable) this.#options.socket.write(answer)
    return rest
  }

  #drain(): void {
    this.#options.socket.setTimeout(this.#options.limits.idleMs)
    this.#drained?.()
    this.#pump()
  }

  /** Begins lines for as long as nothing is in the way; called again whenever something may have gone out of it. */
  #pump(): void {
    const { socket } = this.#options
    const startMs = performance.now()
    for (let count = 1; !this.#isClosing; count++) {
      const asked = this.#waiting ?? this.#next()
      this.#waiting = asked
      if (asked === undefined) break
      this.#watching?.abort()
      if (!this.#mayBegin(asked.command)) {
        // Answers that are there make room for others.
        this.#flush()
        if (!this.#mayBegin(asked.command)) break
      }
      this.#waiting = undefined
      this.#begin(asked)
      if (this.#readyChars > CHUNK_CHARS_MAX) this.#flush()
      if ((count & 15) === 0 && performance.now() - startMs > TURN_MS) {
        // Nobody keeps the others waiting.
        this.#isPumping = true
        setImmediate(() => this.#pumpNow())
        break
      }
    }
    this.#flush()
    if (this.#isClosing || (this.#waiting === undefined && this.#lines.isEmpty)) socket.resume()
    else socket.pause()
    const isDone = this.#isClosing || (this.#isEnded && this.#waiting === undefined && this.#lines.isEmpty)
    if (isDone && !this.#isAlone && this.#slots.length === 0) this.#end()
  }

  /** Once for all answers that come in this turn. */
  #pumpSoon(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    process.nextTick(() => this.#pumpNow())
  }

  #pumpNow(): void {
    this.#isPumping = false
    this.#pump()
  }

  #next(): Asked | undefined {
    const { limits, socket } = this.#options
    if (this.#lines.isEmpty || socket.writableNeedDrain) return undefined
    const line = this.#lines.next(this.#isStranger ? limits.strangerLineBytesMax : limits.lineBytesMax)
    if (line === undefined) return undefined
    return line === 'too long'
      ? { command: { kind: 'too long' }, line: NO_BYTES }
      : { command: readCommand(line), line }
  }

  #mayBegin({ kind }: Asked['command']): boolean {
    const { pipelineMax, pipelineBytesMax } = this.#options.limits
    if (this.#isAlone || this.#slots.length >= pipelineMax || this.#bytesUnderWay >= pipelineBytesMax) return false
    if (kind === 'too long' || kind === 'blank' || kind === 'unknown') return true
    return this.#linesUnderWay === 0 || kind === this.#run
  }

  #begin({ command, line }: Asked): void {
    const isEndOfWatching = this.#endsWatching
    this.#endsWatching = false
    if (this.#isStranger && command.kind !== 'auth') {
      this.#last({ end: errorLine('RZ_TEXT_TOKEN', 1, 'the first line is AUTH <token>') })
      return
    }
    switch (command.kind) {
      case 'put': {
        const { key, value } = command
        if (command.bucket.text === undefined) return this.#say(UNKNOWN_BUCKET)
        const { text } = key
        if (text === undefined) return this.#say(notText(key, line))
        const bucket = command.bucket.text
        return this.#answer('put', line, columnOfByte.bind(undefined, line, key.at), () =>
          putKey(this.#reach, bucket, text, value),
        )
      }
      case 'get':
      case 'delete': {
        const { bucket, key, kind } = command
        const { text } = bucket
        if (text === undefined) return this.#say(UNKNOWN_BUCKET)
        const work = kind === 'get' ? getKey : deleteKey
        return this.#answer(kind, line, first, () => work(this.#reach, text, key.text))
      }
      case 'create': {
        const { bucket } = command
        const { text } = bucket
        if (text === undefined) return this.#say(notText(bucket, line))
        return this.#alone(columnOfByte.bind(undefined, line, bucket.at), () => createBucket(this.#reach, text))
      }
      case 'buckets':
        return this.#alone(first, () => this.#tell(bucketLines(this.#reach)))
      case 'keys':
        return this.#alone(first, () =>
          this.#inBucket(command.bucket, (bucket) => this.#tell(keyLines(this.#reach, bucket))),
        )
      case 'watch':
        return this.#alone(first, () => this.#inBucket(command.bucket, (bucket) => this.#watch(bucket)))
      case 'help':
        return this.#alone(first, () => this.#tell([HELP]))
      case 'statement':
        return this.#state(command.text)
      case 'auth':
        return this.#alone(first, () => this.#authenticate(command.token))
      case 'quit':
        return this.#last(DONE)
      case 'http':
        return this.#last(NO_COMMAND)
      case 'blank':
        if (!isEndOfWatching) this.#say(NO_COMMAND)
        return
      case 'unknown':
        return this.#say(NO_COMMAND)
      case 'too long':
        return this.#say(tooLong(this.#options.limits.lineBytesMax))
    }
  }

  // ----------------------------------------------------------------------------------------------- answering

  /** An answer that may be made beside others of its run. */
  #answer(run: Run, line: Buffer, column: () => number, work: () => Soon<Answer>): void {
    const slot: Slot = { answer: undefined }
    this.#slots.push(slot)
    this.#run = run
    const { onError } = this.#options
    try {
      const answer = work()
      if (!(answer instanceof Promise)) {
        slot.answer = answer
        this.#readyChars += answer.line?.length ?? 0
        return
      }
      const sizeBytes = run === 'get' ? READ_BYTES : line.length
      this.#linesUnderWay++
      this.#bytesUnderWay += sizeBytes
      const settle = (settled: Answer) => {
        slot.answer = settled
        this.#linesUnderWay--
        this.#bytesUnderWay -= sizeBytes
        this.#pumpSoon()
      }
      answer.then(settle, (error: unknown) => settle(failed(error, column(), onError)))
    } catch (error) {
      slot.answer = failed(error, column(), onError)
    }
  }

  /** An answer that is made while no other is. */
  #alone(column: (code: string) => number, work: () => Promise<Answer>): void {
    this.#isAlone = true
    this.#flush()
    const finish = (answer: Answer) => {
      this.#isAlone = false
      this.#say(answer)
      this.#pumpSoon()
    }
    const { onError } = this.#options
    work().then(finish, (error: unknown) =>
      finish(failed(error, column(error instanceof RhizomeError ? error.code : ''), onError)),
    )
  }

  /** An answer that is there. */
  #say(answer: Answer): void {
    this.#slots.push({ answer })
  }

  /** The last one. */
  #last(answer: Answer): void {
    this.#say(answer)
    this.#isClosing = true
  }

  #state(text: string): void {
    const compiled = compileLine(text)
    if (compiled.kind === 'fault') {
      this.#say({ end: errorLine(compiled.code, compiled.column, compiled.message) })
      return
    }
    const { statement, columnOf } = compiled
    this.#alone(columnOf, async () => {
      if (statement.kind !== 'use') return this.#tell(perform(statement, this.#options.node, this.#reach))
      this.#reach = this.#options.node.everywhere(statement.topic)
      return DONE
    })
  }

  async #authenticate(token: string): Promise<Answer> {
    const { token: check } = this.#options
    if (check !== undefined && !(await check(token))) {
      this.#isClosing = true
      return { end: errorLine('RZ_TEXT_TOKEN', 6, 'this is not the token: rhizome-node token makes a new one') }
    }
    this.#isStranger = false
    clearTimeout(this.#patience)
    return DONE
  }

  async #inBucket({ text }: Name, work: (bucket: string) => Promise<Answer>): Promise<Answer> {
    return text !== undefined && (await bucketExists(this.#reach, text)) ? work(text) : UNKNOWN_BUCKET
  }

  /** Lines as they are made, no faster than they are read. */
  async #tell(lines: Lines | Iterable<Iterable<string>>): Promise<Answer> {
    const { socket } = this.#options
    let sinceMs = performance.now()
    for await (const page of lines) {
      for (const line of page) {
        this.#write(line)
        if (this.#out.length < CHUNK_CHARS_MAX) continue
        await this.#send()
        if (socket.destroyed) return DONE
        if (performance.now() - sinceMs < TURN_MS) continue
        await turn()
        sinceMs = performance.now()
      }
      await this.#send()
      if (socket.destroyed) break
    }
    return DONE
  }

  /** Changes of a bucket, until another line comes or the connection goes. */
  async #watch(bucket: string): Promise<Answer> {
    const { watches, limits, socket } = this.#options
    const leave = watches.enter()
    const watching = new AbortController()
    this.#watching = watching
    let heart: NodeJS.Timeout | undefined
    try {
      if (this.#waiting !== undefined || this.#isClosing) watching.abort()
      const changes = this.#reach.watch(bucket, { signal: watching.signal })
      await changes.begin()
      this.#endsWatching = true
      heart = setInterval(() => {
        if (socket.writableLength === 0) socket.write(END)
      }, limits.heartbeatMs)
      // Whoever has read this misses no change from now on.
      socket.write(END)
      return await this.#tell(changeLines(changes))
    } finally {
      clearInterval(heart)
      leave()
      this.#watching = undefined
    }
  }

  // ------------------------------------------------------------------------------------------------- sending

  /** Sends the answers that are there, up to the first that is not. */
  #flush(): void {
    this.#readyChars = 0
    let count = 0
    for (const { answer } of this.#slots) {
      if (answer === undefined) break
      if (answer.line !== undefined) this.#write(answer.line)
      this.#out += this.#options.isMarked === true ? `=${answer.end}${END}` : `${answer.end}${END}`
      count++
    }
    if (count > 0) this.#slots = this.#slots.slice(count)
    this.#put()
  }

  #write(line: string | Buffer): void {
    const mark = this.#options.isMarked === true ? '|' : ''
    if (typeof line === 'string') {
      this.#out += `${mark}${line}${END}`
      return
    }
    if (mark !== '') {
      // A program reads texts.
      this.#out += `${mark}${JSON.stringify(toJson(line))}${END}`
      return
    }
    this.#put()
    this.#options.socket.write(line)
    this.#out = END
  }

  #put(): void {
    const { socket, limits } = this.#options
    const out = this.#out
    this.#out = ''
    if (out === '' || !socket.writable) return
    if (!socket.write(out)) socket.setTimeout(limits.stalledMs)
  }

  /** Resolves once the socket takes more, or is gone. */
  async #send(): Promise<void> {
    this.#put()
    const { socket } = this.#options
    if (!socket.writableNeedDrain || socket.destroyed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    await promise
    this.#drained = undefined
  }

  /** Silence of a client with work under way is none. */
  #timeOut(): void {
    const { socket, limits } = this.#options
    if (socket.writableLength > 0 || socket.writableEnded) {
      socket.destroy()
      return
    }
    socket.setTimeout(limits.idleMs)
    if (this.#isAlone || this.#slots.length > 0) return
    this.#last({ end: errorLine('RZ_TEXT_IDLE', 1, `nothing came within ${limits.idleMs / 1_000} s`) })
    this.#pump()
  }

  #turnAway(): void {
    if (this.#isClosing) return
    const { strangerMs } = this.#options.limits
    this.#last({ end: errorLine('RZ_TEXT_TOKEN', 1, `no token came within ${strangerMs / 1_000} s`) })
    this.#pump()
  }

  /** What the client still sends is read and dropped, so that the answer reaches it; for so long. */
  #end(): void {
    const { socket } = this.#options
    if (socket.writableEnded) return
    socket.end()
    socket.setTimeout(CLOSE_GRACE_MS)
  }
}

function first(): number {
  return 1
}

function firstTopic(node: RhizomeNode): string {
  const [namespace] = node.namespaces()
  assert(namespace !== undefined, 'a node holds a topic')
  return namespace.name
}

function notText({ at }: Name, line: Buffer): Answer {
  return {
    end: errorLine('RZ_RECORD_INVALID', columnOfByte(line, at), 'buckets and keys are UTF-8; values may be any bytes'),
  }
}

function tooLong(lineBytesMax: number): Answer {
  return { end: errorLine('RZ_TEXT_TOO_LONG', lineBytesMax + 1, `a line has at most ${lineBytesMax} bytes`) }
}
