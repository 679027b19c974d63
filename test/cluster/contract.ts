/** What every backend of deploy/cluster promises, on three nodes and a fourth that comes later. Run by each that is there. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend, Launch, NodeState } from '../../deploy/cluster/backend.ts'
import { openBackend } from '../../deploy/cluster/choose.ts'
import { followLaunch } from '../../deploy/cluster/launch.ts'
import { nodeName } from '../../deploy/cluster/names.ts'
import { type BackendKind, type ClusterRecord, State } from '../../deploy/cluster/state.ts'
import { until } from '../support/nodes.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const TOPIC = 'users'
/** A build and several nodes on a loaded machine. */
const HOOK_MS = 400_000
/** A container on a machine that has much other work needs a minute to answer. */
const DEADLINE_MS = 180_000

const PAIRS: readonly (readonly [from: number, to: number])[] = [
  [1, 3],
  [3, 1],
  [2, 2],
]
const LOOKUP = 'require("node:dns").lookup(process.argv[1], (error, address) => console.log(error?.code ?? address))'

export interface ContractOptions {
  /** Whether nodes reach each other by their names. */
  readonly resolvesNames: boolean
  /** What is left of the cluster of this name outside its folder, by kind and name. */
  readonly remains: (project: string) => readonly string[]
}

/** A cluster that nobody has brought up yet, with a state folder that is gone afterwards. */
function newState(kind: BackendKind, change: Partial<ClusterRecord> = {}): State & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'rhizome-cluster-'))
  const state = new State(`t${crypto.randomUUID().slice(0, 8)}`, { XDG_STATE_HOME: folder })
  state.write({
    version: 1,
    project: state.project,
    checkout: CHECKOUT,
    backend: kind,
    topic: TOPIC,
    settings: {},
    nodes: {},
    groups: [],
    ...change,
  })
  return Object.assign(state, { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) })
}

