/**
 * Nodes in containers of compose.yaml, a project of its own for each test, removed afterwards with its volumes. Owns what all
 * tests of containers ask: are all in sync, do all hold the same, is everything acknowledged there.
 */
import { randomBytes } from 'node:crypto'
import { ContainerNode, eventually, TOKEN } from './container-node.ts'
import { compose, docker } from './docker.ts'

export interface UpOptions {
  /** Variables of compose.yaml. */
  readonly env?: Readonly<Record<string, string>>
  /** Makes the image first, as `--build` does. */
  readonly build?: boolean
}

export class Containers implements AsyncDisposable {
  readonly project = `rhz${randomBytes(4).toString('hex')}`
  readonly #env: Readonly<Record<string, string>>
  readonly #known = new Map<string, ContainerNode>()

  private constructor(env: Readonly<Record<string, string>>) {
    this.#env = { RHIZOME_HTTP_TOKEN: TOKEN, ...env }
  }

  /** Resolves when compose has started them, before they are ready. */
  static async up(count: number, { env = {}, build = false }: UpOptions = {}): Promise<Containers> {
    const containers = new Containers(env)
    try {
      await containers.scale(count, build ? '--build' : '--no-build')
      return containers
    } catch (error) {
      await containers[Symbol.asyncDispose]()
      throw error
    }
  }

  /** In the order of compose's numbers. */
  get nodes(): readonly ContainerNode[] {
    return [...this.#known.values()].sort((a, b) => a.number - b.number)
  }

  get network(): string {
    return `${this.project}_mesh`
  }

  /** So many from now on; answers those that are new. The others go on as they are, unless a word of compose says otherwise. */
  async scale(count: number, ...words: readonly string[]): Promise<readonly ContainerNode[]> {
    await this.compose(
      'up',
      '--detach',
      ...(words.length === 0 ? ['--no-build', '--no-recreate'] : words),
      '--scale',
      `node=${count}`,
    )
    const ids = await this.#ids()
    for (const id of this.#known.keys()) if (!ids.includes(id)) this.#known.delete(id)
    const fresh = await Promise.all(ids.filter((id) => !this.#known.has(id)).map((id) => ContainerNode.of(id)))
    for (const node of fresh) this.#known.set(node.id, node)
    return fresh
  }

  async ready(): Promise<readonly ContainerNode[]> {
    return Promise.all(this.nodes.map((node) => node.ready()))
  }

  /** One more node beside those of `scale`, with variables of its own. */
  async run(env: Readonly<Record<string, string>>): Promise<ContainerNode> {
    const given = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    const printed = await this.compose('run', '--detach', ...given, 'node')
    return ContainerNode.of(printed.split('\n').at(-1) ?? '')
  }

  /** A container on the bridge that is no node, and only has an address there. */
  async stranger(): Promise<ContainerNode> {
    const words = ['--detach', '--network', this.network, '--entrypoint', 'sleep', 'rhizome-node', '600']
    return ContainerNode.of(await docker('run', '--label', `com.docker.compose.project=${this.project}`, ...words))
  }

  compose(...words: readonly string[]): Promise<string> {
    return compose(this.project, words, this.#env)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Those of `run` and `stranger` are none that every compose takes down.
    const ids = await this.#ids()
    if (ids.length > 0) {
      // Those that compose handed on to a container made anew are not removed with it.
      const volumes = await docker('inspect', '--format', '{{range .Mounts}}{{.Name}} {{end}}', ...ids)
      await docker('rm', '--force', '--volumes', ...ids)
      await docker('volume', 'rm', '--force', ...volumes.split(/\s+/).filter((name) => name !== ''))
    }
    await this.compose('down', '--volumes', '--timeout', '1')
  }

  async #ids(): Promise<readonly string[]> {
    const label = `label=com.docker.compose.project=${this.project}`
    return (await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', label))
      .split('\n')
      .filter((id) => id !== '')
  }
}

/** Waits until each says that it is in sync and is connected to at least one other. */
export async function expectInSync(nodes: readonly ContainerNode[]): Promise<void> {
  for (const node of nodes) {
    await eventually(`${node.name} is in sync`, async () => (await node.standing()) === 'in-sync')
  }
}

/** Waits until each is connected to all the others. */
export async function expectConnected(nodes: readonly ContainerNode[]): Promise<void> {
  for (const node of nodes) {
    const what = `${node.name} is connected to ${nodes.length - 1} others`
    await withLogs(nodes, () =>
      eventually(what, async () => {
        const connected = (await node.peers()).filter((peer) => peer.connected)
        return connected.length >= nodes.length - 1
      }),
    )
  }
}

/** Waits until all have the same frontier; answers how long that took, in milliseconds. */
export async function expectSameFrontier(nodes: readonly ContainerNode[]): Promise<number> {
  const startedMs = performance.now()
  await withLogs(nodes, () =>
    eventually('all nodes have the same frontier', async () => {
      const frontiers = await Promise.all(nodes.map((node) => node.frontier()))
      return new Set(frontiers).size === 1
    }),
  )
  return Math.round(performance.now() - startedMs)
}

/**
 * Waits until all have the same frontier; answers how long that took, in milliseconds. Then compares every view byte by byte,
 * and looks for everything that was ever acknowledged by `writers`, which are the nodes themselves if not told otherwise.
 */
export async function expectEqual(
  nodes: readonly ContainerNode[],
  writers: readonly ContainerNode[] = nodes,
): Promise<number> {
  const [first, ...others] = nodes
  if (first === undefined) throw new Error('there are no nodes to compare')
  const tookMs = await expectSameFrontier(nodes)
  const missing = await missingOf(first, writers)
  if (missing.length > 0) throw new Error(`${first.name} lacks acknowledged records: ${missing.join(', ')}`)
  const expected = await first.held()
  for (const node of others) {
    const held = await node.held()
    if (held.frontier !== expected.frontier) throw new Error(`${node.name} and ${first.name} differ in their frontiers`)
    if (held.views !== expected.views) throw new Error(`${node.name} and ${first.name} differ in their views`)
  }
  return tookMs
}

/** What a wait that was in vain cannot tell: what the nodes said meanwhile. */
async function withLogs<Result>(nodes: readonly ContainerNode[], wait: () => Promise<Result>): Promise<Result> {
  try {
    return await wait()
  } catch (error) {
    const logs = await Promise.all(nodes.map(async (node) => `\n--- ${node.name}\n${await node.logs()}`))
    throw new Error(`${String(error)}${logs.join('')}`, { cause: error })
  }
}

/** Ids of records that were acknowledged and are not here, or have another value. */
async function missingOf(node: ContainerNode, writers: readonly ContainerNode[]): Promise<readonly string[]> {
  const values = await node.values()
  return writers.flatMap(({ acknowledged }) =>
    [...acknowledged].flatMap(([id, value]) => (values.get(id) === value ? [] : id)),
  )
}
