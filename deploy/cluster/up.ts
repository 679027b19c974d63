/** The verbs that bring nodes up: `up`, for a cluster and for its growth, and `start`, for those that ended. */

import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { readConfig } from '../../src/cli/config.ts'
import { variableOf } from '../../src/cli/settings.ts'
import { type Terminal, visible } from '../../src/cli/terminal.ts'
import type { Backend, NodeSight } from './backend.ts'
import type { Call } from './call.ts'
import { choose, openBackend } from './choose.ts'
import { usage, ClusterError } from './cluster-error.ts'
import { followLaunch } from './launch.ts'
import { indexesText, parseIndex, parseIndexes } from './names.ts'
import { printStatus, settle, stateText } from './sights.ts'
import { BACKENDS, type BackendKind, type ClusterRecord } from './state.ts'

const COUNT_DEFAULT = 3
const TOPIC_DEFAULT = 'users'
/** So long for the first node, and so much more for each: two idle cores start three nodes a second, busy ones far fewer. */
const WITHIN_MS = 60_000
const WITHIN_EACH_MS = 6_000
const LOG_LINES = 12
/** Settings of whoever begins the cluster that every node is given; the others are the cluster's own affair. */
const SETTINGS_PASSED = ['secret', 'durability', 'detector', 'functions', 'members', 'context', 'verbose'] as const

export async function up(call: Call): Promise<number> {
  const { state, terminal, words } = call
  using _ = await state.lock('up', (line) => terminal.err(line))
  const before = state.read()
  const highest = Math.max(0, ...Object.keys(before?.nodes ?? {}).map(Number))
  const count =
    words[0] === undefined && highest > 0 ? highest : parseIndex(words[0] ?? String(COUNT_DEFAULT), 'number of nodes')
  const record = before === undefined ? begin(call) : checked(before, call)
  const backend = openBackend(record.backend, state, (line) => terminal.err(line))
  try {
    await backend.prepare()
  } catch (error) {
    // Of a cluster that never began nothing stays.
    if (before === undefined) await state.remove(undefined)
    throw error
  }
  if (highest > count)
    terminal.err(`nodes ${count + 1} to ${highest} stay as they are: down ends them all, kill one of them`)
  return await bringUp(
    call,
    backend,
    Array.from({ length: count }, (_each, offset) => offset + 1),
  )
}

export async function start(call: Call): Promise<number> {
  const { state, terminal, words } = call
  const indexes = parseIndexes(words[0])
  using _ = await state.lock('start', (line) => terminal.err(line))
  const { backend: kind } = state.record
  const backend = openBackend(kind, state, (line) => terminal.err(line))
  await backend.prepare()
  return await bringUp(call, backend, indexes)
}

/** Starts those that do not run, waits until all know each other, and shows what came of it. */
async function bringUp({ state, terminal }: Call, backend: Backend, indexes: readonly number[]): Promise<number> {
  const startedMs = performance.now()
  const before = new Map((await backend.nodes()).map((sight) => [sight.index, sight.state]))
  const idle = indexes.filter((index) => !['up', 'starting'].includes(before.get(index) ?? ''))
  terminal.progress(`starting ${indexesText(idle)} …`)
  // What stays for a look has been looked at.
  for (const index of idle) if (before.get(index) === 'failed') await backend.kill(index)
  await backend.start(idle)
  const { record } = state
  const {
    up: there,
    lost,
    isSettled,
  } = await settle(backend, record, {
    indexes,
    withinMs: WITHIN_MS + indexes.length * WITHIN_EACH_MS,
    tell: (line) => terminal.progress(line),
  })
  terminal.progress('')
  await printStatus(backend, record, terminal)
  terminal.err(`topic ${record.topic}; ${backend.names}`)
  for (const sight of lost) await showLost(backend, sight, { terminal, record })
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  if (there.length > 0) {
    terminal.err(
      isSettled ? togetherText(there, { seconds, isParted: record.groups.length > 0 }) : apartText(there, seconds),
    )
  }
  return lost.length === 0 && isSettled ? 0 : 1
}

function togetherText(there: readonly number[], how: { readonly seconds: string; readonly isParted: boolean }): string {
  const where = how.isParted ? ' within their groups' : ''
  const are = there.length === 1 ? 'node is up' : `nodes are up, know each other and are in sync${where}`
  return `${there.length} ${are} after ${how.seconds} s; next: npm run cluster -- ping, attach ${there[0]}, logs ${there[0]}, down`
}

