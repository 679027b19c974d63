import { describe, expect, it } from 'vitest'
import type { PeerId } from '../../../src/delta/delta.ts'
import { openNamespaceId } from '../../../src/log/namespace.ts'
import { DETECTORS } from '../../../src/sync/members/detector.ts'
import type { Member, MemberState } from '../../../src/sync/members/member.ts'
import { encodeMemberMessage, type Presence, presenceTopicOf } from '../../../src/sync/members/message.ts'
import type { OwnClock } from '../../../src/sync/members/own-clock.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, negation, runOf, signer, TestLog } from '../../support/blocks.ts'
import { type NodeOptions, World, type WorldNode } from '../world.ts'

const TOPIC = presenceTopicOf(NAMESPACE_NAME)

function open(world: World, number: number, options: NodeOptions = {}): WorldNode {
  return world.open(number, { ...options, members: { ...options.members } })
}

function memberOf(node: WorldNode, number: number): Member | undefined {
  return node.replication.members(NAMESPACE).find(({ peer }) => peer === signer(number).id)
}

function stateOf(node: WorldNode, number: number): MemberState | undefined {
  return memberOf(node, number)?.state
}

/** `count` nodes that all know each other. */
async function meeting(world: World, count: number, options: NodeOptions = {}): Promise<WorldNode[]> {
  const nodes = Array.from({ length: count }, (_, index) => open(world, index + 1, options))
  await world.until('all know all', () =>
    nodes.every((node) => node.replication.members(NAMESPACE).length === count - 1),
  )
  // Until heartbeats have come and gone.
  await world.time.advance(3_000)
  return nodes
}

function changes(node: WorldNode): string[] {
  return node.told('member-changed').map(({ member, change }) => `${member.name} ${change} ${member.state}`)
}

function presenceOf(number: number, fields: Partial<Presence> = {}): Presence {
  return {
    kind: 'presence',
    namespace: NAMESPACE,
    peer: signer(number).id,
    incarnation: 1,
    counter: 0,
    nextMs: 30_000,
    leaving: false,
    name: `stranger ${number}`,
    version: '0',
    addresses: [],
    namespaces: [],
    tags: [],
    tagsCut: false,
    digest: new Uint8Array(32),
    ...fields,
  }
}

