/**
 * A node in a process of its own, driven over IPC by `process-node.ts`: each message is a command's name with its arguments,
 * each answer its result or its failure. The process ends with its parent, and closes cleanly on SIGINT.
 */
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { encode } from '../../src/delta/cbor.ts'
import {
  type ContextInput,
  type Delivery,
  type Delta,
  type NodeOptions,
  openNode,
  type Pointer,
  type PropertyInput,
  type PutOptions,
  type QueryJson,
  type ResolverInput,
  type SubscribeOptions,
  type RhizomeNode,
  RhizomeError,
  toJson,
  type Value,
  type ViewOptions,
} from '../../src/index.ts'
import { sharedMs } from './shared-clock.ts'

/** What a node holds, as text that is equal where the node's contents are. */
export interface Contents {
  readonly deltas: number
  readonly blocks: number
  readonly logs: number
  /** Over the ids of all deltas. */
  readonly deltasHash: string
  /** Over the lossless views of all entities. */
  readonly viewsHash: string
}

/** A delta as it was handed out: the entity that its first pointer is at, and when, by the clock that all processes share. */
export interface Handed {
  readonly id: string
  readonly entity: string
  readonly atMs: number
}

const TOPIC = 'users'
let node: RhizomeNode | undefined
const handed = new Map<Delivery, Handed[]>()
const told: (readonly [string, Readonly<Record<string, unknown>> | undefined])[] = []

