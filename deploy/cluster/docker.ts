/**
 * Nodes as containers of the checkout's compose.yaml, by whichever compose is there (2, or 1.29). Container, host name and node
 * carry the promised name. A group of a partition is a network of its own: packets between groups vanish.
 *
 * Touches only what carries this cluster's label. The compose project is not called as the folder is, which is what a
 * `docker compose up` of the person's own is called.
 */

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ask } from '../../src/cli/control.ts'
import { RhizomeError } from '../../src/errors.ts'
import type { Backend, Launch, NodeSight } from './backend.ts'
import { ClusterError } from './cluster-error.ts'
import { composeFile, LIFE_INSIDE, MESH } from './compose-file.ts'
import { collect, launched } from './launch.ts'
import { nodeName } from './names.ts'
import type { State } from './state.ts'

const LABEL = 'io.rhizome.cluster'
const API_PORT = '3000/tcp'
const ASK_MS = 10_000
const LOOK_MS = 5_000
const BUILD_LINES_SHOWN = 40

export interface DockerParts {
  readonly state: State
  /** The words that call compose. */
  readonly compose: readonly [string, ...string[]]
  /** Called with a line of what takes long. */
  readonly tell: (line: string) => void
}

/** Of `docker inspect`, what is used. */
interface Container {
  readonly Id: string
  readonly Name: string
  readonly State: { readonly Status: string }
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>
    readonly Networks: Readonly<Record<string, unknown>>
  }
}

