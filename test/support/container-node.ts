/**
 * A node in a container, as tests see it: what it holds, by its HTTP API at its address on the bridge, and what befalls it, by
 * docker and in its network namespace. Whatever is written through it is remembered once acknowledged: that must never be lost.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { call, docker } from './docker.ts'

/** What the nodes of all tests ask for. */
export const TOKEN = 'rz_of-the-tests-with-containers'

/** What is asked of a loaded machine of two cores; the numbers of design.md 7 are printed. */
const DEADLINE_MS = 180_000
/** Between two looks: asking takes from what the nodes need, and a call of docker is a process. */
const LOOK_MS = 250
const ANSWER_MS = 60_000
const NAMESPACE = '/api/ns/users'

interface Inspected {
  readonly Name: string
  readonly State: { readonly Pid: number; readonly Running: boolean }
  readonly Config: { readonly Labels: Readonly<Record<string, string>> }
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string; readonly Gateway: string }>>
  }
}

/** What a node holds, as text that is equal where its contents are. */
export interface Held {
  readonly frontier: string
  /** Every lossless view, and every lossy one, as the API sends them. */
  readonly views: string
}

export interface Peer {
  readonly id: string
  readonly self: boolean
  readonly connected: boolean
}

export class ContainerNode {
  readonly id: string
  /** Values of records by their ids, whose writing was acknowledged. */
  readonly acknowledged = new Map<string, string>()
  #inspected: Inspected

  private constructor(id: string, inspected: Inspected) {
    this.id = id
    this.#inspected = inspected
  }

  static async of(id: string): Promise<ContainerNode> {
    return new ContainerNode(id, await inspect(id))
  }

  get name(): string {
    return this.#inspected.Name.slice(1)
  }

