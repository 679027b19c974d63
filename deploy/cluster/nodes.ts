/** The verbs about single nodes and about all of them: `status`, `say`, `logs`, `attach`, `kill`, `partition`, `heal`, `down`. */

import { counted, visible } from '../../src/cli/terminal.ts'
import type { Backend } from './backend.ts'
import type { Call } from './call.ts'
import { openBackend } from './choose.ts'
import { ClusterError, usage } from './cluster-error.ts'
import { followLaunch, runLaunch } from './launch.ts'
import { indexesText, parseIndex, parseIndexes } from './names.ts'
import { partitionText, printStatus } from './sights.ts'

export async function status(call: Call): Promise<number> {
  await printStatus(backendOf(call), call.state.record, call.terminal)
  return 0
}

/** Node `index` says it, to all or to one. */
export async function say(call: Call): Promise<number> {
  const { state, terminal, words, flags } = call
  const index = parseIndex(words[0])
  const [, message] = words
  if (message === undefined) throw usage(`say what: npm run cluster -- say ${index} "hello"`)
  const backend = backendOf(call)
  await mustBeUp(backend, index)
  const to = typeof flags['to'] === 'string' ? parseIndex(flags['to']) : undefined
  const peer = to === undefined ? {} : { to: await peerOf(backend, to) }
  const { topic } = state.record
  const path = ['api', 'ns', topic, 'messages']
  const { neighbours } = await backend.ask<{ neighbours: number }>(index, path, {
    method: 'POST',
    body: { message, ...peer },
  })
  if (neighbours === 0) {
    terminal.err(`nobody is connected to node ${index}: nobody heard it (npm run cluster -- ping)`)
    return 1
  }
  terminal.out(`node ${index} said it to ${counted(neighbours, 'node')}, and they pass it on; their logs have it`)
  return 0
}

async function peerOf(backend: Backend, index: number): Promise<string> {
  await mustBeUp(backend, index)
  return (await backend.ask<{ peerId: string }>(index, ['api', 'status'])).peerId
}

export async function logs(call: Call): Promise<number> {
  const { words, flags, terminal } = call
  const backend = backendOf(call)
  const lines = flags['lines'] === undefined ? {} : { lines: parseLines(String(flags['lines'])) }
  const options = { ...lines, follow: flags['follow'] === true }
  const started = (await backend.nodes()).map(({ index }) => index)
  const indexes = words[0] === undefined ? started : parseIndexes(words[0])
  const [only, ...others] = indexes
  if (only !== undefined && others.length === 0) return runLaunch(await backend.log(only, options))
  const show = async (index: number) =>
    followLaunch(await backend.log(index, options), (line) =>
      terminal.out(`${terminal.style('dim', `${index} |`)} ${visible(line)}`),
    )
  if (options.follow) await Promise.all(indexes.map(show))
  else for (const index of indexes) await show(index)
  return 0
}

function parseLines(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw usage(`--lines takes a number, not ${JSON.stringify(text)}`)
}

export async function attach(call: Call): Promise<number> {
  const { words, rest } = call
  return runLaunch(await backendOf(call).enter(parseIndex(words[0]), rest))
}

export async function kill(call: Call): Promise<number> {
  const { state, terminal, words } = call
  const indexes = parseIndexes(words[0])
  using _ = await state.lock('kill', (line) => terminal.err(line))
  const backend = backendOf(call)
  const sights = await backend.nodes()
  const running = indexes.filter((index) =>
    sights.some((sight) => sight.index === index && sight.state !== 'killed' && sight.state !== 'ended'),
  )
  for (const index of running) await backend.kill(index)
  const idle = indexes.filter((index) => !running.includes(index))
  if (running.length > 0)
    terminal.out(
      `killed ${nodesText(running)}; data and log stay, and start ${indexesText(running)} brings ${running.length === 1 ? 'it' : 'them'} back`,
    )
  if (idle.length > 0) terminal.err(`${nodesText(idle)} did not run`)
  return idle.length === 0 ? 0 : 1
}

/** Each word is a group that is cut off from all others; who is in none is together. */
export async function partition(call: Call): Promise<number> {
  const { state, terminal, words } = call
  if (words.length === 0) throw usage('say who is to be cut off: npm run cluster -- partition 1,2')
  const groups = words.map(parseIndexes)
  const twice = groups.flat().find((index, at, all) => all.indexOf(index) !== at)
  if (twice !== undefined) throw usage(`node ${twice} is in two groups`)
  using _ = await state.lock('partition', (line) => terminal.err(line))
  const backend = backendOf(call)
  const sights = await backend.nodes()
  const unknown = groups.flat().filter((index) => !sights.some((sight) => sight.index === index))
  if (unknown.length > 0)
    throw new ClusterError(`${nodesText(unknown)} was never started: npm run cluster -- up ${Math.max(...unknown)}`)
  await backend.partition(groups)
  state.update({ groups })
  terminal.out(partitionText(groups, sights))
  return 0
}

export async function heal(call: Call): Promise<number> {
  const { state, terminal } = call
  using _ = await state.lock('heal', (line) => terminal.err(line))
  if (state.record.groups.length === 0) {
    terminal.out('nothing is cut off')
    return 0
  }
  await backendOf(call).partition([])
  state.update({ groups: [] })
  terminal.out('healed: all nodes reach each other again, and find each other within seconds (npm run cluster -- ping)')
  return 0
}

/** Succeeds as well where there is nothing: what scripts do before they begin. */
export async function down(call: Call): Promise<number> {
  const { state, terminal } = call
  using _ = await state.lock('down', (line) => terminal.err(line))
  const record = state.read()
  if (record === undefined) {
    await state.remove(undefined)
    terminal.out(`no cluster ${state.project} is up`)
    return 0
  }
  await backendOf(call).remove()
  await state.remove(record.keeper?.life)
  terminal.out(`${state.project} is down, with its data: ${counted(Object.keys(record.nodes).length, 'node')}`)
  return 0
}

function backendOf({ state, terminal }: Call): Backend {
  return openBackend(state.record.backend, state, (line) => terminal.progress(line))
}

async function mustBeUp(backend: Backend, index: number): Promise<void> {
  const sight = (await backend.nodes()).find((each) => each.index === index)
  if (sight?.state === 'up') return
  throw new ClusterError(
    `node ${index} is ${sight === undefined ? 'not started' : sight.state}: npm run cluster -- start ${index}`,
  )
}

function nodesText(indexes: readonly number[]): string {
  return `node${indexes.length === 1 ? '' : 's'} ${indexesText(indexes)}`
}
