/** kill -9 of whole nodes that write, gossip and sync, again and again: what was acknowledged is on all nodes in the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { expectEqual, Cluster, report } from '../support/cluster.ts'
import { CommandError, type ProcessNode } from '../support/process-node.ts'

const KILLS = 10
/** A node is killed after so many acknowledged writes at most: at the random moments of opening, indexing and syncing too. */
const WRITES_MAX = 40
/** Between two writes of a node, so that the machine has time for the rest. */
const PACE_MS = 20

describe.concurrent('kill -9', () => {
  test(`a node that is killed ${KILLS} times while all write loses nothing`, async () => {
    await using cluster = await Cluster.open()
    const [a, b] = await cluster.startAll('a', 'b')
    if (a === undefined || b === undefined) throw new Error('two nodes were started')
    const others = new Writers([a, b])
    let victim = await cluster.start('victim')
    for (let round = 0; round < KILLS; round++) {
      const writers = new Writers([victim], `round-${round}-`)
      const target = Math.floor(Math.random() * WRITES_MAX)
      await writers.until(target)
      await Promise.all([victim.kill(), writers.stop()])
      victim = await cluster.start('victim')
    }
    await others.stop()
    const nodes = [a, b, victim]
    report(`after ${KILLS} kills all were equal in ${await expectEqual(nodes, cluster.acknowledged())} ms`)
    expect(cluster.acknowledged().length).toBeGreaterThan(KILLS)
  })

  test('all nodes are killed at once and started again: all they acknowledged is there', async () => {
    await using cluster = await Cluster.open()
    const nodes = await cluster.startAll('a', 'b', 'c')
    const writers = new Writers(nodes)
    await writers.until(300)
    await Promise.all([...nodes.map((node) => node.kill()), writers.stop()])
    await expectEqual(await cluster.startAll('a', 'b', 'c'), cluster.acknowledged())
  })
})

/** Keeps nodes writing, one record after the other each, until it is stopped or its nodes are killed. */
class Writers {
  readonly #running: Promise<unknown>
  readonly #prefix: string
  #count = 0
  #stopped = false
  #wake = Promise.withResolvers<void>()

  constructor(nodes: readonly ProcessNode[], prefix = '') {
    this.#prefix = prefix
    this.#running = Promise.all(nodes.map((node) => this.#write(node)))
  }

  /** Resolves when so many writes are acknowledged. */
  async until(count: number): Promise<void> {
    while (this.#count < count) await this.#wake.promise
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #write(node: ProcessNode): Promise<void> {
    for (let index = 0; !this.#stopped; index++) {
      try {
        await node.put(`${node.name}-${this.#prefix}${index}`)
      } catch (error) {
        // The node was killed in the middle: that write was not acknowledged.
        if (error instanceof CommandError && error.code === undefined) return
        throw error
      }
      await sleep(PACE_MS)
      this.#count += 1
      this.#wake.resolve()
      this.#wake = Promise.withResolvers<void>()
    }
  }
}
