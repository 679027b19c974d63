/** What happens to shards: they are placed, held and dropped, written to and read through every node, and nodes die meanwhile. */

import { NAMESPACE_NAME } from '../../support/blocks.ts'
import type { ActionKind } from '../action.ts'
import { COLLECTIONS, ownId, pairIds, RANGES, sharedId, someCollection, someShard } from '../shards/data.ts'
import type { Member, World } from '../world.ts'

export const putEverywhere: ActionKind = {
  kind: 'put-everywhere',
  weight: 9,
  draw: (random, machines) => {
    const index = random.below(machines)
    const [collection, id] = [someCollection(random), ownId(random, index)]
    return {
      told: `${index} ${collection}/${id}`,
      machines: [index],
      perform: (world) => withRunning(world, index, (member) => world.shards?.put(member, collection, id)),
    }
  },
}

/** One write after the other, without waiting for any. */
export const burstEverywhere: ActionKind = {
  kind: 'burst-everywhere',
  weight: 1.5,
  draw: (random, machines) => {
    const index = random.below(machines)
    const records = Array.from({ length: 12 }, () => [someCollection(random), ownId(random, index)] as const)
    const everyMs = random.pick([0, 3, 300])
    return {
      told: `${index} of ${records.length} records, one each ${everyMs} ms`,
      machines: [index],
      perform: (world) => {
        for (const [place, [collection, id]] of records.entries())
          world.time.schedule(place * everyMs, () =>
            withRunning(world, index, (member) => world.shards?.put(member, collection, id)),
          )
      },
    }
  },
}

export const putShared: ActionKind = {
  kind: 'put-shared',
  weight: 2,
  draw: (random, machines) => {
    const [index, collection, id] = [random.below(machines), someCollection(random), sharedId(random)]
    const value = random.below(1_000)
    return {
      told: `${index} ${collection}/${id} ${value}`,
      machines: [index],
      perform: (world) =>
        withRunning(world, index, (member) =>
          world.shards?.write(member, (everywhere) => everywhere.put(collection, id, { n: value })),
        ),
    }
  },
}

export const deleteShared: ActionKind = {
  kind: 'delete-shared',
  weight: 1.5,
  draw: (random, machines) => {
    const [index, collection, id] = [random.below(machines), someCollection(random), sharedId(random)]
    return {
      told: `${index} ${collection}/${id}`,
      machines: [index],
      perform: (world) =>
        withRunning(world, index, (member) =>
          world.shards?.write(member, (everywhere) => everywhere.delete(collection, id), { mayFail: true }),
        ),
    }
  },
}

/** Two records of one shard, of which nobody may see one without the other. */
export const putPair: ActionKind = {
  kind: 'put-pair',
  weight: 3,
  draw: (random, machines) => {
    const [index, collection, ids] = [random.below(machines), someCollection(random), pairIds(random)]
    const value = random.below(1_000_000)
    return {
      told: `${index} ${collection}/${ids.join(' and ')} ${value}`,
      machines: [index],
      perform: (world) =>
        withRunning(world, index, (member) =>
          world.shards?.write(member, (everywhere) =>
            everywhere.transaction((open) => {
              for (const id of ids) open.put(collection, id, { pair: value })
            }),
          ),
        ),
    }
  },
}

export const readEverywhere: ActionKind = {
  kind: 'read-everywhere',
  weight: 4,
  draw: (random, machines) => {
    const [index, collection] = [random.below(machines), someCollection(random)]
    return {
      told: `${index} ${collection}`,
      machines: [index],
      perform: (world) => withRunning(world, index, (member) => world.shards?.read(member, collection)),
    }
  },
}

/** Two that overlap come about where two nodes that are apart place one each. */
export const place: ActionKind = {
  kind: 'place',
  weight: 1.5,
  draw: (random, machines) => {
    const [index, range] = [random.below(machines), random.pick(RANGES)]
    return {
      told: `${index} ${range}`,
      machines: [index],
      perform: (world) =>
        withRunning(world, index, (member) =>
          world.shards?.change(member, (node) => node.namespace(NAMESPACE_NAME).place(range), UNPLACEABLE),
        ),
    }
  },
}

export const hold: ActionKind = {
  kind: 'hold',
  weight: 2.5,
  draw: (random, machines) => {
    const [index, shard] = [random.below(machines), someShard(random)]
    return {
      told: `${index} ${shard}`,
      machines: [index],
      perform: (world) =>
        withRunning(world, index, (member) => world.shards?.change(member, (node) => node.hold(shard), UNPLACEABLE)),
    }
  },
}

export const drop: ActionKind = {
  kind: 'drop',
  weight: 2.5,
  draw: (random, machines) => {
    const [index, shard, deadlineMs] = [random.below(machines), someShard(random), random.pick([0, 2_000, 20_000])]
    return {
      told: `${index} ${shard} within ${deadlineMs} ms`,
      machines: [index],
      perform: (world) =>
        withRunning(world, index, (member) =>
          world.shards?.change(member, (node) => node.drop(shard, { deadlineMs }), ['RZ_SHARD_LAST_COPY']),
        ),
    }
  },
}

/** Somebody dies, or loses power, while another writes, takes a shard over or drops it. */
export const dieAmid: ActionKind = {
  kind: 'die-amid',
  weight: 2.5,
  draw: (random, machines) => {
    const amid = random.pick([putEverywhere, putPair, readEverywhere, hold, drop]).draw(random, machines)
    const [index, afterMs, isCut] = [random.below(machines), random.pick([0, 1, 2, 3, 5, 600]), random.next() < 0.3]
    return {
      told: `${index} ${isCut ? 'by a power cut ' : ''}${afterMs} ms into ${amid.told}`,
      machines: [index, ...amid.machines],
      perform: (world) => {
        amid.perform(world)
        world.time.schedule(afterMs, () => {
          const member = world.member(index)
          if (member === undefined) return
          world.look()
          if (isCut) world.powerCut(member, 1)
          else member.machine.kill()
        })
      },
    }
  },
}

/** It writes, loses that and whatever it had taken in just now, and writes at once what must not take the place of the lost. */
export const rebootAmid: ActionKind = {
  kind: 'reboot-amid',
  weight: 0.7,
  draw: (random, machines) => {
    const [index, afterMs] = [random.below(machines), random.pick([5, 100, 1_000])]
    const records = COLLECTIONS.map((collection) => [collection, ownId(random, index)] as const)
    return {
      told: `${index} ${afterMs} ms after it wrote one record of each collection`,
      machines: [index],
      perform: (world) => {
        const putAll = (): void =>
          withRunning(world, index, (member) => {
            for (const [collection, id] of records) world.shards?.put(member, collection, id)
          })
        putAll()
        world.time.schedule(afterMs, () =>
          withRunning(world, index, (member) => {
            world.look()
            world.powerCut(member, 1)
            world.start(member)
            putAll()
          }),
        )
      },
    }
  },
}

/** What is placed elsewhere, or holds records that this node knows of. */
const UNPLACEABLE = ['RZ_PLACEMENT_OVERLAP', 'RZ_PLACEMENT_TAKEN'] as const

function withRunning(world: World, index: number, act: (member: Member) => void): void {
  const member = world.running(index)
  if (member !== undefined) act(member)
}
