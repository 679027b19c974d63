import { describe } from 'vitest'
import { createMemoryNetwork } from '../../src/net/memory.ts'
import type { Net } from '../../src/net/net.ts'
import { netContract } from './contract.ts'
import { seededRandom, VirtualClock } from './virtual-clock.ts'

describe('the network in memory', () => {
  netContract(() => {
    const clock = new VirtualClock()
    const network = createMemoryNetwork({ schedule: clock.schedule, nowMs: clock.nowMs, random: seededRandom(1) })
    const nets: Net[] = []
    return {
      async open(name, { apart = [] } = {}) {
        for (const other of apart) {
          network.cut(name, other)
          network.cut(other, name)
        }
        const net = network.open(name)
        nets.push(net)
        return net
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(nets.map((net) => net.close()))
      },
    }
  })
})
