/** Writing: records, many at once, deletions, negations, transactions, and raw deltas. */

import { type ActionKind, atShare } from '../action.ts'
import { COLLECTION, someId, someValues } from './data.ts'

export const put: ActionKind = {
  kind: 'put',
  weight: 9,
  draw: (random, machines) => {
    const [index, id, values] = [random.below(machines), someId(random), someValues(random)]
    return {
      told: `${index} ${id} ${JSON.stringify(values)}`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        if (member !== undefined) world.write(member, (namespace) => namespace.put(COLLECTION, id, values))
      },
    }
  },
}

/** More blocks than a gap buffer holds, in one go. */
export const burst: ActionKind = {
  kind: 'burst',
  weight: 1,
  draw: (random, machines) => {
    const index = random.below(machines)
    const records = Array.from({ length: 30 }, () => [someId(random), someValues(random)] as const)
    return {
      told: `${index} of ${records.length} records`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        if (member === undefined) return
        for (const [place, [id, values]] of records.entries()) {
          world.time.schedule(place * 2, () => {
            const still = world.running(index)
            if (still !== undefined) world.write(still, (namespace) => namespace.put(COLLECTION, id, values))
          })
        }
      },
    }
  },
}

export const remove: ActionKind = {
  kind: 'delete',
  weight: 1.5,
  draw: (random, machines) => {
    const [index, id] = [random.below(machines), someId(random)]
    return {
      told: `${index} ${id}`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        if (member !== undefined) world.write(member, (namespace) => namespace.delete(COLLECTION, id))
      },
    }
  },
}

/** Of any delta that anybody has acknowledged, here or not: a claim, or another negation. */
export const negate: ActionKind = {
  kind: 'negate',
  weight: 2,
  draw: (random, machines) => {
    const [index, share] = [random.below(machines), random.next()]
    return {
      told: `${index} the delta at ${share.toFixed(2)}`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        const id = atShare(world.witness.acknowledgedIds(), share)
        if (member !== undefined && id !== undefined) world.write(member, (namespace) => namespace.negate(id))
      },
    }
  },
}

export const transaction: ActionKind = {
  kind: 'transaction',
  weight: 2,
  draw: (random, machines) => {
    const index = random.below(machines)
    const records = Array.from({ length: 2 + random.below(3) }, () => [someId(random), someValues(random)] as const)
    const isTakenBack = random.next() < 0.3
    return {
      told: `${index} ${JSON.stringify(records)}${isTakenBack ? ', the first negated at once' : ''}`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        if (member === undefined) return
        world.write(member, (namespace) =>
          namespace.transaction((open) => {
            const own = records.map(([id, values]) => open.put(COLLECTION, id, values))
            const first = own[0]?.[0]
            if (isTakenBack && first !== undefined) open.negate(first)
          }),
        )
      },
    }
  },
}
