/** What processes under test told of each other's membership, and load that slows them. */

import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from './nodes.ts'
import type { ProcessNode } from './process-node.ts'

export interface Told {
  readonly peer: string
  readonly state: string
  readonly change: string
}

/** Everything that the node has told of members, oldest first. */
export function toldBy(node: ProcessNode): readonly Told[] {
  return node.events.flatMap((each) => {
    if (each.kind !== 'replication' || each.event.kind !== 'member-changed') return []
    const { member, change } = each.event
    return [{ peer: member.peer, state: member.state, change }]
  })
}

/** The last that the node has told of the peer. */
export function stateOf(node: ProcessNode, peer: ProcessNode): string | undefined {
  return toldBy(node).findLast((told) => told.peer === peer.peerId)?.state
}

/** Waits until all hold all others alive, and a little longer: until heartbeats have been seen. */
export async function expectAllAlive(nodes: readonly ProcessNode[], deadlineMs = 60_000): Promise<void> {
  await until(
    'all hold all alive',
    () => nodes.every((node) => nodes.every((peer) => peer === node || stateOf(node, peer) === 'alive')),
    deadlineMs,
  )
  await sleep(5_000)
}

/** Keeps one processor busy for nine tenths of its time each, until it is disposed of. */
export class Load implements Disposable {
  readonly #children: readonly ChildProcess[]

  constructor(processes: number) {
    const busy = `const pause = new Int32Array(new SharedArrayBuffer(4))
      for (;;) { const end = performance.now() + 90; while (performance.now() < end); Atomics.wait(pause, 0, 0, 10) }`
    this.#children = Array.from({ length: processes }, () => spawn(process.execPath, ['-e', busy], { stdio: 'ignore' }))
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill('SIGKILL')
  }
}
