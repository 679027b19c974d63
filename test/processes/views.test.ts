/**
 * One process writes data, resolvers and contexts, another only reads: every view is the same, byte for byte, in whatever
 * context and as of whatever moment, also after it was started again.
 */
import { expect, test } from 'vitest'

import { SHIPPED_RESOLVERS, trustOnly, type ViewOptions } from '../../src/index.ts'
import { Cluster, eventually, expectConnected } from '../support/cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'

async function write(writer: ProcessNode, other: ProcessNode): Promise<void> {
  await writer.run('append', [
    { localContext: 'actor', target: 'keanu', targetContext: 'roles' },
    { localContext: 'role', target: 'neo', targetContext: 'actor' },
    { localContext: 'film', target: 'the_matrix', targetContext: 'cast' },
    { localContext: 'base_salary', target: 1_000_000 },
    { localContext: 'salary_currency', target: 'usd' },
  ])
  for (const stars of [5, 4, -0.5]) await writer.run('put', 'book', 'sicp', { stars, title: `SICP ${stars}` })
  await writer.run('put', 'book', 'bytes', {
    raw: new Uint8Array([0, 255]),
    nothing: null,
    deep: { a: [1, { b: 'ä' }] },
  })
  await other.run('put', 'book', 'sicp', { stars: 1, title: 'the other’s' })
  await writer.run('put', 'book', 'gone', { stars: 2 })
  await writer.run('delete', 'book', 'gone')
}

/** Until it holds as much as the other. */
async function caughtUp(reader: ProcessNode, writer: ProcessNode): Promise<void> {
  await eventually('the reader holds all', async () => {
    const [wanted, held] = await Promise.all([writer.run('counts'), reader.run('counts')])
    return held.deltas === wanted.deltas && held.logs === wanted.logs
  })
}

test('two processes, one writes data and resolvers, the other only reads: views are byte-equal', async () => {
  await using cluster = await Cluster.open()
  const [writer, other] = await cluster.startAll('writer', 'other')
  const reader = await cluster.start('reader', { node: { keep: true } })
  if (writer === undefined || other === undefined) throw new Error('two nodes were started')
  await expectConnected([writer, other, reader])

  await write(writer, other)
  await caughtUp(writer, other)
  const plain = await writer.run('frontier')
  const stars = { collection: 'book', property: 'stars' }
  await writer.run('resolver', 'stars', { ...stars, rule: SHIPPED_RESOLVERS.average })
  await writer.run('resolver', 'label', {
    collection: 'book',
    property: 'label',
    rule: { cat: [{ property: ['title'] }, ' ', { property: ['stars'] }] },
  })
  // One that never ends within its gas: its error is part of the view as well.
  const many = Array.from({ length: 400 }, () => 1)
  await writer.run('resolver', 'title', {
    collection: 'book',
    property: 'nothing',
    rule: { map: [many, { map: [many, 1] }] },
  })
  await writer.run('context', 'mine', trustOnly([writer.peerId]))
  const ruled = await writer.run('frontier')
  await writer.run('resolver', 'stars', { ...stars, rule: SHIPPED_RESOLVERS.max })
  await writer.run('context', 'mine', { negations: 'author', resolvers: [{ ...stars, rule: SHIPPED_RESOLVERS.min }] })
  await caughtUp(other, writer)
  await caughtUp(reader, writer)

  const questions: readonly ViewOptions[] = [
    {},
    { context: 'mine' },
    { asOf: plain },
    { asOf: ruled },
    { asOf: ruled, context: 'mine' },
    { asOf: Date.now(), context: 'mine' },
    { filter: { '===': [{ var: 'creator' }, other.peerId] } },
  ]
  const answers = await Promise.all(questions.map((question) => writer.run('viewBytes', question)))
  // They differ from one another, but for the one of the time that is now, so that to be equal says something.
  const distinct = new Set(answers.map((views) => Buffer.concat(views).toString('hex')))
  expect(distinct.size).toBe(questions.length - 1)
  expect(answers.every((views) => views.length > 5)).toBe(true)

  const compare = async (node: ProcessNode) => {
    for (const [index, question] of questions.entries()) {
      expect({ question, views: await node.run('viewBytes', question) }).toEqual({ question, views: answers[index] })
    }
    expect(await node.run('frontier')).toBe(await writer.run('frontier'))
  }
  await compare(reader)
  await compare(other)
  // The reader writes nothing, and reads the same from its disk when it is started again, with nobody there.
  await expect(reader.run('put', 'book', 'sicp', { stars: 3 })).rejects.toMatchObject({ code: 'RZ_NODE_KEEPER' })
  await reader.stop()
  const again = await cluster.start('again', { data: 'reader', node: { keep: true, network: false } })
  await compare(again)
})
