/**
 * Nodes in network namespaces of this machine, on a bridge: each has an address and a name that resolves, and they find
 * each other by mDNS. Needs Linux, iproute2 and util-linux, and root or user namespaces. A partition puts the ports of a
 * group on a bridge of its own, as if their switch were another one: packets vanish in silence.
 *
 * A keeper process holds the namespaces, so that every command, from any terminal, can enter them. Nothing of it is
 * visible outside, and nothing of the machine's own network is inside.
 */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ClusterError } from './cluster-error.ts'
import { endLife, lives, startLife } from './life.ts'
import { bridgeName, type Cable, Links, portName } from './links.ts'
import type { Ground, Place } from './local.ts'
import { nodeName, NODES_MAX } from './names.ts'
import type { State } from './state.ts'

const KEEPER = fileURLToPath(new URL('keeper.sh', import.meta.url))
const READY_MS = 10_000
const READY_POLL_MS = 20

export function netnsGround(state: State, flags: readonly string[]): Ground {
  return {
    kind: 'netns',
    names: 'inside a node the names of all resolve, and http://127.0.0.1:3000 is its API; attach leads there',
    hasHttp: false,
    prepare: () => prepare(state, flags),
    place: (index) => Promise.resolve(placeOf(state, index)),
    partition: (groups) => Promise.resolve(partition(state, groups)),
    async remove() {
      const { keeper } = state.record
      if (keeper !== undefined) await endLife(keeper.life, state.marker.join('='))
    },
  }
}

async function prepare(state: State, flags: readonly string[]): Promise<void> {
  const { keeper } = state.record
  if (keeper !== undefined && lives(keeper.life)) return
  if (keeper !== undefined)
    throw new ClusterError(
      'what held the namespaces has ended, the nodes with it: npm run cluster -- down, then up again',
    )
  const ready = join(state.folder, 'ready')
  rmSync(ready, { force: true })
  writeFileSync(join(state.folder, 'hosts'), hostsOf(state.project), { mode: 0o644 })
  writeFileSync(join(state.folder, 'resolv.conf'), 'nameserver 127.0.0.1\n', { mode: 0o644 })
  const [marker, folder] = state.marker
  const logPath = join(state.folder, 'keeper.log')
  const life = await startLife({
    words: [KEEPER, state.folder, ...flags],
    environment: { ...process.env, [marker]: folder },
    folder: state.folder,
    logPath,
  })
  const lan = crypto.randomUUID().slice(0, 6)
  state.update({ keeper: { life, hasUserNamespace: flags.length > 0, lan } })
  const deadlineMs = performance.now() + READY_MS
  while (!existsSync(ready)) {
    if (!lives(life) || performance.now() > deadlineMs)
      throw new ClusterError(`the namespaces could not be made: ${readFileSync(logPath, 'utf8').trim()}`)
    await setTimeout(READY_POLL_MS)
  }
  linksOf(state).addBridge(bridgeName(lan))
}

/** The node's host, made at the first call. It stays when the node's process ends. */
function placeOf(state: State, index: number): Place {
  const { keeper, groups } = state.record
  if (keeper === undefined || !lives(keeper.life))
    throw new ClusterError(
      'what held the namespaces has ended, the nodes with it: npm run cluster -- down, then up again',
    )
  const cable = cableOf(state, index)
  const inside = join('/proc', String(keeper.life.pid), 'root', 'run', 'netns', cable.namespace)
  if (!existsSync(inside)) linksOf(state).addHost(cable, bridgeName(keeper.lan, groupOf(index, groups)))
  return { enter: enterWords(state, inside), settings: {}, imports: [] }
}

function partition(state: State, groups: readonly (readonly number[])[]): void {
  const { keeper, nodes } = state.record
  const lan = keeper?.lan ?? ''
  const links = linksOf(state)
  const wanted = [bridgeName(lan), ...groups.map((_, group) => bridgeName(lan, group + 1))]
  const there = links.bridges()
  for (const bridge of wanted) if (!there.includes(bridge)) links.addBridge(bridge)
  for (const index of Object.keys(nodes).map(Number))
    links.plug(portName(lan, index), bridgeName(lan, groupOf(index, groups)))
  for (const bridge of there) if (!wanted.includes(bridge)) links.removeBridge(bridge)
}

/** 0: the rest. */
function groupOf(index: number, groups: readonly (readonly number[])[]): number {
  return groups.findIndex((group) => group.includes(index)) + 1
}

function cableOf(state: State, index: number): Cable {
  const lan = state.record.keeper?.lan ?? ''
  return { port: portName(lan, index), namespace: nodeName(state.project, index), address: addressOf(index) }
}

function linksOf(state: State): Links {
  return new Links(enterWords(state))
}

/** Command words that enter the keeper's namespaces, or with its network's path a node's. */
function enterWords(state: State, network?: string): readonly string[] {
  const { keeper } = state.record
  if (keeper === undefined)
    throw new ClusterError('this cluster holds no namespaces: npm run cluster -- down, then up again')
  const user = keeper.hasUserNamespace ? ['--user', '--preserve-credentials'] : []
  const net = network === undefined ? '--net' : `--net=${network}`
  return ['nsenter', '--target', String(keeper.life.pid), ...user, '--mount', net, '--']
}

function addressOf(index: number): string {
  return `10.7.0.${index}`
}

/** Of every node that there can be: who is started later is known already. */
function hostsOf(project: string): string {
  const lines = Array.from(
    { length: NODES_MAX },
    (_, offset) => `${addressOf(offset + 1)} ${nodeName(project, offset + 1)}`,
  )
  return ['127.0.0.1 localhost', '::1 localhost', ...lines, ''].join('\n')
}