export function backendContract(kind: BackendKind, { resolvesNames, remains }: ContractOptions): void {
  describe(`the backend ${kind}`, () => {
    const state = newState(kind)
    const { project } = state
    const backend = openBackend(kind, state, () => undefined)

    beforeAll(async () => {
      await backend.prepare()
      await backend.start([1, 2, 3])
      for (const index of [1, 2, 3]) await untilState(backend, index, 'up')
    }, HOOK_MS)
    afterAll(async () => {
      if (state.read() !== undefined) await backend.remove()
      await state.remove(undefined)
      state[Symbol.dispose]()
    }, HOOK_MS)

    it('tells of those that were started, and of nobody else', async () => {
      expect((await backend.nodes()).map(({ index, state: is }) => `${index} ${is}`)).toEqual(['1 up', '2 up', '3 up'])
    })

    it('lets nodes find each other under their names', async () => {
      for (const index of [1, 2, 3]) await untilAnswering(backend, project, index, others(index, [1, 2, 3]))
    })

    it('changes nothing by starting one that runs', async () => {
      const before = await peerOf(backend, 1)
      await backend.start([1])
      expect(await peerOf(backend, 1)).toBe(before)
    })

    it('runs commands in the place of a node, which reach it', async () => {
      const said = await printed(
        await backend.enter(2, ['sh', '-c', 'rhizome-node put user/inside n:=1 && rhizome-node get user/inside']),
      )
      expect(said.join('\n')).toContain('n:=1')
      await untilHeld(backend, 3, 'inside')
    })

    it('makes a container by a statement in one node, which all tell of all, and the others in their logs', async () => {
      const typed = async (index: number, line: string) =>
        printed(await backend.enter(index, ['sh', '-c', `echo '${line}' | rhizome-node shell`]))
      expect((await typed(1, 'insert [0] into dog')).join('\n')).toMatch(/^{"id":/m)
      for (const index of [1, 2, 3]) {
        await until(
          `node ${index} tells it of all`,
          async () => (await typed(index, 'tags')).filter((told) => /"tags":\[.*"dog"/.test(told)).length === 3,
          DEADLINE_MS,
        )
        if (index === 1) continue
        const isLogged = (line: string) => /message from \S+: tags: \[.*"dog"/.test(line)
        await until(
          `the log of node ${index} tells it`,
          async () => (await printed(await backend.log(index, {}))).some(isLogged),
          DEADLINE_MS,
        )
      }
    })

    it('lets a node ask after others from inside, those too that were never started', async () => {
      const said = await printed(await backend.enter(1, ['cluster', 'ping', '4']))
      expect(said).toContainEqual(expect.stringMatching(`^${nodeName(project, 1)}\\t.*this node`))
      expect(said).toContainEqual(expect.stringMatching(`^${nodeName(project, 2)}\\t.* ms$`))
      expect(said).toContainEqual(expect.stringMatching(`^${nodeName(project, 4)}\\t-\\tunknown\\tnot responding$`))
    })

    it.each(resolvesNames ? PAIRS : [])('resolves in node %i the name of node %i', async (from, to) => {
      const [address] = await printed(await backend.enter(from, ['node', '-e', LOOKUP, nodeName(project, to)]))
      expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    })

    it('shows what a node has printed, all of it or the end', async () => {
      const all = await printed(await backend.log(1, {}))
      expect(all.join('\n')).toContain(nodeName(project, 1))
      expect(await printed(await backend.log(1, { lines: 2 }))).toHaveLength(2)
    })

    it('ends a node as a crash does, and starts it with what it held', async () => {
      await put(backend, 3, 'kept')
      const before = await peerOf(backend, 3)
      await backend.kill(3)
      await untilState(backend, 3, 'killed')
      await expect(backend.ask(3, ['api', 'status'])).rejects.toMatchObject({ code: 'RZ_CLI_NO_NODE' })
      await backend.start([3])
      await untilState(backend, 3, 'up')
      expect(await peerOf(backend, 3)).toBe(before)
      expect(await isHeld(backend, 3, 'kept')).toBe(true)
      await untilAnswering(backend, project, 1, [2, 3])
    })

    it('keeps a partition until it is healed: what is written stays on its side, and then goes to the other', async () => {
      await backend.partition([[1]])
      state.update({ groups: [[1]] })
      await put(backend, 1, 'left')
      await put(backend, 2, 'right')
      await untilHeld(backend, 3, 'right')
      await untilAnswering(backend, project, 1, [])
      expect([await isHeld(backend, 1, 'right'), await isHeld(backend, 2, 'left')]).toEqual([false, false])

      // One that comes meanwhile is with the rest.
      await backend.start([4])
      await untilState(backend, 4, 'up')
      await untilHeld(backend, 4, 'right')
      await untilAnswering(backend, project, 4, [2, 3])
      expect(await isHeld(backend, 4, 'left')).toBe(false)

      await backend.partition([])
      state.update({ groups: [] })
      for (const index of [2, 3, 4]) await untilHeld(backend, index, 'left')
      await untilHeld(backend, 1, 'right')
      await untilAnswering(backend, project, 1, [2, 3, 4])
    })

    it('keeps several groups apart', async () => {
      await backend.partition([[1, 2], [3]])
      await untilAnswering(backend, project, 1, [2])
      await untilAnswering(backend, project, 3, [])
      await untilAnswering(backend, project, 4, [])
      await backend.partition([])
      await untilAnswering(backend, project, 4, [1, 2, 3])
    })

    it('leaves nothing behind', async () => {
      expect(remains(project)).not.toEqual([])
      await backend.remove()
      await state.remove(state.record.keeper?.life)
      expect(remains(project)).toEqual([])
      expect(existsSync(state.folder)).toBe(false)
    })
  })

  describe(`a start-up command on the backend ${kind}`, () => {
    const place = mkdtempSync(join(tmpdir(), 'rhizome-script-'))
    const script = join(place, 'start up')
    // The first node's fails, the second's ends well, the third's becomes the node.
    writeFileSync(
      script,
      '#!/bin/sh\nrhizome-node put user/seed of=$RHIZOME_NAME\ncase $CLUSTER_INDEX in 1) echo no luck >&2; exit 3;; 3) exec "$@";; esac\n',
      { mode: 0o755 },
    )
    const state = newState(kind, { script })
    const backend = openBackend(kind, state, () => undefined)

    beforeAll(async () => {
      await backend.prepare()
      await backend.start([1, 2, 3])
    }, HOOK_MS)
    afterAll(async () => {
      if (state.read() !== undefined) await backend.remove()
      await state.remove(undefined)
      state[Symbol.dispose]()
      rmSync(place, { recursive: true, force: true })
    }, HOOK_MS)

    it('that fails is told with its exit code, and the place stays for a look', async () => {
      await untilState(backend, 1, 'failed')
      expect(await backend.nodes()).toContainEqual({ index: 1, state: 'failed', exitCode: 3 })
      expect((await printed(await backend.log(1, {}))).join('\n')).toContain('no luck')
      expect(await printed(await backend.enter(1, ['rhizome-node', 'ids', 'user']))).toContain('seed')
    })

    it('that ends well is followed by the node, and one may become it', async () => {
      for (const index of [2, 3]) {
        await untilState(backend, index, 'up')
        expect(await isHeld(backend, index, 'seed')).toBe(true)
      }
    })

    it('that failed can be ended and tried again', async () => {
      writeFileSync(script, '#!/bin/sh\nexit 0\n')
      await backend.kill(1)
      await backend.start([1])
      await untilState(backend, 1, 'up')
    })
  })
}

function eventually(what: string, holds: () => Promise<boolean>): Promise<boolean> {
  return until(what, holds, DEADLINE_MS)
}

function others(index: number, all: readonly number[]): readonly number[] {
  return all.filter((each) => each !== index)
}

async function untilState(backend: Backend, index: number, wanted: NodeState): Promise<void> {
  let seen = ''
  await eventually(`node ${index} is ${wanted}`, async () => {
    seen = (await backend.nodes()).find((each) => each.index === index)?.state ?? 'never started'
    return seen === wanted
  }).catch(async (cause: unknown) => {
    const log = await printed(await backend.log(index, { lines: 20 })).catch(String)
    throw new Error(`node ${index} is ${seen}, not ${wanted}; its log: ${String(log)}`, { cause })
  })
}

/** Waits until exactly these answer the node's ping. */
async function untilAnswering(
  backend: Backend,
  project: string,
  index: number,
  wanted: readonly number[],
): Promise<void> {
  const names = wanted.map((each) => nodeName(project, each)).sort()
  await eventually(`${names.join(', ') || 'nobody'} answers node ${index}`, async () => {
    const query = { timeoutMs: 1_000 }
    const path = ['api', 'ns', TOPIC, 'ping']
    const answers = await backend.ask<readonly { member: { name: string }; roundTripMs?: number }[]>(index, path, {
      method: 'POST',
      query,
    })
    const answering = answers.filter(({ roundTripMs }) => roundTripMs !== undefined).map(({ member }) => member.name)
    return JSON.stringify(answering.sort()) === JSON.stringify(names)
  })
}

function put(backend: Backend, index: number, id: string): Promise<unknown> {
  return backend.ask(index, ['api', 'user', id], { method: 'PUT', body: { properties: { n: 1 } } })
}

async function isHeld(backend: Backend, index: number, id: string): Promise<boolean> {
  return backend.ask(index, ['api', 'user', id]).then(
    () => true,
    (error: unknown) => {
      if ((error as { code?: string }).code === 'RZ_HTTP_NOT_FOUND') return false
      throw error
    },
  )
}

async function untilHeld(backend: Backend, index: number, id: string): Promise<void> {
  await eventually(`node ${index} holds ${id}`, () => isHeld(backend, index, id))
}

async function peerOf(backend: Backend, index: number): Promise<string> {
  return (await backend.ask<{ peerId: string }>(index, ['api', 'status'])).peerId
}

async function printed(launch: Launch): Promise<readonly string[]> {
  const lines: string[] = []
  await followLaunch(launch, (line) => lines.push(line))
  return lines
}
