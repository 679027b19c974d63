/** kill -9 of a process whose function emits, between handler and commit: exactly once in the log, handed out at least once. */
import { expect, test } from 'vitest'
import { report } from '../support/cluster.ts'
import { killFunctions } from '../support/function-kill.ts'
import { temporaryFolder } from '../support/nodes.ts'

test('kill -9, forty times: nothing is emitted twice or never, and some deltas were handed out again', async () => {
  const killed = await killFunctions(await temporaryFolder(), 40, Math.random)
  report(`${killed.orders} orders, ${killed.handedAgain} handed out again after a kill`)
  expect(killed).toMatchObject({ unseen: [], notCopiedOnce: [], counted: killed.orders })
  expect(killed.handedAgain).toBeGreaterThan(0)
})