describe('members', () => {
  it('know of each other what each tells of itself', async () => {
    const world = new World()
    const [a] = (await meeting(world, 3)) as [WorldNode, WorldNode, WorldNode]
    expect(memberOf(a, 2)).toMatchObject({
      name: 'node 2',
      state: 'alive',
      version: '1.2.3',
      namespaces: ['users'],
      tags: [],
      tagsCut: false,
      connected: true,
      behindBlocks: 0,
      clockOffsetMs: 0,
      addresses: [`/memory/${signer(2).id}`],
    })
    expect(memberOf(a, 2)?.roundTripMs).toBeCloseTo(2, 0)
    expect(Math.abs((memberOf(a, 2)?.lastHeardMs ?? 0) - world.time.nowMs())).toBeLessThan(500)
    expect(changes(a).toSorted()).toEqual(['node 2 appeared alive', 'node 3 appeared alive'])
  })

  it('tell the collections that they hold as soon as they hold them', async () => {
    const world = new World()
    const [a, b] = (await meeting(world, 2)) as [WorldNode, WorldNode]
    const log = new TestLog({ signer: signer(1) })
    a.store.commit(
      runOf(log.append([claim('book', 'x', 'n', 1), claim('user', 'y', 'n', 1), claim('user', 'z', 'n', 1)])),
    )
    const [zoe] = a.store.entity(NAMESPACE, 'user/z').deltas
    a.store.commit(runOf(log.append([negation(zoe?.id ?? './0')])))
    await world.until('the other knows', () => memberOf(b, 1)?.tags.length === 2, 5_000)
    expect(memberOf(b, 1)?.tags).toEqual(['book', 'user'])
    expect(changes(b)).toContain('node 1 tags alive')
  })

  it('tell 64 collections at most, and that there are more', async () => {
    const world = new World()
    const [a, b] = (await meeting(world, 2)) as [WorldNode, WorldNode]
    const names = Array.from({ length: 70 }, (_, index) => `c${index + 10}`)
    const raw = Array.from({ length: 300 }, (_, index) => [
      { localContext: 'about', target: `raw${index}`, targetContext: 'p' },
      { localContext: 'p', target: 1 },
    ])
    const log = new TestLog({ signer: signer(1) })
    a.store.commit(runOf(log.append([...names.map((name) => claim(name, 'x', 'n', 1)), ...raw])))
    await world.until('the other knows', () => (memberOf(b, 1)?.tags.length ?? 0) > 0, 5_000)
    expect(memberOf(b, 1)).toMatchObject({ tags: names.slice(0, 64), tagsCut: true })
  })

  it('that leave are told as left, and not as down', async () => {
    const world = new World()
    const [a, b] = (await meeting(world, 2)) as [WorldNode, WorldNode]
    await Promise.all([b.replication.close(), world.time.advance(100)])
    await b.net.close()
    await world.time.advance(10_000)
    expect(stateOf(a, 2)).toBe('left')
    expect(changes(a)).toEqual(['node 2 appeared alive', 'node 2 state left'])
  })

  it('are known to a newcomer within a moment, those included that have not spoken since', async () => {
    const world = new World({ faults: { reconnectMsMax: 1 } })
    await meeting(world, 4)
    await world.time.advance(20_000)
    const late = open(world, 5)
    await world.until('it knows all', () => late.replication.members(NAMESPACE).length === 4, 1_000)
    expect(new Set(late.replication.members(NAMESPACE).map(({ state }) => state))).toEqual(new Set(['alive']))
  })

  it('that restart come back with a higher incarnation, even if their clock was set back', async () => {
    const world = new World()
    const [a, b] = (await meeting(world, 2)) as [WorldNode, WorldNode]
    const before = memberOf(a, 2)?.incarnation ?? 0
    await world.crash(b)
    await world.until('it is down', () => stateOf(a, 2) === 'down')
    open(world, 2, { disk: b.disk, log: b.log, skewMs: -3_600_000 })
    await world.until('it is back', () => stateOf(a, 2) === 'alive')
    expect(memberOf(a, 2)?.incarnation).toBeGreaterThan(before)
    expect(changes(a).at(-1)).toBe('node 2 appeared alive')
  })

  it('that went by a clock ahead and lost their notes speak up again once they hear their own echo', async () => {
    const world = new World()
    const [a, , c] = (await meeting(world, 3, { skewMs: 0 })) as [WorldNode, WorldNode, WorldNode]
    const ahead = memberOf(a, 3)?.incarnation ?? 0
    await world.crash(c)
    await world.until('it is down', () => stateOf(a, 3) === 'down')
    open(world, 3, { skewMs: -86_400_000 })
    await world.until('it speaks up', () => (memberOf(a, 3)?.incarnation ?? 0) > ahead, 10_000)
    expect(stateOf(a, 3)).toBe('alive')
  })
})

describe('a member that dies', () => {
  it('is down for all others within 3 s, also where a tenth of gossip is lost and links are uneven', async () => {
    const tookMs: number[] = []
    for (let seed = 1; seed <= 12; seed++) {
      const world = new World({ seed, faults: { lossRate: 0.1, delayMsMin: 1, delayMsMax: 20, noticeMs: 60_000 } })
      const nodes = await meeting(world, 5)
      await world.time.advance(5_000 + seed * 37)
      const diedMs = world.time.nowMs()
      await world.crash(nodes[4] as WorldNode)
      for (const node of nodes.slice(0, 4)) {
        await world.until('it is down', () => stateOf(node, 5) === 'down', 10_000)
        tookMs.push(world.time.nowMs() - diedMs)
      }
      for (const node of nodes.slice(0, 4)) {
        const wrong = node
          .told('member-changed')
          .filter(({ member }) => member.state === 'down' && member.name !== 'node 5')
        expect(wrong, `seed ${seed}`).toEqual([])
      }
    }
    tookMs.sort((x, y) => x - y)
    expect(tookMs.at(-1)).toBeLessThan(3_000)
    expect(tookMs.at(0)).toBeGreaterThan(500)
  })

  it('is down for both of two, and in a partition each side finds the other down; both come back', async () => {
    const world = new World({ faults: { noticeMs: 500 } })
    const [a, b, c, d] = (await meeting(world, 4)) as [WorldNode, WorldNode, WorldNode, WorldNode]
    world.network.partition([a.net.self, b.net.self], [c.net.self, d.net.self])
    await world.until('the sides lost each other', () =>
      [stateOf(a, 3), stateOf(b, 4), stateOf(c, 1), stateOf(d, 2)].every((state) => state === 'down'),
    )
    expect([stateOf(a, 2), stateOf(c, 4)]).toEqual(['alive', 'alive'])
    world.network.heal()
    await world.until('all are back', () =>
      [a, b, c, d].every((node) => node.replication.members(NAMESPACE).every(({ state }) => state === 'alive')),
    )
  })
})

