/** What a person is shown of a cluster's nodes: their states, and what those that answer say of themselves. */

import { setTimeout } from 'node:timers/promises'
import { shortAddress } from '../../src/cli/paths.ts'
import type { SyncStatus } from '../../src/cli/report.ts'
import { syncText } from '../../src/cli/status.ts'
import { printTable } from '../../src/cli/table.ts'
import { grouped, type Terminal } from '../../src/cli/terminal.ts'
import type { Backend, NodeSight } from './backend.ts'
import { indexesText, nodeName } from './names.ts'
import type { ClusterRecord } from './state.ts'

/** As the HTTP API writes it. */
interface StatusJson {
  readonly addresses: readonly string[]
  readonly urls: readonly string[]
  readonly namespaces: readonly {
    readonly name: string
    readonly counts: { readonly deltas: number }
    readonly sync: SyncStatus
  }[]
}

interface MemberJson {
  readonly name: string
  readonly state: string
}

const SETTLE_POLL_MS = 150

export async function printStatus(backend: Backend, record: ClusterRecord, terminal: Terminal): Promise<void> {
  const { project, topic, groups } = record
  const sights = await backend.nodes()
  const rows = await Promise.all(
    sights.map(async (sight) => {
      const said = sight.state === 'up' ? await statusOf(backend, sight.index) : undefined
      const namespace = said?.namespaces.find(({ name }) => name === topic)
      return [
        String(sight.index),
        nodeName(project, sight.index),
        stateText(sight),
        said?.addresses.map(shortAddress).join(' ') || '-',
        ...(backend.hasHttp ? [(said && sight.http) ?? (said?.urls.join(' ') || '-')] : []),
        namespace === undefined ? '-' : grouped(namespace.counts.deltas),
        namespace === undefined ? '-' : syncText(namespace.sync, Date.now()),
      ]
    }),
  )
  const http = backend.hasHttp ? ['http'] : []
  printTable(terminal, ['node', 'name', 'state', 'address', ...http, 'deltas', 'sync'], rows)
  if (groups.length > 0) terminal.err(partitionText(groups, sights))
}

export function stateText({ state, exitCode }: NodeSight): string {
  return state === 'failed' ? `start-up failed (exit code ${exitCode})` : state
}

/** `cut off from each other: 1,2 | 3-5`. */
export function partitionText(groups: ClusterRecord['groups'], sights: readonly NodeSight[]): string {
  const rest = sights.map(({ index }) => index).filter((index) => !groups.some((group) => group.includes(index)))
  const parts = [...groups, ...(rest.length > 0 ? [rest] : [])]
  return `cut off from each other: ${parts.map(indexesText).join(' | ')}; heal ends it`
}

export interface Settling {
  /** Those that are up in the end. */
  readonly up: readonly number[]
  /** Those whose process did not become a node. */
  readonly lost: readonly NodeSight[]
  /** Whether all that are up know and hold the same. */
  readonly isSettled: boolean
}

/** Waits until each of `indexes` answers or cannot, and until all that answer know each other and are in sync. */
export async function settle(backend: Backend, record: ClusterRecord, parts: SettleParts): Promise<Settling> {
  const deadlineMs = performance.now() + parts.withinMs
  for (;;) {
    const sights = await backend.nodes()
    const wanted = sights.filter(({ index }) => parts.indexes.includes(index))
    const up = sights.filter(({ state }) => state === 'up').map(({ index }) => index)
    const lost = wanted.filter(({ state }) => state === 'failed' || state === 'ended')
    const starting = wanted.filter(({ state }) => state === 'starting')
    const isSettled = starting.length === 0 && (await areInSync(backend, record, up))
    const isOver = performance.now() > deadlineMs
    if (isSettled || isOver) return { up, lost: isOver ? [...lost, ...starting] : lost, isSettled }
    parts.tell(
      starting.length > 0
        ? `waiting for ${indexesText(starting.map(({ index }) => index))} to answer`
        : 'waiting until all know each other and are in sync',
    )
    await setTimeout(SETTLE_POLL_MS)
  }
}

interface SettleParts {
  /** Those that were started. */
  readonly indexes: readonly number[]
  readonly withinMs: number
  readonly tell: (line: string) => void
}

async function areInSync(
  backend: Backend,
  { project, topic, groups }: ClusterRecord,
  up: readonly number[],
): Promise<boolean> {
  const groupOf = (index: number) => groups.findIndex((group) => group.includes(index))
  const answers = await Promise.all(
    up.map(async (index) => {
      const others = up.filter((other) => other !== index && groupOf(other) === groupOf(index))
      if (others.length === 0) return true
      const [status, members] = await Promise.all([statusOf(backend, index), membersOf(backend, index, topic)])
      const alive = new Set(members.filter(({ state }) => state === 'alive').map(({ name }) => name))
      const sync = status?.namespaces.find(({ name }) => name === topic)?.sync
      return sync?.kind === 'in-sync' && others.every((other) => alive.has(nodeName(project, other)))
    }),
  )
  return answers.every(Boolean)
}

/** Undefined: it went away meanwhile. */
async function statusOf(backend: Backend, index: number): Promise<StatusJson | undefined> {
  return backend.ask<StatusJson>(index, ['api', 'status']).catch(() => undefined)
}

async function membersOf(backend: Backend, index: number, topic: string): Promise<readonly MemberJson[]> {
  return backend.ask<readonly MemberJson[]>(index, ['api', 'ns', topic, 'members']).catch(() => [])
}
