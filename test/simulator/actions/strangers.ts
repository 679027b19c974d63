/** Those who do not keep to the rules: authors who sign two continuations of one log, and peers that lie. */

import { hash as digest } from 'node:crypto'
import { signerOf } from '../../../src/log/signature.ts'
import { claim, runOf, TestLog } from '../../support/blocks.ts'
import type { ActionKind } from '../action.ts'
import { LIES, openLiar } from '../liar.ts'
import { COLLECTION, someId } from './data.ts'

/** Somebody signs two continuations of one log, and shows each to another node. */
export const fork: ActionKind = {
  kind: 'fork',
  weight: 0.8,
  draw: (random, machines) => {
    const [one, other, trunk] = [random.below(machines), random.below(machines), random.below(3)]
    const branches = [1 + random.below(3), 1 + random.below(3)] as const
    const author = signerOf(random.bytes(32))
    const logId = Buffer.from(random.bytes(16)).toString('hex')
    const records = Array.from({ length: 9 }, () => someId(random))
    return {
      told: `after ${trunk} blocks, of ${branches[0]} at ${one} and ${branches[1]} at ${other}`,
      machines: [one, other],
      perform: (world) => {
        const shared = new TestLog({ signer: author, logId, startMs: world.time.nowMs() - 60_000 })
        const grow = (log: TestLog, count: number, who: string): void => {
          for (let block = 0; block < count; block++)
            log.append([claim(COLLECTION, records[block] ?? 'r0', 'a', `${who} ${block}`)])
        }
        grow(shared, trunk, 'trunk')
        const forks = [shared.fork(), shared.fork()] as const
        for (const [place, index] of [one, other].entries()) {
          const log = forks[place] as TestLog
          grow(log, branches[place] as number, `branch ${place}`)
          const member = world.running(index)
          if (member?.machine.disk.fault !== 'none') continue
          for (const block of log.blocks) member.machine.store?.commit(runOf(block))
        }
      },
    }
  },
}

/** A peer that lies from now on, to whoever connects to it. It is never healed. */
export const liar: ActionKind = {
  kind: 'liar',
  weight: 0.4,
  draw: (random) => {
    const [lie, seed] = [random.pick(LIES), digest('sha256', random.bytes(16), 'buffer')]
    return {
      told: lie.kind,
      machines: [],
      perform: (world) => openLiar(world, lie, new Uint8Array(seed)),
    }
  },
}
