/** What computers do: crash, lose power, stand still, start again, be closed, run out of disk, and have their clocks set. */

import type { ActionKind } from '../action.ts'
import { COLLECTION, someId, someValues } from './data.ts'

export const kill: ActionKind = {
  kind: 'kill',
  weight: 0.8,
  draw: (random, machines) => {
    const index = random.below(machines)
    return { told: `${index}`, machines: [index], perform: (world) => world.member(index)?.machine.kill() }
  },
}

/** In the middle of a write: the disk took all of it or nothing, and nobody was told. */
export const killWhileWriting: ActionKind = {
  kind: 'kill-while-writing',
  weight: 0.7,
  draw: (random, machines) => {
    const [index, id, values] = [random.below(machines), someId(random), someValues(random)]
    const fault = random.pick(['failed', 'failed-after-write'] as const)
    return {
      told: `${index}, whose disk had ${fault === 'failed' ? 'nothing' : 'all'} of it`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        if (member === undefined) return
        const { machine } = member
        machine.disk.fault = fault
        world.write(member, (namespace) => namespace.put(COLLECTION, id, values))
        world.time.defer(() => {
          machine.kill()
          machine.disk.fault = 'none'
        })
      },
    }
  },
}

export const powerCut: ActionKind = {
  kind: 'power-cut',
  weight: 0.8,
  draw: (random, machines) => {
    const [index, lostShare] = [random.below(machines), random.pick([0, 0.1, 0.5, 1])]
    return {
      told: `${index}, which loses ${lostShare} of what was not synced`,
      machines: [index],
      perform: (world) => {
        const member = world.member(index)
        if (member !== undefined) world.powerCut(member, lostShare)
      },
    }
  },
}

/** What others have by then is lost here, and the next is written at once: it must not take the place of what was lost. */
export const reboot: ActionKind = {
  kind: 'reboot',
  weight: 0.7,
  draw: (random, machines) => {
    const [index, afterMs] = [random.below(machines), random.pick([5, 100, 1_000])]
    const records = Array.from({ length: 2 }, () => [someId(random), someValues(random)] as const)
    return {
      told: `${index} ${afterMs} ms after a write, which it loses; then it writes ${JSON.stringify(records)}`,
      machines: [index],
      perform: (world) => {
        const putAll = (): void => {
          const member = world.running(index)
          if (member === undefined) return
          for (const [id, values] of records) world.write(member, (namespace) => namespace.put(COLLECTION, id, values))
        }
        putAll()
        world.time.schedule(afterMs, () => {
          const member = world.running(index)
          if (member === undefined) return
          world.powerCut(member, 1)
          world.start(member)
          putAll()
        })
      },
    }
  },
}

/** As a checkpoint does. */
export const syncDisk: ActionKind = {
  kind: 'sync-disk',
  weight: 0.5,
  draw: (random, machines) => {
    const index = random.below(machines)
    return { told: `${index}`, machines: [index], perform: (world) => world.member(index)?.machine.disk.sync() }
  },
}

export const start: ActionKind = {
  kind: 'start',
  weight: 2,
  draw: (random, machines) => {
    const index = random.below(machines)
    return {
      told: `${index}`,
      machines: [index],
      perform: (world) => {
        const member = world.member(index)
        if (member !== undefined) world.start(member)
      },
    }
  },
}

export const close: ActionKind = {
  kind: 'close',
  weight: 0.4,
  draw: (random, machines) => {
    const index = random.below(machines)
    return { told: `${index}`, machines: [index], perform: (world) => void world.running(index)?.machine.stop() }
  },
}

export const pause: ActionKind = {
  kind: 'pause',
  weight: 0.7,
  draw: (random, machines) => {
    const index = random.below(machines)
    return { told: `${index}`, machines: [index], perform: (world) => world.member(index)?.machine.pause() }
  },
}

export const resume: ActionKind = {
  kind: 'resume',
  weight: 0.7,
  draw: (random, machines) => {
    const index = random.below(machines)
    return { told: `${index}`, machines: [index], perform: (world) => world.member(index)?.machine.resume() }
  },
}

export const diskFault: ActionKind = {
  kind: 'disk',
  weight: 0.6,
  draw: (random, machines) => {
    const [index, fault] = [random.below(machines), random.pick(['full', 'failed', 'failed-after-write'] as const)]
    const durationMs = random.pick([10, 1_000, 15_000])
    return {
      told: `${index} ${fault} for ${durationMs} ms`,
      machines: [index],
      perform: (world) => {
        const member = world.member(index)
        if (member === undefined || member.machine.disk.fault !== 'none') return
        const { disk } = member.machine
        disk.fault = fault
        if (fault === 'failed-after-write') world.witness.doubted(member)
        world.time.schedule(durationMs, () => {
          disk.fault = 'none'
        })
      },
    }
  },
}

/** Forwards and backwards; more than 5 minutes ahead its blocks wait elsewhere until they are due. */
export const setClock: ActionKind = {
  kind: 'set-clock',
  weight: 0.7,
  draw: (random, machines) => {
    const [index, byMs] = [random.below(machines), random.pick([-3_600_000, -60_000, -1_000, 1_000, 60_000, 480_000])]
    return {
      told: `${index} by ${byMs} ms`,
      machines: [index],
      perform: (world) => {
        const member = world.member(index)
        if (member !== undefined) member.machine.clockOffsetMs = member.homeOffsetMs + byMs
      },
    }
  },
}
