/**
 * Nodes that are processes of this machine: what the backends `process` and `netns` have in common. Where a process stands,
 * whom it reaches and how it is cut off is the ground's affair. The process is reached by its control socket, which no
 * partition touches.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answers, Control } from '../../src/cli/control.ts'
import { findControlSocket } from '../../src/http/control-socket.ts'
import type { Backend, Launch, NodeSight } from './backend.ts'
import { ClusterError } from './cluster-error.ts'
import { launched } from './launch.ts'
import { endLife, lives, startLife } from './life.ts'
import { nodeName } from './names.ts'
import type { BackendKind, NodeRecord, State } from './state.ts'

const HERE = dirname(fileURLToPath(import.meta.url))
const INSIDE = join(HERE, 'inside')
const START = join(HERE, 'start.sh')
const ENTER = join(HERE, 'enter.sh')
const FAILED_FILE = 'failed'
/** In the environment of a node and of what it starts, not of shells that people open beside it. */
const LIFE_VARIABLE = 'CLUSTER_LIFE'

/** Where a node's process stands. */
export interface Place {
  /** Command words that enter it. */
  readonly enter: readonly string[]
  /** RHIZOME_… settings that follow from it. */
  readonly settings: Readonly<Record<string, string>>
  /** Modules that run in the node's process before it. */
  readonly imports: readonly string[]
}

export interface Ground {
  readonly kind: BackendKind
  readonly names: string
  readonly hasHttp: boolean
  prepare(): Promise<void>
  /** Made at the first call. */
  place(index: number): Promise<Place>
  partition(groups: readonly (readonly number[])[]): Promise<void>
  /** What the ground holds beside the nodes' processes. */
  remove(): Promise<void>
}

export interface LocalParts {
  readonly state: State
  readonly ground: Ground
  /** Makes what a node runs. */
  readonly build: (checkout: string) => Promise<void>
}

export function localBackend({ state, ground, build }: LocalParts): Backend {
  const nodeOf = (index: number): NodeRecord => {
    const node = state.record.nodes[index]
    if (node?.life === undefined)
      throw new ClusterError(`node ${index} was never started: npm run cluster -- start ${index}`)
    return node
  }
  const startOne = async (index: number): Promise<void> => {
    const before = state.record.nodes[index]
    if (before?.life !== undefined && lives(before.life)) return
    const place = await ground.place(index)
    const folder = state.nodeFolder(index)
    rmSync(join(folder, FAILED_FILE), { force: true })
    const { checkout, script = '' } = state.record
    const imports = place.imports.flatMap((module) => ['--import', module])
    const life = await startLife({
      words: [...place.enter, START, script, process.execPath, ...imports, join(checkout, 'dist', 'bin.js')],
      environment: { ...environmentOf(state, index, place), [LIFE_VARIABLE]: folder },
      folder,
      logPath: state.logPath(index),
    })
    state.updateNode(index, { life, killed: false })
  }
  return {
    kind: ground.kind,
    names: ground.names,
    hasHttp: ground.hasHttp,

    async prepare() {
      await build(state.record.checkout)
      await ground.prepare()
    },

    async start(indexes) {
      for (const index of indexes) await startOne(index)
    },

    async kill(index) {
      const { life } = nodeOf(index)
      // First: whoever looks meanwhile is told the truth, that it was on purpose.
      state.updateNode(index, { killed: true })
      await endLife(life, markerOf(state, index))
    },

    partition: (groups) => ground.partition(groups),

    nodes: () =>
      Promise.all(
        Object.entries(state.record.nodes)
          .filter(([, { life }]) => life !== undefined)
          .map(([index, node]) => sightOf(state, Number(index), node)),
      ),

    async ask(index, path, ask) {
      await using control = new Control(await findControlSocket(dataOf(state, index)))
      return (await control.ask<never>(path, ask)).body
    },

    async enter(index, command) {
      nodeOf(index)
      const place = await ground.place(index)
      const environment = { ...environmentOf(state, index, place), CLUSTER_NODE: String(index) }
      const words = command.length === 0 ? [join(INSIDE, 'shell')] : command
      return launched([...place.enter, ENTER, state.nodeFolder(index), ...words], environment)
    },

    log: (index, { lines, follow = false }): Promise<Launch> => {
      nodeOf(index)
      const from = lines === undefined ? '+1' : String(lines)
      const argv = ['tail', '-n', from, ...(follow ? ['-F'] : []), state.logPath(index)] as const
      return Promise.resolve(launched(argv))
    },

    async remove() {
      for (const [index, { life }] of Object.entries(state.record.nodes))
        await endLife(life, markerOf(state, Number(index)))
      await ground.remove()
    },
  }
}

/** What every process in the node's place is told: the node itself, its start-up command, a person's shell. */
function environmentOf(state: State, index: number, { settings }: Place): Record<string, string | undefined> {
  const { topic, checkout, settings: common } = state.record
  const own = Object.entries(process.env).filter(([name]) => !/^(RHIZOME|CLUSTER|npm)_/.test(name))
  const [marker, folder] = state.marker
  return {
    ...Object.fromEntries(own),
    PATH: [INSIDE, join(checkout, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
    ...common,
    RHIZOME_TOPIC: topic,
    RHIZOME_NAME: nodeName(state.project, index),
    RHIZOME_DATA: dataOf(state, index),
    RHIZOME_HOME: join(state.folder, 'home'),
    ...settings,
    [marker]: folder,
    CLUSTER_PROJECT: state.project,
    CLUSTER_INDEX: String(index),
    CLUSTER_BIN: join(checkout, 'dist', 'bin.js'),
  }
}

function markerOf(state: State, index: number): string {
  return `${LIFE_VARIABLE}=${state.nodeFolder(index)}`
}

function dataOf(state: State, index: number): string {
  return join(state.nodeFolder(index), 'data')
}

async function sightOf(state: State, index: number, { life, killed = false }: NodeRecord): Promise<NodeSight> {
  if (life === undefined || !lives(life)) return { index, state: killed ? 'killed' : 'ended' }
  const failedPath = join(state.nodeFolder(index), FAILED_FILE)
  if (existsSync(failedPath)) return { index, state: 'failed', exitCode: Number(readFileSync(failedPath, 'utf8')) }
  const socketPath = await findControlSocket(dataOf(state, index))
  return { index, state: (await answers(socketPath)) ? 'up' : 'starting' }
}
