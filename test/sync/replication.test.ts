import { describe, expect, it } from 'vitest'
import { NAMESPACE } from '../support/blocks.ts'
import { World } from './world.ts'

describe('replication of a namespace', () => {
  it('brings what a node writes to its peer by gossip', async () => {
    const world = new World()
    const a = world.open(1)
    const b = world.open(2)
    await world.until('they are in sync', () => b.replication.status(NAMESPACE).kind === 'in-sync')
    a.write()
    await world.untilEqual(20)
    expect(b.events).toContainEqual({ kind: 'received', namespace: NAMESPACE, from: a.net.self, via: 'gossip', blocks: 1, deltas: 1 })
  })

  it('brings what was there before they met by sync', async () => {
    const world = new World()
    const a = world.open(1)
    a.write(300)
    const b = world.open(2)
    b.write(200)
    await world.untilEqual()
    expect(b.store.counts(NAMESPACE).blocks).toBe(500)
  })
})