describe('a member that only one cannot hear', () => {
  it('is suspect there, refutes through the others, and is down nowhere', async () => {
    const world = new World({ faults: { noticeMs: 500 } })
    const nodes = await meeting(world, 4)
    const [a, b, c, d] = nodes as [WorldNode, WorldNode, WorldNode, WorldNode]
    const before = memberOf(c, 1)?.incarnation ?? 0
    // Both ways: the connection ends, and neither comes back to it.
    world.network.cut(a.net.self, b.net.self)
    world.network.cut(b.net.self, a.net.self)
    await world.time.advance(60_000)
    expect(changes(b)).toContain('node 1 state suspect')
    for (const node of nodes) expect(changes(node).filter((line) => line.endsWith('down'))).toEqual([])
    expect([stateOf(a, 2), stateOf(b, 1), stateOf(c, 1), stateOf(d, 1)]).toEqual(['alive', 'alive', 'alive', 'alive'])
    expect(memberOf(c, 1)?.incarnation).toBeGreaterThan(before)
  })

  it('is told by those who hear it when it dies', async () => {
    const world = new World({ faults: { noticeMs: 500 } })
    const [a, b] = (await meeting(world, 4)) as [WorldNode, WorldNode]
    world.network.cut(a.net.self, b.net.self)
    world.network.cut(b.net.self, a.net.self)
    await world.time.advance(20_000)
    await world.crash(a)
    await world.until('it is down where it was not heard', () => stateOf(b, 1) === 'down', 4_000)
    expect(stateOf(b, 3)).toBe('alive')
  })
})

describe('hostile members', () => {
  async function withStranger() {
    const world = new World()
    const [a, b] = (await meeting(world, 2)) as [WorldNode, WorldNode]
    const stranger = world.stranger(50)
    stranger.join(
      TOPIC,
      () => 'accept',
      () => undefined,
    )
    await world.time.advance(2_000)
    const send = async (bytes: Uint8Array): Promise<void> => {
      await stranger.publish(TOPIC, bytes)
      await world.time.advance(20)
    }
    return { world, a, b, stranger, send }
  }

  it('cannot speak for others, nor alter or replay what others said', async () => {
    const { a, b, send, world } = await withStranger()
    await send(encodeMemberMessage(presenceOf(2, { incarnation: 2 ** 52, leaving: true }), signer(50)))
    expect(a.told('rejected').at(-1)).toMatchObject({ code: 'RZ_SIGNATURE_INVALID' })
    expect([stateOf(a, 2), stateOf(b, 1)]).toEqual(['alive', 'alive'])
    // An old presence of node 2, truly signed.
    await send(encodeMemberMessage(presenceOf(2, { incarnation: 5, tags: ['old'] }), signer(2)))
    await world.time.advance(1_000)
    expect(memberOf(a, 2)?.tags).toEqual([])
    expect(a.net.peers().map(({ id }) => id)).toContain(signer(50).id)
  })

  it('are held to the namespace of the topic', async () => {
    const { a, send } = await withStranger()
    await send(encodeMemberMessage(presenceOf(50, { namespace: openNamespaceId('other') }), signer(50)))
    expect(a.told('rejected').at(-1)).toMatchObject({ code: 'RZ_SYNC_MEMBER_INVALID' })
    expect(memberOf(a, 50)).toBeUndefined()
  })

  it('lose their connection for garbage', async () => {
    const { a, send, world } = await withStranger()
    for (let round = 0; round < 12; round++) await send(Uint8Array.of(round, 1, 2, 3))
    await world.time.advance(1_000)
    expect(a.net.peers().map(({ id }) => id)).not.toContain(signer(50).id)
  })

  it('that are many do not grow memory past the limit, nor push out those who are there', async () => {
    const world = new World()
    const [a] = (await meeting(world, 2, { members: { membersMax: 20 } })) as [WorldNode, WorldNode]
    const stranger = world.stranger(50)
    stranger.join(
      TOPIC,
      () => 'accept',
      () => undefined,
    )
    await world.time.advance(2_000)
    for (let number = 100; number < 200; number++) {
      await stranger.publish(TOPIC, encodeMemberMessage(presenceOf(number), signer(number)))
    }
    await world.time.advance(1_000)
    expect(a.replication.members(NAMESPACE).length).toBe(20)
    expect(stateOf(a, 2)).toBe('alive')
    await world.time.advance(10 * 60_000)
    const fake = a.replication.members(NAMESPACE).filter(({ name }) => name.startsWith('stranger'))
    expect(new Set(fake.map(({ state }) => state))).toEqual(new Set(['down']))
    const late = open(world, 3)
    await world.until('who is really there finds room', () => stateOf(a, 3) === 'alive')
    expect(stateOf(late, 1)).toBe('alive')
  })

  it('that accuse all the time make nobody down that is heard', async () => {
    const { a, b, send, world } = await withStranger()
    await send(encodeMemberMessage(presenceOf(50), signer(50)))
    for (let round = 0; round < 40; round++) {
      for (const [node, number] of [
        [b, 1],
        [a, 2],
      ] as const) {
        const incarnation = memberOf(node, number)?.incarnation ?? 0
        const head = { kind: 'accusation', namespace: NAMESPACE, peer: signer(50).id } as const
        await send(encodeMemberMessage({ ...head, suspect: signer(number).id, incarnation }, signer(50)))
      }
      await world.time.advance(300)
    }
    for (const node of [a, b]) expect(changes(node).filter((line) => /node \d state/.test(line))).toEqual([])
  })

  it('that tell too much are heard once in a second', async () => {
    const { a, send } = await withStranger()
    for (let counter = 0; counter < 100; counter++) {
      await send(encodeMemberMessage(presenceOf(50, { counter, name: `${counter}` }), signer(50)))
    }
    expect(changes(a).filter((line) => line.includes('details')).length).toBeLessThan(15)
  })
})

