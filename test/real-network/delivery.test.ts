/**
 * Each kind of delivery on a network that is as networks are: every host loses packets, one link is slow, one host is far away
 * behind a single neighbour, one is cut off for a while, and one is killed. What each promises is looked at on all that live.
 * Times are printed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Delivery } from '../../src/index.ts'
import { Cluster, eventually, expectEqual, report } from '../support/cluster.ts'
import { DelayingProxy } from '../support/delaying-proxy.ts'
import { Lan } from '../support/lan.ts'
import type { Handed } from '../support/node-child.ts'
import type { ProcessNode } from '../support/process-node.ts'

const DELIVERIES: readonly Delivery[] = ['best-effort', 'reliable', 'causal', 'uniform']
const QUESTIONS = 10
const CUT_MS = 20_000

/** The network and the nodes, as they were when the last thing was done to them. */
interface Course {
  readonly nodes: readonly ProcessNode[]
  readonly living: readonly ProcessNode[]
  /** By node and delivery. */
  readonly handed: ReadonlyMap<string, readonly Handed[]>
  /** What was written while a majority was cut off, and what the two that were together had been handed by then. */
  readonly minority: Minority
}

interface Minority {
  readonly achieved: boolean | undefined
  readonly deltas: readonly string[]
  readonly handed: readonly string[]
}

