import { expect, test } from 'vitest'
import { killFunctions } from '../../support/function-kill.ts'
import { temporaryFolder } from '../../support/nodes.ts'

test('kill -9 between handler and commit: what is emitted is in the log exactly once (a few kills; more in test/processes)', async () => {
  let seed = 7
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
  const report = await killFunctions(await temporaryFolder(), 4, random)
  expect(report.orders).toBeGreaterThan(0)
  expect(report).toMatchObject({ unseen: [], notCopiedOnce: [], counted: report.orders })
}, 60_000)