function apartText(there: readonly number[], seconds: string): string {
  return `nodes ${indexesText(there)} are up, and do not all know each other after ${seconds} s: npm run cluster -- ping`
}

async function showLost(
  backend: Backend,
  sight: NodeSight,
  { terminal, record }: { readonly terminal: Terminal; readonly record: ClusterRecord },
): Promise<void> {
  const { index, state } = sight
  const advice = {
    failed: `its place is there for a look: npm run cluster -- attach ${index}; start ${index} tries again`,
    ended: `its log: npm run cluster -- logs ${index}; again: npm run cluster -- start ${index}`,
    starting:
      record.script === undefined
        ? 'it does not answer yet'
        : 'its start-up command goes on, and no rhizome-node answers there',
  }[state === 'failed' || state === 'ended' ? state : 'starting']
  terminal.err(`${terminal.style('red', `node ${index}: ${stateText(sight)}`)}; ${advice}`)
  await followLaunch(await backend.log(index, { lines: LOG_LINES }), (line) =>
    terminal.err(`  ${index} | ${visible(line)}`),
  )
}

/** A new cluster's record, kept from now on. */
function begin(call: Call): ClusterRecord {
  const { state, project, checkout, terminal, flags } = call
  const { kind, passedOver } = choose(backendFlag(flags))
  terminal.err(`backend ${kind}${passedOver.length === 0 ? '' : ` (${passedOver.join('; ')})`}`)
  if (project.mended !== undefined) terminal.err(project.mended)
  const script = scriptFlag(call)
  const record: ClusterRecord = {
    version: 1,
    project: project.name,
    checkout,
    backend: kind,
    topic: textFlag(flags, 'topic') ?? TOPIC_DEFAULT,
    ...(script === undefined ? {} : { script }),
    settings: settingsOf(call),
    nodes: {},
    groups: [],
  }
  state.write(record)
  return record
}

/** What is there already, where it is what was asked for. */
function checked(record: ClusterRecord, call: Call): ClusterRecord {
  const { state, checkout, flags, terminal } = call
  const down = 'npm run cluster -- down first'
  if (record.checkout !== checkout)
    throw new ClusterError(
      `a cluster ${record.project} of ${record.checkout} is up: end that one, or give --project another name`,
    )
  const [backend, topic] = [backendFlag(flags), textFlag(flags, 'topic')]
  if (backend !== undefined && backend !== record.backend)
    throw new ClusterError(`this cluster runs on ${record.backend}, not on ${backend}: ${down}`)
  if (topic !== undefined && topic !== record.topic)
    throw new ClusterError(`this cluster shares ${record.topic}, not ${topic}: ${down}`)
  terminal.err(`backend ${record.backend}`)
  const script = scriptFlag(call)
  if (script !== undefined) state.update({ script })
  return state.record
}

function backendFlag(flags: Call['flags']): BackendKind | undefined {
  const text = textFlag(flags, 'backend')
  const kind = BACKENDS.find((each) => each === text)
  if (text !== undefined && kind === undefined)
    throw usage(`--backend is one of ${BACKENDS.join(', ')}, not ${JSON.stringify(text)}`)
  return kind
}

function scriptFlag({ flags, directory }: Call): string | undefined {
  const text = textFlag(flags, 'run')
  if (text === undefined) return undefined
  const path = resolve(directory, text)
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw usage(`--run: there is no file ${path}`)
  try {
    accessSync(path, constants.X_OK)
  } catch {
    throw usage(`--run: ${path} may not be executed: chmod +x ${path}`)
  }
  return path
}

function textFlag(flags: Call['flags'], name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

function settingsOf({ environment, directory }: Call): Readonly<Record<string, string>> {
  const given = SETTINGS_PASSED.map((key) => [variableOf(key), environment[variableOf(key)] ?? ''] as const)
  const settings = Object.fromEntries(given.filter(([, value]) => value !== ''))
  // Its file may be named from where the person stands.
  const { secret } = readConfig({ flags: {}, env: settings, directory })
  return secret === undefined ? settings : { ...settings, [variableOf('secret')]: secret }
}
