/** What a network does: weather, cuts of one way and both, partitions, streams that break, and mending. */

import type { ActionKind } from '../action.ts'

export const weather: ActionKind = {
  kind: 'weather',
  weight: 1.5,
  draw: (random) => {
    const faults = {
      delayMsMin: 0.2,
      delayMsMax: random.pick([1, 20, 400]),
      lossRate: random.pick([0, 0.1, 0.5, 1]),
      duplicateRate: random.pick([0, 0.2]),
      noticeMs: random.pick([500, 10_000]),
    }
    return { told: JSON.stringify(faults), machines: [], perform: (world) => world.network.setFaults(faults) }
  },
}

export const partition: ActionKind = {
  kind: 'partition',
  weight: 1,
  draw: (random, machines) => {
    const side = Array.from({ length: machines }, () => random.next() < 0.5)
    const told = [true, false]
      .map((which) => side.flatMap((is, index) => (is === which ? [index] : [])).join(' '))
      .join(' | ')
    return {
      told,
      machines: [],
      perform: (world) => {
        const groups = [true, false].map((which) =>
          world.members.filter(({ index }) => side[index] === which).map(({ machine }) => machine.peerId),
        )
        world.network.partition(...groups)
      },
    }
  },
}

export const cutOneWay: ActionKind = {
  kind: 'cut-one-way',
  weight: 1,
  draw: (random, machines) => {
    const [from, to] = [random.below(machines), random.below(machines)]
    return {
      told: `from ${from} to ${to}`,
      machines: [from, to],
      perform: (world) => {
        const [one, other] = [world.member(from), world.member(to)]
        if (one !== undefined && other !== undefined) world.network.cut(one.machine.peerId, other.machine.peerId)
      },
    }
  },
}

export const breakStreams: ActionKind = {
  kind: 'break-streams',
  weight: 0.7,
  draw: (random, machines) => {
    const [from, to] = [random.below(machines), random.below(machines)]
    return {
      told: `between ${from} and ${to}`,
      machines: [from, to],
      perform: (world) => {
        const [one, other] = [world.member(from), world.member(to)]
        if (one !== undefined && other !== undefined)
          world.network.breakStreams(one.machine.peerId, other.machine.peerId)
      },
    }
  },
}

export const heal: ActionKind = {
  kind: 'heal',
  weight: 1.2,
  draw: () => ({ told: '', machines: [], perform: (world) => world.network.heal() }),
}