describe('delivery over links that lose, crawl, break and are far', () => {
  let course: Course

  beforeAll(async () => {
    course = await runCourse()
  }, 300_000)

  test.each(DELIVERIES)('%s hands out everything that was acknowledged, once, on every host that lives', (delivery) => {
    const { living, nodes } = course
    const acknowledged = nodes.flatMap((node) => node.acknowledged)
    expect(acknowledged.length).toBeGreaterThan(4 * QUESTIONS)
    for (const node of living) {
      const ids = handedOn(node, delivery).map(({ id }) => id)
      expect(new Set(ids).size, `${node.name} was handed nothing twice`).toBe(ids.length)
      expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([])
    }
  })

  test.each(DELIVERIES)('%s hands out the same on all, of the author that was killed as well', (delivery) => {
    const sets = course.living.map((node) => handedOn(node, delivery).map(({ id }) => id))
    expect(new Set(sets.map((ids) => ids.toSorted().join())).size).toBe(1)
    expect(handedOn(course.living[0], delivery).some(({ entity }) => entity.startsWith('user/killed'))).toBe(true)
  })

  test('causal hands out no answer before its question, nor what one author wrote out of order', () => {
    for (const node of course.living) {
      const entities = handedOn(node, 'causal').map(({ entity }) => entity)
      const answers = entities.filter((entity) => entity.startsWith('answer/'))
      expect(answers.length).toBeGreaterThanOrEqual(QUESTIONS)
      for (const answer of answers) {
        const question = `question/${answer.slice(answer.indexOf('-') + 1)}`
        expect(entities.indexOf(question), `${node.name}: ${question} before ${answer}`).toBeGreaterThanOrEqual(0)
        expect(entities.indexOf(question)).toBeLessThan(entities.indexOf(answer))
      }
      for (const author of course.nodes) {
        const own = entities.filter((entity) => entity.startsWith(`question/${author.name}.`))
        const numbers = own.map((entity) => Number(entity.split('.')[1]))
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
    }
  })

  test('uniform hands out nothing that a minority alone holds, and says so at the deadline', () => {
    const { achieved, handed, deltas } = course.minority
    expect(achieved).toBe(false)
    expect(deltas.filter((id) => handed.includes(id))).toEqual([])
  })

  function handedOn(node: ProcessNode | undefined, delivery: Delivery): readonly Handed[] {
    return course.handed.get(`${node?.name} ${delivery}`) ?? []
  }
})

async function runCourse(): Promise<Course> {
  using lan = new Lan(['a', 'b', 'c', 'd', 'far'])
  await using cluster = await Cluster.open(lan)
  const near = await cluster.startAll('a', 'b', 'c', 'd')
  const [a, b, c, d] = near as [ProcessNode, ProcessNode, ProcessNode, ProcessNode]
  const port = Number(/tcp\/(\d+)/.exec(a.addresses[0] ?? '')?.[1])
  using proxy = await DelayingProxy.start(lan.host('far'), {
    to: lan.host('a').address,
    port,
    delayMs: 150,
    jitterMs: 100,
  })
  const far = await cluster.start('far', {
    network: { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, peers: [`127.0.0.1:${proxy.port}`] },
  })
  const nodes = [...near, far]
  await eventually('all know all', async () => {
    const known = await Promise.all(nodes.map((node) => node.run('members')))
    return known.every((members) => members.filter(({ state }) => state === 'alive').length === nodes.length - 1)
  })
  const members = nodes.map(({ peerId }) => peerId)
  for (const node of nodes) {
    for (const delivery of DELIVERIES) {
      await node.run('subscribe', { delivery, ...(delivery === 'uniform' ? { members, deadlineMs: 5_000 } : {}) })
    }
  }
  await Promise.all([a, far].map((node) => node.run('answerQuestions', node.name)))

  for (const name of ['a', 'b', 'c', 'd', 'far']) lan.lose(name, 10)
  lan.slow('b', 128)
  await Promise.all(nodes.map((node) => ask(node)))
  await untilEqual(nodes, 'with loss, a slow and a far link')

  lan.cut('c')
  await Promise.all([a, c].map((node) => ask(node)))
  await sleep(CUT_MS)
  await untilEqual([a, b, d, far], 'while one host of five was cut off')
  lan.heal('c')
  await untilEqual(nodes, 'after the cut')

  // Two of five are together; the other three are each alone.
  for (const name of ['b', 'c', 'd']) lan.cut(name)
  const late = await a.run('put', 'late', '1', { value: 1 }, { until: 'uniform', members, deadlineMs: 5_000 })
  a.acknowledged.push(...late.deltas)
  await eventually('the far host has it', async () => (await far.run('missing', late.deltas)).length === 0)
  const early = await Promise.all([a, far].map((node) => node.run('handed', 'uniform')))
  for (const name of ['b', 'c', 'd']) lan.heal(name)
  await untilEqual(nodes, 'after a majority was cut off')

  const writing = d.putMany('killed', 1_000).catch(() => undefined)
  await eventually('somebody has some of it', async () => (await a.run('ids', 'user')).length > 0)
  await d.kill()
  await writing
  const living = nodes.filter((node) => node !== d)
  await expectEqual(
    living,
    living.flatMap((node) => node.acknowledged),
  )
  await untilEqual(living, 'after one was killed')
  const handed = new Map<string, readonly Handed[]>()
  for (const node of living) {
    for (const delivery of DELIVERIES) handed.set(`${node.name} ${delivery}`, await node.run('handed', delivery))
  }
  return {
    nodes,
    living,
    handed,
    minority: { achieved: late.achieved, handed: early.flat().map(({ id }) => id), deltas: late.deltas },
  }
}

let asked = 0

/** Writes questions one after the other, numbered through all that this author ever asks. */
async function ask(node: ProcessNode): Promise<void> {
  for (let number = 0; number < QUESTIONS; number++) {
    const { deltas } = await node.run('put', 'question', `${node.name}.${asked++}`, { value: number })
    node.acknowledged.push(...deltas)
  }
}

/** Waits until each kind of delivery has handed out the same on all, and all that these have acknowledged. */
async function untilEqual(nodes: readonly ProcessNode[], when: string): Promise<void> {
  const startedMs = performance.now()
  const acknowledged = nodes.flatMap((node) => node.acknowledged)
  const took = await Promise.all(
    DELIVERIES.map(async (delivery) => {
      await eventually(`${delivery} has handed out the same on all ${when}`, async () => {
        const all = await Promise.all(nodes.map((node) => node.run('handed', delivery)))
        const sets = all.map((handed) => new Set(handed.map(({ id }) => id)))
        return sets.every((ids) => ids.size === sets[0]?.size && acknowledged.every((id) => ids.has(id)))
      })
      return `${delivery} ${Math.round(performance.now() - startedMs)}`
    }),
  )
  report(`${when}, handed out on all after ms: ${took.join(', ')}`)
}
