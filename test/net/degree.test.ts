import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, wantedPeers } from '../../src/net/degree.ts'
import { FULL_MESH_NODES_MAX, RENDEZVOUS_PEERS, RING_SUCCESSORS } from '../../src/net/limits.ts'

const ids = (count: number, salt = 0): string[] => Array.from({ length: count }, (_, index) => `peer-${salt}-${index}`)

/** What each node dials when it knows all the others, of which the dead are found out. */
function graphOf(all: readonly string[], dead: ReadonlySet<string>): Map<string, ReadonlySet<string>> {
  const alive = all.filter((id) => !dead.has(id))
  return new Map(
    alive.map((self) => {
      const candidates: Candidate[] = all
        .filter((id) => id !== self)
        .map((id) => ({ id, connected: false, failing: dead.has(id) }))
      return [self, wantedPeers(self, candidates)]
    }),
  )
}

/** Edges count both ways: a connection is one, whoever dialled. */
function reachedFrom(graph: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const [start] = graph.keys()
  const reached = new Set(start === undefined ? [] : [start])
  for (const id of reached) {
    for (const [other, wanted] of graph) if (wanted.has(id) || graph.get(id)?.has(other)) reached.add(other)
  }
  return new Set([...reached].filter((id) => graph.has(id)))
}

describe('the degree policy', () => {
  test('up to the limit everyone wants everyone', () => {
    const all = ids(FULL_MESH_NODES_MAX)
    for (const wanted of graphOf(all, new Set()).values()) expect(wanted.size).toBe(FULL_MESH_NODES_MAX - 1)
  })

  test('beyond it nobody dials more than the ring and the rendezvous ask for', () => {
    for (const wanted of graphOf(ids(100), new Set()).values())
      expect(wanted.size).toBe(RING_SUCCESSORS + RENDEZVOUS_PEERS)
  })

  test('the same candidates in any order give the same answer', () => {
    const candidates = ids(40).map((id) => ({ id, connected: false, failing: false }))
    expect(wantedPeers('self', candidates.toReversed())).toEqual(wantedPeers('self', candidates))
  })

  test('the graph is connected, whoever is dead', () => {
    const cases = fc.record({
      count: fc.integer({ min: 13, max: 60 }),
      salt: fc.integer({ min: 0, max: 1_000 }),
      deadShare: fc.double({ min: 0, max: 0.9, noNaN: true }),
    })
    fc.assert(
      fc.property(cases, ({ count, salt, deadShare }) => {
        const all = ids(count, salt)
        const graph = graphOf(all, new Set(all.slice(0, Math.floor(count * deadShare))))
        expect(reachedFrom(graph).size).toBe(graph.size)
      }),
      { numRuns: 60 },
    )
  })

  test('a hundred nodes have few connections each', () => {
    const graph = graphOf(ids(100), new Set())
    const degrees = [...graph].map(([id, wanted]) => {
      const dialledBy = [...graph].filter(([, others]) => others.has(id)).map(([other]) => other)
      return new Set([...wanted, ...dialledBy]).size
    })
    expect(Math.max(...degrees)).toBeLessThan(24)
  })
})