const commands = {
  async open(options: Omit<NodeOptions, 'topics' | 'signal'> & Partial<Pick<NodeOptions, 'topics'>>) {
    const startedMs = performance.now()
    node = await openNode({ topics: [TOPIC], ...options })
    node.onEvent((event) => send({ event }))
    return { peerId: node.peerId, addresses: node.addresses(), readyMs: performance.now() - startedMs }
  },
  put: (collection: string, id: string, properties: Readonly<Record<string, PropertyInput>>, options?: PutOptions) =>
    users().put(collection, id, properties, options),
  /** What is handed out is kept, to be asked for by `handed`. */
  subscribe: (options: Omit<SubscribeOptions, 'filter' | 'signal'>) => {
    const all: Handed[] = []
    handed.set(options.delivery, all)
    users().subscribe(options, (delta) => {
      all.push({ id: delta.id, entity: entityOf(delta), atMs: sharedMs() })
    })
  },
  handed: (delivery: Delivery) => handed.get(delivery) ?? [],
  /** From now on each record of `question` that causal delivery hands out here is answered at once by one of `answer`. */
  answerQuestions(name: string) {
    users().subscribe({ delivery: 'causal', name: 'answers' }, async (delta) => {
      const entity = entityOf(delta)
      if (!entity.startsWith('question/')) return
      await users().put('answer', `${name}-${entity.slice('question/'.length)}`, { to: entity })
    })
  },
  members: () => users().members(),
  /** `count` records of one block each, one after the other; answers the ids of the deltas. */
  async putMany(prefix: string, count: number, value: string) {
    const ids: string[] = []
    for (let index = 0; index < count; index++) {
      const written = await users().put('user', `${prefix}${index}`, { value })
      ids.push(...written.deltas)
    }
    return ids
  },
  get: (collection: string, id: string) => users().get(collection, id)?.properties,
  delete: (collection: string, id: string) => users().delete(collection, id),
  ids: (collection: string) => users().ids(collection, { countMax: 10_000 }),
  counts: () => users().counts(),
  status: () => users().status(),
  waitForSync: () => users().waitForSync({ signal: AbortSignal.timeout(60_000) }),
  peers: () => open().peers(),
  addresses: () => open().addresses(),
  lossless: (entity: string) => losslessText(entity),
  /** Those of the given deltas that this node does not hold. */
  missing: (deltas: readonly string[]) => deltas.filter((id) => users().delta(id) === undefined),
  contents,
  append: (pointers: readonly Pointer[]) => users().append(pointers),
  resolver: (id: string, definition: ResolverInput) => users().resolver(id, definition),
  context: (id: string, definition: ContextInput) => users().context(id, definition),
  frontier: () => users().frontier(),
  /** Every lossless and every lossy view, each as its canonical bytes. */
  viewBytes: (options: ViewOptions) =>
    [users().losslessAll(options), users().viewAll(options)].flatMap((views) =>
      [...views].map((view) => encode(view as unknown as Value)),
    ),
  /** Of the latest delta that is admitted, in milliseconds. */
  async newestMs() {
    let newestMs = 0
    for await (const { delta } of users().deltas({ live: false })) newestMs = Math.max(newestMs, delta.time.ms)
    return newestMs
  },
  /** Memory that is in use after a collection: heap, buffers, and what native code holds for them. */
  heldBytes() {
    setFlagsFromString('--expose-gc')
    ;(runInNewContext('gc') as () => void)()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  nowMs: () => Date.now(),
  everyPut: (
    collection: string,
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
    options?: PutOptions,
  ) => everywhere().put(collection, id, properties, options),
  everyGet: async (collection: string, id: string) => everywhere().get(collection, id),
  everyIds: async (collection: string) => everywhere().ids(collection, { countMax: 10_000 }),
  everyQuery: async (query: QueryJson) => everywhere().query(query),
  /** Watches from now on; `everyTold` says which records were told, with their properties. */
  everyWatch: async (collection: string) => {
    const views = everywhere().watch(collection)
    await views.begin()
    void (async () => {
      for await (const { id, view } of views) told.push([id, view?.properties])
    })()
  },
  everyTold: () => told,
  shards: () => open().shards(),
  hold: (shard: string) => open().hold(shard),
  drop: (shard: string) => open().drop(shard),
  close: () => open().close(),
}

export type Commands = typeof commands

/** Its first topic, wherever that is held. */
function everywhere() {
  return open().everywhere(open().namespaces()[0]?.name ?? TOPIC)
}

async function contents(): Promise<Contents> {
  const ids: string[] = []
  const entities = new Set<string>()
  for await (const { delta } of users().deltas({ live: false })) {
    ids.push(delta.id)
    for (const pointer of delta.pointers) {
      if ('targetContext' in pointer && typeof pointer.target === 'string') entities.add(pointer.target)
    }
  }
  const standing = ids.filter((id) => users().delta(id) !== undefined)
  const views = [...entities].toSorted().map(losslessText)
  return { ...users().counts(), deltasHash: hash(standing.toSorted()), viewsHash: hash(views) }
}

function entityOf({ pointers: [first] }: Delta): string {
  return typeof first?.target === 'string' ? first.target : ''
}

function losslessText(entity: string): string {
  const view = users().lossless(entity)
  return view === undefined ? '' : JSON.stringify(toJsonDeep(view))
}

/** Byte strings in values become JSON as they do at every other border. */
function toJsonDeep(value: unknown): unknown {
  if (value instanceof Uint8Array) return toJson(value)
  if (Array.isArray(value)) return value.map(toJsonDeep)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJsonDeep(each)]))
}

function hash(lines: readonly string[]): string {
  const sum = createHash('sha256')
  for (const line of lines) sum.update(line).update('\n')
  return sum.digest('hex')
}

function open(): RhizomeNode {
  if (node === undefined) throw new Error('the first command is open')
  return node
}

function users() {
  return open().namespace(TOPIC)
}

function send(message: unknown): void {
  if (process.connected) process.send?.(message)
}

interface Call {
  readonly call: number
  readonly command: keyof Commands
  readonly args: readonly unknown[]
}

async function answer({ call, command, args }: Call): Promise<void> {
  try {
    const run = commands[command] as (...given: readonly unknown[]) => unknown
    send({ call, result: await run(...args) })
  } catch (error) {
    const code = error instanceof RhizomeError ? error.code : undefined
    send({ call, failure: { code, message: error instanceof Error ? error.message : String(error) } })
  }
}

process.on('message', (message) => void answer(message as Call))
process.once('disconnect', () => {
  // The parent is gone: nobody is left to tell.
  process.kill(process.pid, 'SIGKILL')
})
process.once('SIGINT', () => {
  void Promise.resolve(node?.close()).then(() => process.disconnect())
  process.removeAllListeners('disconnect')
})