export function dockerBackend({ state, compose, tell }: DockerParts): Backend {
  const project = `${state.project}-cluster`
  const label = `${LABEL}=${state.folder}`
  const meshName = `${project}_${MESH}`

  /** By name. */
  const containers = async (): Promise<ReadonlyMap<string, Container>> => {
    const ids = await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${label}`)
    if (ids.length === 0) return new Map()
    const all = JSON.parse((await docker('inspect', ...ids)).join('\n')) as Container[]
    return new Map(all.map((container) => [container.Name.replace(/^\//, ''), container]))
  }
  const containerOf = async (index: number) => (await containers()).get(nodeName(state.project, index))

  /** What the person has set for their own compose.yaml is not meant for this one. */
  const composed = (...words: readonly string[]): Launch => {
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(RHIZOME_|COMPOSE_(FILE|PROJECT_NAME|PROFILES)$)/.test(name),
    )
    return launched(
      [...compose, '--project-name', project, '--file', filePath(state), ...words],
      Object.fromEntries(own),
    )
  }
  const writeFile = (indexes: readonly number[]) => {
    const { record } = state
    const all = [...new Set([...Object.keys(record.nodes).map(Number), ...indexes])]
    const text = composeFile({ record, indexes: all, label: [LABEL, state.folder], meshName })
    writeFileSync(filePath(state), text, { mode: 0o600 })
  }

  return {
    kind: 'docker',
    get names() {
      return `every node resolves the names of all; HTTP asks for the token ${state.record.token ?? ''}`
    },
    hasHttp: true,

    async prepare() {
      if (state.record.token === undefined) state.update({ token: randomBytes(24).toString('hex') })
      tell('building the image')
      writeFile([1])
      const { exitCode, said } = await collect(composed('build', nodeName(state.project, 1)))
      if (exitCode === 0) return
      const shown = said.filter((line) => line.trim() !== '').slice(-BUILD_LINES_SHOWN)
      throw new ClusterError(
        `${shown.join('\n')}\nthe image could not be built, so no node was started: mend the above, then again`,
      )
    },

    async start(indexes) {
      for (const index of indexes) state.updateNode(index, { killed: false })
      const there = await containers()
      const names = indexes.map((index) => nodeName(state.project, index))
      const old = names.flatMap((name) => there.get(name)?.Id ?? [])
      if (old.length > 0) await docker('start', ...old)
      const fresh = names.filter((name) => !there.has(name))
      if (fresh.length === 0) return
      writeFile(indexes)
      const { exitCode, said } = await collect(composed('up', '--detach', '--no-build', '--no-recreate', ...fresh))
      if (exitCode !== 0)
        throw new ClusterError(`${said.join('\n')}\nthese nodes were not started: ${fresh.join(', ')}`)
    },

    async kill(index) {
      state.updateNode(index, { killed: true })
      const container = await containerOf(index)
      if (container?.State.Status === 'running') await docker('kill', '--signal', 'KILL', container.Id)
    },

    async partition(groups) {
      const networks = await docker('network', 'ls', '--filter', `label=${label}`, '--format', '{{.Name}}')
      const wanted = groups.map((_, group) => `${project}_group_${group + 1}`)
      for (const name of wanted) if (!networks.includes(name)) await docker('network', 'create', '--label', label, name)
      const there = await containers()
      for (const index of Object.keys(state.record.nodes).map(Number)) {
        const name = nodeName(state.project, index)
        const container = there.get(name)
        if (container === undefined) continue
        const network = wanted[groups.findIndex((group) => group.includes(index))] ?? meshName
        const current = Object.keys(container.NetworkSettings.Networks)
        for (const other of current) if (other !== network) await docker('network', 'disconnect', other, container.Id)
        if (!current.includes(network)) await docker('network', 'connect', '--alias', name, network, container.Id)
      }
      const old = networks.filter((name) => name !== meshName && !wanted.includes(name))
      if (old.length > 0) await docker('network', 'rm', ...old)
    },

    async nodes() {
      const there = await containers()
      const indexes = Object.keys(state.record.nodes).map(Number)
      return Promise.all(indexes.map((index) => sightOf(state, index, there.get(nodeName(state.project, index)))))
    },

    async ask<Body>(index: number, path: readonly string[], ask: Ask = {}): Promise<Body> {
      const port = apiPortOf(await containerOf(index))
      if (port === undefined) throw gone(index)
      return (await askApi(port, path, { ...ask, token: state.record.token ?? '' }).catch((error: unknown) => {
        throw error instanceof AnswerError ? error : gone(index, error)
      })) as Body
    },

    async enter(index, command) {
      const container = await containerOf(index)
      if (container?.State.Status !== 'running')
        throw new ClusterError(
          `node ${index} does not run, so there is no place to enter: npm run cluster -- start ${index}`,
        )
      const isTerminal = process.stdin.isTTY && process.stdout.isTTY
      const words = command.length === 0 ? ['sh', '/cluster/inside/shell'] : command
      const flags = ['--interactive', ...(isTerminal ? ['--tty'] : []), '--env', `CLUSTER_NODE=${index}`]
      return launched(['docker', 'exec', ...flags, container.Id, ...words])
    },

    async log(index, { lines, follow = false }) {
      const container = await containerOf(index)
      if (container === undefined)
        throw new ClusterError(`node ${index} was never started: npm run cluster -- start ${index}`)
      const tail = lines === undefined ? [] : ['--tail', String(lines)]
      return launched(['docker', 'logs', ...tail, ...(follow ? ['--follow'] : []), container.Id])
    },

    async remove() {
      const ids = [...(await containers()).values()].map(({ Id }) => Id)
      if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids)
      const networks = await docker('network', 'ls', '--quiet', '--filter', `label=${label}`)
      if (networks.length > 0) await docker('network', 'rm', ...networks)
    },
  }
}

async function sightOf(state: State, index: number, container: Container | undefined): Promise<NodeSight> {
  const status = container?.State.Status
  if (container === undefined || status === 'exited' || status === 'dead')
    return { index, state: state.record.nodes[index]?.killed === true ? 'killed' : 'ended' }
  const port = apiPortOf(container)
  const isUp =
    port !== undefined &&
    (await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(LOOK_MS) }).then(
      ({ ok }) => ok,
      () => false,
    ))
  if (isUp) return { index, state: 'up', http: `http://127.0.0.1:${port}` }
  if (state.record.script === undefined || status !== 'running') return { index, state: 'starting' }
  const failed = await collect(launched(['docker', 'exec', container.Id, 'cat', `${LIFE_INSIDE}/failed`]))
  return failed.exitCode === 0
    ? { index, state: 'failed', exitCode: Number(failed.lines[0]) }
    : { index, state: 'starting' }
}

function apiPortOf(container: Container | undefined): string | undefined {
  return container?.NetworkSettings.Ports[API_PORT]?.[0]?.HostPort
}

/** A failure that the node told. */
class AnswerError extends Error {
  override readonly name = 'AnswerError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

async function askApi(port: string, path: readonly string[], ask: Ask & { readonly token: string }): Promise<unknown> {
  const { method = 'GET', query = {}, body, token } = ask
  const url = new URL(`http://127.0.0.1:${port}/${path.map(encodeURIComponent).join('/')}`)
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  url.search = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString()
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    signal: AbortSignal.timeout(ASK_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const said: unknown = await answer.json()
  if (answer.ok) return said
  const { code, detail } = said as { readonly code?: string; readonly detail?: string }
  throw new AnswerError(code ?? 'RZ_CLI_NO_NODE', detail ?? `the node answered ${answer.status}`)
}

function gone(index: number, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_CLI_NO_NODE', `node ${index} does not answer: see whether it still runs`, { cause })
}

/** The lines that `docker` prints. */
async function docker(...words: readonly string[]): Promise<readonly string[]> {
  const { exitCode, lines, said } = await collect(launched(['docker', ...words]))
  if (exitCode !== 0) throw new ClusterError(`docker ${words[0]} failed: ${said.join('; ')}`)
  return lines
}

function filePath(state: State): string {
  return join(state.folder, 'compose.json')
}
