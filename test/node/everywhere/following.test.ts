/** One question for all who follow a shard, and holders that answer it as they like. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { createMemoryNetwork } from '../../../src/net/memory.ts'
import { type Follower, Following } from '../../../src/node/everywhere/following.ts'
import { Holders } from '../../../src/node/everywhere/holders.ts'
import { FOLLOW_AGAIN_MS, FOLLOW_PACE_MS, TOLD_MAX, TURNS_MS } from '../../../src/node/everywhere/limits.ts'
import type { Shard } from '../../../src/node/everywhere/shard.ts'
import { type Answerer, Answering } from '../../../src/sync/questions/answering.ts'
import { Asking } from '../../../src/sync/questions/asking.ts'
import { LATER_MS_MAX, LATER_PER_PEER_MAX } from '../../../src/sync/questions/limits.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { VirtualTime } from '../../../src/testing/virtual-time.ts'
import { NAMESPACE, signer } from '../../support/blocks.ts'

const LIFE = 'abcdef01'
const place = (position: number): Value => [LIFE, position]

/** Peers that answer as they are told, and one who follows. */
async function world(...answers: readonly Answerer[]) {
  const time = new VirtualTime(0)
  const random = seededRandom(1)
  const schedule = (delayMs: number, run: () => void) => time.schedule(delayMs, run)
  const steadyMs = () => time.nowMs()
  const network = createMemoryNetwork({
    schedule: (delayMs, run) => void time.schedule(delayMs, run),
    random: () => random.next(),
    nowMs: steadyMs,
  })
  for (const [index, answer] of answers.entries()) {
    const net = network.open(signer(index + 1).id)
    const answering = new Answering({ net, schedule, steadyMs, answer })
    onTestFinished(() => answering.close())
  }
  const asking = new Asking({ net: network.open(signer(9).id), schedule })
  await time.advance(6_000)
  const names = Array.from({ length: 20 }, (_, index) => `shop:*:${index}`)
  const members = answers.map((_, index) => ({
    peer: signer(index + 1).id,
    state: 'alive',
    connected: true,
    namespaces: names,
  }))
  const closing = new AbortController()
  onTestFinished(() => closing.abort())
  const environment = { schedule, steadyMs } as never
  const replication = () => ({ members: () => members }) as never
  const holders = new Holders({ environment, replication, asking, closing: closing.signal })
  await time.advance(6_000)
  const following = new Following({ environment, holders, closing: closing.signal })
  const shards = names.map((name) => ({ name, id: NAMESPACE, parent: { id: NAMESPACE } }) as unknown as Shard)
  return { time, following, shards, shard: shards[0] as Shard }
}

class Heard implements Follower {
  begunCount = 0
  records: string[] = []
  failedCount = 0

  onBegun(): void {
    this.begunCount++
  }

  onChanges({ records }: { readonly records: readonly string[] }): void {
    this.records.push(...records)
  }

  onFailed(): void {
    this.failedCount++
  }
}

/** Answers what `next` says has happened, once it has. */
function holder(life = LIFE) {
  const events: string[] = []
  const state = { askedCount: 0, waitMs: [] as number[], wake: () => undefined as void, events }
  const answer: Answerer = ({ content }) => {
    state.askedCount++
    const { after, waitMs } = content as { readonly after: [string, number] | null; readonly waitMs: number }
    state.waitMs.push(waitMs)
    const end = () => [[life, events.length], true, true] as const
    if (after === null || after[0] !== life) return { end: [[life, events.length], false, true] }
    if (after[1] < events.length) return { items: events.slice(after[1]), end: end() }
    return {
      waitMs,
      until: (signal) =>
        new Promise<void>((resolve) => {
          state.wake = resolve
          signal.addEventListener('abort', () => resolve())
        }),
      answer: () => ({ items: events.slice(after[1]), end: end() }),
    }
  }
  const happen = (record: string): void => {
    events.push(record)
    state.wake()
  }
  return { state, answer, happen }
}

