/** A new container is known to every node: in `tags`, and in the line of each node's log, within two seconds. */

import { describe, expect, it } from 'vitest'
import { createCluster } from '../../src/testing/cluster.ts'
import { openClient, serveNode } from './client.ts'

const STEP_MS = 50
const KNOWN_MS_MAX = 2_000

describe('a new container', () => {
  it.each(['insert [0] into dog', 'CREATE dog'])(
    'made by %j shows on all three nodes within two seconds, whenever it is made',
    async (line) => {
      await using cluster = createCluster({ nodes: 3 })
      await cluster.settle()
      const clients = await Promise.all(
        cluster.nodes.map(async ({ node }) => openClient((await serveNode(node)).face.port)),
      )
      const names: string[] = []
      // One after the other, without a pause: what is told too often is told later.
      for (const name of ['dog', 'cat', 'emu', 'fox']) {
        await clients[names.length % 3]?.ask(line.replace('dog', name))
        names.push(name)
        const wanted = cluster.nodes.map(({ peerId }) => ({ peer: peerId, tags: names.toSorted() }))
        let waitedMs = 0
        for (;;) {
          const told = await Promise.all(clients.map(async (client) => tagsOf((await client.ask('tags')).slice(0, -1))))
          if (told.every((each) => JSON.stringify(each) === JSON.stringify(sorted(wanted)))) break
          expect(waitedMs).toBeLessThan(KNOWN_MS_MAX)
          await cluster.advance(STEP_MS)
          waitedMs += STEP_MS
        }
      }
    },
  )
})

interface Told {
  readonly peer: string
  readonly tags: readonly string[]
}

function tagsOf(lines: readonly string[]): readonly Told[] {
  return sorted(
    lines.map((line) => {
      const { peer, tags } = JSON.parse(line) as Told
      return { peer, tags }
    }),
  )
}

function sorted(told: readonly Told[]): readonly Told[] {
  return told.toSorted((a, b) => (a.peer < b.peer ? -1 : 1))
}
