/** `put --until`: what is told of who holds it. */
import { expect, it } from 'vitest'
import { heldCode, tellHeld } from '../../src/cli/held.ts'
import type { Call } from '../../src/cli/call.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere } from './here.ts'

it('tells who holds it, and where nobody else can', async () => {
  const folder = await temporaryFolder()
  const at = { directory: folder, home: folder }
  const words = ['put', 'user/alice', 'age:=3', '--topic', 'users']
  const put = await runHere([...words, '--until', 'local'], at)
  expect(put.exitCode).toBe(0)
  expect(put.out).toMatch(/^user\/alice created in users\nheld by 1 node: \w+ \(process\)\n$/)
  expect(await runHere([...words, '--until', 'copies:2'], at)).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('RZ_NODE_OFFLINE') as string,
  })
  expect((await runHere([...words, '--until', 'uniform'], at)).err).toContain('RZ_DELIVERY_MEMBERS')
  const json = await runHere([...words, '--until', 'local', '--deadline', '50', '--json'], at)
  expect(JSON.parse(json.out)).toMatchObject({ achieved: true, holders: [{ durability: 'process' }] })
})

it('says what was not achieved, with an exit code of its own', () => {
  const [out, err]: [string[], string[]] = [[], []]
  const terminal = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) }
  const call = { config: { json: false }, terminal } as unknown as Call
  const held = {
    achieved: false,
    holders: [
      { peer: 'A', durability: 'process' },
      { peer: 'B', durability: 'disk' },
    ],
    fault: { code: 'RZ_DELIVERY_DEADLINE', message: 'within 50 ms it was not known' },
  }
  tellHeld(held, call)
  expect(out).toEqual(['held by 2 nodes: A (process), B (disk)'])
  expect(err).toEqual(['note: within 50 ms it was not known (RZ_DELIVERY_DEADLINE)'])
  expect([heldCode(held), heldCode({ achieved: true }), heldCode({})]).toEqual([4, 0, 0])
})
