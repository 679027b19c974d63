/** What `get` shows where resolvers are in force. */
import { join } from 'node:path'
import { expect, it } from 'vitest'

import { temporaryFolder } from '../support/nodes.ts'
import { runHere as run } from './here.ts'

it('get shows what resolvers make of the claims, and says which property has no value', async () => {
  const directory = await temporaryFolder()
  const at = { directory, home: join(directory, 'home') }
  const define = (property: string, rule: object) =>
    `definition:=${JSON.stringify({ collection: 'user', property, rule, semantics: 1 })}`
  for (const words of [
    ['user/a', 'n:=1', 'odd:=1', '--topic', 'users'],
    ['user/a', 'n:=2'],
    ['resolver/n', define('n', { length: { var: 'candidates' } })],
    ['user/a', 'n:=5'],
    ['resolver/odd', define('odd', { property: 'odd' })],
  ]) {
    expect(await run(['put', ...words], at)).toMatchObject({ exitCode: 0 })
  }
  const { exitCode, out, err } = await run(['get', 'user/a'], at)
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'n:=3\n' })
  expect(err).toMatch(/^note: odd has no value: .* \(RZ_RULE_CYCLE\)$/m)
  expect(JSON.parse((await run(['get', 'user/a', '--json'], at)).out)).toMatchObject({
    properties: { n: 3 },
    errors: { odd: { code: 'RZ_RULE_CYCLE' } },
  })
})