describe('following a shard', () => {
  it('asks one question at a time, whoever follows, and none when nobody does', async () => {
    const { state, answer, happen } = holder()
    const { time, following, shard } = await world(answer)
    const heard = Array.from({ length: 10 }, () => new Heard())
    const left = heard.map((each) => following.follow(shard, each).leave)
    await time.advance(1_000)
    expect(state.askedCount).toBe(2)
    happen('apple/x')
    await time.advance(100)
    expect(state.askedCount).toBe(3)
    for (const each of heard) expect(each).toMatchObject({ begunCount: 1, records: ['apple/x'], failedCount: 0 })
    for (const leave of left.slice(1)) leave()
    await time.advance(3 * LATER_MS_MAX)
    expect(state.askedCount).toBeLessThan(8)
    left[0]?.()
    await time.advance(2 * LATER_MS_MAX)
    const { askedCount } = state
    await time.advance(10 * LATER_MS_MAX)
    expect(state.askedCount).toBe(askedCount)
  })

  it('that others follow already begins at once', async () => {
    const { answer } = holder()
    const { time, following, shard } = await world(answer)
    following.follow(shard, new Heard())
    await time.advance(1_000)
    expect(following.follow(shard, new Heard()).followed.at).toMatchObject({ cursor: { life: LIFE, position: 0 } })
  })

  it('of which one holder has more than it lets wait takes turns, and all are followed', async () => {
    const { state, answer } = holder()
    const { time, following, shards } = await world(answer)
    const heard = shards.map((shard) => {
      const follower = new Heard()
      following.follow(shard, follower)
      return follower
    })
    expect(shards.length).toBeGreaterThan(LATER_PER_PEER_MAX)
    await time.advance(10 * TURNS_MS)
    expect(heard.map(({ begunCount }) => begunCount)).toEqual(shards.map(() => 1))
    expect(state.waitMs.at(-1)).toBe(TURNS_MS)
    const { askedCount } = state
    await time.advance(10 * TURNS_MS)
    expect(state.askedCount).toBeGreaterThanOrEqual(askedCount + shards.length)
  })

  it('stays with its holder, and begins anew with another once that answers no more', async () => {
    let isGone = false
    const first = holder()
    const second = holder('abcdef02')
    const { time, following, shard } = await world((question, from) => {
      if (isGone) throw Object.assign(new Error(), { code: 'RZ_SHARD_UNHELD' })
      return first.answer(question, from)
    }, second.answer)
    const heard = new Heard()
    const { followed } = following.follow(shard, heard)
    shard.preferred = signer(2).id
    await time.advance(30_000)
    expect(followed.at?.holder).toBe(signer(1).id)
    expect(heard.begunCount).toBe(1)
    isGone = true
    await time.advance(30_000)
    expect(followed.at).toMatchObject({ holder: signer(2).id, cursor: { life: 'abcdef02' } })
    expect(heard.begunCount).toBe(2)
  })
})

describe('a holder that answers as it likes', () => {
  const hostile: readonly (readonly [string, () => { items?: readonly Value[]; end: Value }])[] = [
    ['garbage', () => ({ items: [7, null, 'apple'], end: 'end' })],
    ['rules of no kind', () => ({ items: [['law', 'x']], end: [place(1), true, true] })],
    ['places before the last', () => ({ end: [place(0), true, true] })],
    ['places of another life as its own', () => ({ end: [['12345678', 9], true, true] })],
    ['that there is more, and gets nowhere', () => ({ items: ['apple/x'], end: [place(5), true, false] })],
    [
      'more than a holder tells at once',
      () => ({ items: Array.from({ length: 5 * TOLD_MAX }, (_, n) => `a/${n}`), end: [place(9), true, true] }),
    ],
  ]

  it.each(hostile)('tells %s: another is asked, and it no sooner than after a while', async (_, answer) => {
    let askedCount = 0
    const honest = holder('abcdef02')
    const { time, following, shard } = await world(({ content }) => {
      const { after } = content as { readonly after: Value }
      askedCount++
      return after === null ? { end: [place(5), false, true] } : answer()
    }, honest.answer)
    const heard = new Heard()
    const { followed } = following.follow(shard, heard)
    await time.advance(5 * FOLLOW_AGAIN_MS)
    expect(followed.at?.holder).toBe(signer(2).id)
    expect(askedCount).toBeLessThan(5)
    honest.happen('apple/x')
    await time.advance(1_000)
    expect(heard.records).toContain('apple/x')
  })

  it('without end and nothing to tell is asked no faster than it may be', async () => {
    let askedCount = 0
    const { time, following, shard } = await world(({ content }) => ({
      end: [place(++askedCount), (content as { readonly after: Value }).after !== null, true],
    }))
    const { followed } = following.follow(shard, new Heard())
    await time.advance(1_000)
    expect(followed.failure).toBeUndefined()
    expect(askedCount).toBeGreaterThan(10)
    expect(askedCount).toBeLessThan(1_000 / FOLLOW_PACE_MS + 2)
  })
})