  /** From 1, as compose counts. */
  get number(): number {
    return Number(this.#inspected.Config.Labels['com.docker.compose.container-number'] ?? 0)
  }

  /** On the bridge. */
  get address(): string {
    return Object.values(this.#inspected.NetworkSettings.Networks)[0]?.IPAddress ?? ''
  }

  get #gateway(): string {
    return Object.values(this.#inspected.NetworkSettings.Networks)[0]?.Gateway ?? ''
  }

  /** Waits until it answers; after a start as well, which may have given it another address. */
  async ready(): Promise<this> {
    this.#inspected = await inspect(this.id)
    await eventually(`${this.name} is ready`, async () => {
      const { Running } = (await inspect(this.id)).State
      if (!Running) throw new Error(`${this.name} has ended: ${await this.logs()}`)
      const answer = await fetch(`http://${this.address}:3000/health/ready`, {
        signal: AbortSignal.timeout(ANSWER_MS),
      }).catch(() => undefined)
      return answer?.status === 200
    })
    return this
  }

  async peerId(): Promise<string> {
    return (await this.#get<{ peerId: string }>('/api/status')).peerId
  }

  async peers(): Promise<readonly Peer[]> {
    return (await this.#get<readonly Peer[]>('/api/peers')).filter(({ self }) => !self)
  }

  /** Where it stands, in the words of its API: `alone`, `in-sync` … */
  async standing(): Promise<string> {
    return (await this.#get<{ sync: { kind: string } }>(`${NAMESPACE}/status`)).sync.kind
  }

  /** Writes one record of one property, and remembers it as acknowledged. */
  async put(id: string, value = 'x'): Promise<void> {
    await this.#ask('PUT', `${NAMESPACE}/collections/user/entities/${id}`, { properties: { value } })
    this.acknowledged.set(id, value)
  }

  /** `count` records named by the prefix, one after the other. */
  async putMany(prefix: string, count: number, value = 'x'): Promise<void> {
    for (let index = 0; index < count; index++) await this.put(`${prefix}${index}`, value)
  }

  async frontier(): Promise<string> {
    return (await this.#get<{ frontier: string }>(`${NAMESPACE}/frontier`)).frontier
  }

  async held(): Promise<Held> {
    const frontier = await this.frontier()
    const views = await Promise.all([this.#lines('lossless'), this.#lines('entities')])
    return { frontier, views: views.join('\n') }
  }

  /** Values of the records of `user` by their ids. */
  async values(): Promise<ReadonlyMap<string, unknown>> {
    const lines = (await this.#lines('entities')).split('\n').filter((line) => line !== '')
    const views = lines.map((line) => JSON.parse(line) as { id: string; properties: { value?: unknown } })
    return new Map(views.map(({ id, properties }) => [id.replace(/^user\//, ''), properties.value]))
  }

  /** Of docker, upon this container. */
  async act(verb: 'kill' | 'start' | 'restart' | 'pause' | 'unpause'): Promise<void> {
    await docker(verb, this.id)
  }

  /** As an operator does it; answers the exit code. */
  async stop(): Promise<number> {
    await docker('stop', '--time', '10', this.id)
    return Number(await docker('inspect', '--format', '{{.State.ExitCode}}', this.id))
  }

  /** A command inside, to its end. */
  exec(...words: readonly string[]): Promise<string> {
    return docker('exec', this.id, ...words)
  }

  async logs(): Promise<string> {
    return call('sh', ['-c', 'exec docker logs --tail 30 "$0" 2>&1', this.id])
  }

  /** Nothing from these comes in any more, multicast included; nobody is told. */
  async deafTo(others: readonly ContainerNode[]): Promise<void> {
    for (const { address } of others) await this.#filter('-A', 'INPUT', '-s', address, '-j', 'DROP')
  }

  /** This share of what comes in and goes out is lost, but for what the test asks: that comes from the bridge's own address. */
  async lose(share: number): Promise<void> {
    const chance = ['-m', 'statistic', '--mode', 'random', '--probability', String(share), '-j', 'DROP']
    await this.#filter('-A', 'INPUT', '!', '--source', this.#gateway, ...chance)
    await this.#filter('-A', 'OUTPUT', '!', '--destination', this.#gateway, ...chance)
  }

  /** What it sends goes out at this rate. */
  async slow(kilobits: number): Promise<void> {
    const rate = ['rate', `${kilobits}kbit`, 'burst', '4kb', 'latency', '400ms']
    await this.#inside('tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', ...rate)
  }

  /** Ends what `slow` does. */
  async unslow(): Promise<void> {
    await this.#inside('tc', 'qdisc', 'del', 'dev', 'eth0', 'root')
  }

  /** Ends what `deafTo` and `lose` do. */
  async heal(): Promise<void> {
    await this.#filter('-F')
  }

  /** Memory of the node's process that is in RAM; docker-init is not counted. */
  async residentBytes(): Promise<number> {
    const { Pid } = this.#inspected.State
    const child = (await readFile(`/proc/${Pid}/task/${Pid}/children`, 'utf8')).trim()
    const status = await readFile(`/proc/${child}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024
  }

  async #filter(...words: readonly string[]): Promise<void> {
    await this.#inside('iptables', '-w', ...words)
  }

  /** A program of the machine in the network namespace of the container. */
  async #inside(program: string, ...words: readonly string[]): Promise<void> {
    await call('nsenter', ['--target', String(this.#inspected.State.Pid), '--net', program, ...words])
  }

  async #lines(list: 'lossless' | 'entities'): Promise<string> {
    return (await this.#ask('GET', `${NAMESPACE}/${list}`)).text()
  }

  async #get<Answer>(path: string): Promise<Answer> {
    return (await (await this.#ask('GET', path)).json()) as Answer
  }

  async #ask(method: string, path: string, body?: object): Promise<Response> {
    const answer = await fetch(`http://${this.address}:3000${path}`, {
      method,
      headers: {
        accept: path.endsWith('/lossless') || path.endsWith('/entities') ? 'application/x-ndjson' : 'application/json',
        authorization: `Bearer ${TOKEN}`,
        // One that idles may be closed by the node in the very moment in which it is used again.
        connection: 'close',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok)
      throw new Error(`${this.name} answers ${answer.status} to ${method} ${path}: ${await answer.text()}`)
    return answer
  }
}

/** Resolves once `holds` answers something other than undefined or false; looks again and again, under a deadline. */
export async function eventually<Answer>(
  what: string,
  holds: () => Answer | undefined | false | Promise<Answer | undefined | false>,
): Promise<Answer> {
  const end = Date.now() + DEADLINE_MS
  for (;;) {
    const answer = await holds()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`waited ${DEADLINE_MS} ms in vain until ${what}`)
    await sleep(LOOK_MS)
  }
}

async function inspect(id: string): Promise<Inspected> {
  const [inspected] = JSON.parse(await docker('inspect', id)) as readonly Inspected[]
  if (inspected === undefined) throw new Error(`there is no container ${id}`)
  return inspected
}
