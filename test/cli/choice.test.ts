/** Which node a command is about: what reads may take the first and says so, what changes something never guesses. */
import { describe, expect, it } from 'vitest'

import { type Candidate, choose, flagsTo, type Purpose } from '../../src/cli/choice.ts'

const node = (name: string, isRunning: boolean, { topics = [name], overlay = '' } = {}): Candidate => ({
  card: { directory: `/nodes/${name}`, name: 'host', topics, ...(overlay === '' ? {} : { overlay }) },
  socketPath: `/nodes/${name}/node.sock`,
  isRunning,
})
const [read, write]: [Purpose, Purpose] = [
  { about: 'data', changes: false },
  { about: 'data', changes: true },
]
const [look, change]: [Purpose, Purpose] = [
  { about: 'node', changes: false },
  { about: 'node', changes: true },
]
const geo = node('geo', true)
const users = node('users', true)
const twin = node('users-2', true, { topics: ['users'] })
const closed = node('users-3', true, { topics: ['users'], overlay: 'mark' })
const stopped = node('zoo', false)

describe('what changes something', () => {
  const refused: readonly [what: string, candidates: readonly Candidate[], purpose: Purpose, message: string][] = [
    ['a write, with nodes of two topics', [geo, users], write, 'several topics here: give --topic geo|users'],
    ['a write, with data of another topic', [users, stopped], write, 'give --topic users|zoo'],
    ['a write, to a node of two topics', [node('x', true, { topics: ['b', 'a'] })], write, 'give --topic a|b'],
    ['an invitation, with nodes of two topics', [geo, users], change, 'give --topic geo|users'],
    ['a write, with an open and a closed node', [users, closed], write, '--data /nodes/users or --data /nodes/users-3'],
    [
      'a write, with open data and a closed node',
      [node('users', false), closed],
      write,
      'in the open and under a secret',
    ],
    ['an invitation, with an open and a closed node', [users, closed], change, 'in the open and under a secret'],
    [
      'a write, with two secrets',
      [closed, node('users-4', true, { topics: ['users'], overlay: 'other' })],
      write,
      'several secrets: give --data',
    ],
  ]
  for (const [what, candidates, purpose, message] of refused) {
    it(`is refused rather than guessed: ${what}`, () => {
      expect(() => choose(candidates, purpose, undefined)).toThrow(
        expect.objectContaining({ code: 'RZ_CLI_AMBIGUOUS', message: expect.stringContaining(message) as string }),
      )
    })
  }

  it('goes to the one topic there is, or to the one that was given, without a word', () => {
    expect(choose([users, twin], write, undefined)).toEqual({ candidate: users, topic: 'users' })
    expect(choose([stopped], write, undefined)).toEqual({ candidate: stopped, topic: 'zoo' })
    expect(choose([node('x', true, { topics: ['a', 'b'] })], write, 'b')).toMatchObject({ topic: 'b' })
    expect(choose([node('x', true, { topics: ['a', 'b'] })], change, undefined)).toMatchObject({ topic: 'a' })
    expect(choose([users, stopped], change, undefined)).toMatchObject({ candidate: users })
    expect(choose([node('users', false), closed], change, undefined)).toMatchObject({ candidate: closed })
  })
})

describe('what reads', () => {
  it('takes the first that runs, and names its topic and the others', () => {
    expect(choose([stopped, users, geo], read, undefined)).toEqual({
      candidate: users,
      topic: 'users',
      note: 'this is users; here are also geo, zoo (--topic chooses)',
    })
    expect(choose([geo, users], look, undefined)?.note).toBe(
      'this is the node in /nodes/geo; here is also users (--topic chooses)',
    )
  })

  it('says which directory it took where that makes a difference', () => {
    expect(choose([users, twin], read, undefined)).not.toHaveProperty('note')
    const note = 'this is the node in /nodes/users; one other holds it, too (--data chooses)'
    expect(choose([users, twin], look, undefined)).toMatchObject({ note })
    expect(choose([users, closed], read, 'users')).toMatchObject({ note })
    const idle = ['users', 'b', 'c'].map((name) => node(name, false, { topics: ['users'] }))
    expect(choose(idle, read, undefined)?.note).toBe(
      'this is the data in /nodes/users; 2 others hold it, too (--data chooses)',
    )
  })

  it('has nothing to choose from where nothing is', () => expect(choose([], read, undefined)).toBeUndefined())
})

it('a command is told the flags that it needs, and no others', () => {
  const cards = (...candidates: readonly Candidate[]) => candidates.map(({ card }) => card)
  expect(flagsTo('/nodes/users', ['users'], cards(users, twin))).toBe('')
  expect(flagsTo('/nodes/users', ['users'], cards(users, geo))).toBe(' --topic users')
  expect(flagsTo('/nodes/x', ['b', 'a'], cards(node('x', true, { topics: ['b', 'a'] })))).toBe(' --topic b')
  expect(flagsTo('/else/where', ['users'], cards(users, geo))).toBe(' --data /else/where')
  expect(flagsTo('/nodes/users', ['users'], cards(users, closed, geo))).toBe(' --data /nodes/users')
})
