/** Nodes for tests: in memory or in a folder of their own, offline or on loopback without multicast. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openNode, type NodeOptions, type RhizomeNode } from '../../src/index.ts'

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rhizome-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A node that is closed after the test; offline and in memory unless told otherwise. */
export async function openTestNode(options: Partial<NodeOptions> = {}): Promise<RhizomeNode> {
  const place = options.data === undefined && options.home === undefined ? { memory: true } : {}
  const node = await openNode({ topics: ['users'], network: false, name: 'test', ...place, ...options })
  onTestFinished(() => node.close())
  return node
}

/** As `openTestNode`, on 127.0.0.1 at a port of the system's choice, dialling `peers`. */
export function openLoopbackNode(
  peers: readonly RhizomeNode[] = [],
  options: Partial<NodeOptions> = {},
): Promise<RhizomeNode> {
  return openTestNode({
    ...options,
    network: {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      registry: false,
      peers: peers.flatMap((peer) => peer.addresses().slice(0, 1)),
      ...(typeof options.network === 'object' ? options.network : {}),
    },
  })
}

/** Resolves once `holds` answers something other than undefined or false; asks again at every turn, under a deadline. */
export async function until<Answer>(
  what: string,
  holds: () => Answer | undefined | false | Promise<Answer | undefined | false>,
  deadlineMs = 15_000,
): Promise<Answer> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const answer = await holds()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
