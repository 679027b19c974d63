/** Questions whose answer waits for something to happen: counted apart from others, on both sides, and never for long. */
import { describe, expect, it } from 'vitest'
import { createMemoryNetwork } from '../../../src/net/memory.ts'
import { type Answerer, Answering } from '../../../src/sync/questions/answering.ts'
import { Asking } from '../../../src/sync/questions/asking.ts'
import {
  ANSWERED_PER_PEER_MAX,
  LATER_MS_MAX,
  LATER_PER_PEER_MAX,
  QUESTION_PROTOCOL,
} from '../../../src/sync/questions/limits.ts'
import { encodeQuestion } from '../../../src/sync/questions/wire.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { VirtualTime } from '../../../src/testing/virtual-time.ts'
import { NAMESPACE, signer } from '../../support/blocks.ts'

const LATER = { namespace: NAMESPACE, word: 'later', content: null }
const NOW = { namespace: NAMESPACE, word: 'now', content: null }

/** A holder whose questions wait until `happen` is called, and one who asks. */
async function world() {
  const time = new VirtualTime(0)
  const random = seededRandom(1)
  const schedule = (delayMs: number, run: () => void) => time.schedule(delayMs, run)
  const network = createMemoryNetwork({
    schedule: (delayMs, run) => void time.schedule(delayMs, run),
    random: () => random.next(),
    nowMs: () => time.nowMs(),
  })
  let waitingCount = 0
  let happen = (): void => undefined
  const happened = new Promise<void>((resolve) => (happen = resolve))
  const answer: Answerer = ({ word }) =>
    word === 'now'
      ? { end: 'now' }
      : {
          waitMs: 60_000,
          until: async (signal) => {
            waitingCount++
            const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
            await Promise.race([happened, aborted])
            waitingCount--
          },
          answer: () => ({ end: time.nowMs() }),
        }
  const answering = new Answering({ net: network.open(signer(1).id), schedule, steadyMs: () => time.nowMs(), answer })
  const net = network.open(signer(9).id)
  const asking = new Asking({ net, schedule })
  await time.advance(2_000)
  const holder = [signer(1).id]
  return { time, net, asking, answering, holder, waitingCount: () => waitingCount, happen: () => happen() }
}

describe('an answer that waits', () => {
  it('comes when something has happened', async () => {
    const { time, asking, holder, happen } = await world()
    const asked = asking.ask(LATER, holder, { isLater: true })
    await time.advance(1_000)
    const atMs = time.nowMs()
    happen()
    await time.advance(100)
    expect(await asked).toMatchObject({ kind: 'answered', heard: { end: atMs } })
  })

  it('comes when nothing does, long before it would count as none', async () => {
    const { time, asking, holder } = await world()
    const startMs = time.nowMs()
    const asked = asking.ask(LATER, holder, { isLater: true })
    await time.advance(LATER_MS_MAX + 100)
    const { heard } = (await asked) as { readonly heard: { readonly end: number } }
    expect(heard.end - startMs).toBeGreaterThanOrEqual(LATER_MS_MAX)
  })

  it('keeps no ordinary question waiting, however many wait', async () => {
    const { time, asking, holder, waitingCount } = await world()
    const waiting = Array.from({ length: 3 * LATER_PER_PEER_MAX }, () => asking.ask(LATER, holder, { isLater: true }))
    await time.advance(100)
    expect(waitingCount()).toBe(LATER_PER_PEER_MAX)
    const now = Array.from({ length: 2 * ANSWERED_PER_PEER_MAX }, () => asking.ask(NOW, holder))
    await time.advance(100)
    expect((await Promise.all(now)).every(({ kind }) => kind === 'answered')).toBe(true)
    // Those that had no room take their turn.
    await time.advance(3 * LATER_MS_MAX + 1_000)
    expect((await Promise.all(waiting)).every(({ kind }) => kind === 'answered')).toBe(true)
  })

  it('is given to no more than may wait, whoever asks', async () => {
    const { time, net, holder, waitingCount } = await world()
    const { signal } = new AbortController()
    const codes: string[] = []
    for (let count = 0; count < 2 * LATER_PER_PEER_MAX; count++) {
      const opening = net.open(holder[0] ?? '', QUESTION_PROTOCOL, { signal })
      await time.advance(10)
      const stream = await opening
      await stream.send(encodeQuestion(LATER))
      const first = stream.frames()[Symbol.asyncIterator]().next()
      void first.then((frame) => {
        if (frame.done !== true) codes.push(Buffer.from(frame.value).toString('latin1'))
      })
      await time.advance(10)
    }
    expect(waitingCount()).toBe(LATER_PER_PEER_MAX)
    expect(codes).toHaveLength(LATER_PER_PEER_MAX)
    expect(codes.every((text) => text.includes('RZ_NODE_BUSY'))).toBe(true)
  })

  it('waits no longer when the node closes', async () => {
    const { time, asking, answering, holder, waitingCount } = await world()
    const asked = asking.ask(LATER, holder, { isLater: true })
    await time.advance(100)
    answering.close()
    await time.advance(100)
    expect(waitingCount()).toBe(0)
    expect(await asked).toMatchObject({ kind: 'unanswered' })
  })
})