describe('asking all to answer', () => {
  it('answers the round trips of those that do, and ends when all have', async () => {
    const world = new World({ faults: { delayMsMin: 5, delayMsMax: 5 } })
    const [a] = (await meeting(world, 4)) as [WorldNode]
    const startedMs = world.time.nowMs()
    const [answers] = await Promise.all([
      a.replication
        .probe(NAMESPACE, { timeoutMs: 3_000 })
        .then((each) => ({ each, tookMs: world.time.nowMs() - startedMs })),
      world.time.advance(3_000),
    ])
    expect([...answers.each.keys()].toSorted()).toEqual(
      [2, 3, 4].map((number) => signer(number).id as string).toSorted(),
    )
    for (const roundTripMs of answers.each.values()) expect(roundTripMs).toBeCloseTo(10, -1)
    expect(answers.tookMs).toBeLessThan(1_000)
  })

  it('reaches those who are not connected, and leaves out who is dead', async () => {
    const world = new World({ faults: { noticeMs: 500 } })
    const [a, b, , d] = (await meeting(world, 4)) as [WorldNode, WorldNode, WorldNode, WorldNode]
    world.network.cut(a.net.self, b.net.self)
    world.network.cut(b.net.self, a.net.self)
    await world.time.advance(10_000)
    await world.crash(d)
    const [answers] = await Promise.all([
      a.replication.probe(NAMESPACE, { timeoutMs: 2_000 }),
      world.time.advance(2_500),
    ])
    expect([...answers.keys()].toSorted()).toEqual([2, 3].map((number) => signer(number).id as string).toSorted())
  })

  it('answers everybody, where several ask at the same moment', async () => {
    const world = new World({ faults: { delayMsMin: 5, delayMsMax: 5 } })
    const all = await meeting(world, 5)
    const asked = all.map((node) => node.replication.probe(NAMESPACE, { timeoutMs: 1_000 }))
    await world.time.advance(1_500)
    for (const answers of await Promise.all(asked)) expect(answers.size).toBe(4)
  })

  it('answers no more than eight askers in a second, and each of them once', async () => {
    const world = new World({ faults: { delayMsMin: 5, delayMsMax: 5 } })
    const all = await meeting(world, 12)
    const asked = all.map((node) => node.replication.probe(NAMESPACE, { timeoutMs: 900 }))
    await world.time.advance(1_000)
    const answersCount = (await Promise.all(asked)).reduce((sum, answers) => sum + answers.size, 0)
    expect(answersCount).toBeLessThanOrEqual(12 * 8)
    expect(answersCount).toBeGreaterThan(12 * 2)
  })

  it('is answered each time to one that asks once a second, though some questions take longer than others', async () => {
    const world = new World({ faults: { delayMsMin: 0, delayMsMax: 300 } })
    const [a] = (await meeting(world, 2)) as [WorldNode]
    for (let question = 0; question < 8; question++) {
      const [answers] = await Promise.all([
        a.replication.probe(NAMESPACE, { timeoutMs: 900 }),
        world.time.advance(1_000),
      ])
      expect(answers.size, `question ${question}`).toBe(1)
    }
  })

  it('is answered at once where nobody is, and shared by those who ask together', async () => {
    const world = new World()
    const alone = open(world, 1)
    expect(await alone.replication.probe(NAMESPACE, { timeoutMs: 1_000 })).toEqual(new Map())
    await expect(alone.replication.probe(openNamespaceId('other'), { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'RZ_SYNC_CLOSED',
    })
    open(world, 2)
    await world.until('they know each other', () => stateOf(alone, 2) === 'alive')
    const ask = () => alone.replication.probe(NAMESPACE, { timeoutMs: 1_000 })
    const [first, second] = await Promise.all([ask(), ask(), world.time.advance(3_000)])
    expect(first).toBe(second)
  })
})

describe('clocks', () => {
  it('are told apart within half a round trip', async () => {
    const world = new World({ faults: { delayMsMin: 1, delayMsMax: 40 } })
    const a = open(world, 1)
    open(world, 2, { skewMs: 90_000 })
    await world.until('it is known', () => memberOf(a, 2)?.clockOffsetMs !== undefined)
    await world.time.advance(5_000)
    expect(Math.abs((memberOf(a, 2)?.clockOffsetMs ?? 0) - 90_000)).toBeLessThan(20)
  })

  it('of this node, off those of three peers, are told to be off, and right again once they are', async () => {
    const world = new World()
    const told: OwnClock[] = []
    let skewMs = 60_000
    const a = world.open(1, {
      members: { onOwnClock: (clock) => told.push(clock) },
      get skewMs() {
        return skewMs
      },
    })
    for (const number of [2, 3, 4]) open(world, number)
    await world.until('it is told', () => told.some(({ isSure }) => isSure))
    expect(told.at(-1)).toEqual({ offsetMs: 60_000, peersCount: 3, isOff: true, isSure: true })
    expect(a.replication.ownClock()).toMatchObject({ isOff: true })
    skewMs = 0
    await world.until('it is right', () => told.at(-1)?.isOff === false)
    expect(told.at(-1)?.offsetMs).toBe(0)
  })

  it('of a node whose one peer is off are told less surely, and of those who agree not at all', async () => {
    const world = new World()
    const told = new Map<number, OwnClock[]>()
    for (const number of [1, 2, 3]) {
      const each: OwnClock[] = []
      told.set(number, each)
      open(world, number, { skewMs: number === 3 ? -30_000 : 0, members: { onOwnClock: (clock) => each.push(clock) } })
    }
    await world.time.advance(10_000)
    expect(told.get(3)).toEqual([{ offsetMs: -30_000, peersCount: 2, isOff: true, isSure: false }])
    expect([told.get(1), told.get(2)]).toEqual([[], []])
  })
})

describe('the detector switched off', () => {
  it('sends no heartbeats and suspects nobody, and members are known', async () => {
    const world = new World({ faults: { noticeMs: 500 } })
    const [a, b] = (await meeting(world, 2, { members: { detector: DETECTORS.off } })) as [WorldNode, WorldNode]
    expect(memberOf(a, 2)?.roundTripMs).toBeUndefined()
    await world.crash(b)
    await world.time.advance(600_000)
    expect(stateOf(a, 2)).toBe('alive')
  })
})

it('a node that takes no part in membership has no members, and syncs', async () => {
  const world = new World()
  const a = open(world, 1)
  const without = world.open(2)
  a.write(3)
  await world.untilEqual()
  expect(without.replication.members(NAMESPACE)).toEqual([])
  expect(without.replication.ownClock()).toBeUndefined()
  expect(a.replication.members(NAMESPACE)).toEqual([])
  expect(signer(1).id satisfies PeerId).toBe(a.net.self)
})
