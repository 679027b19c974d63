import { expect, test } from 'vitest'
import { checkStore } from '../../src/store/repair.ts'
import { makeDirectory } from '../support/directory.ts'
import { killAgainAndAgain } from '../support/store-kill.ts'

test('kill -9 loses nothing that was acknowledged (a few kills; 60 in test/processes)', async () => {
  const directory = makeDirectory()
  let seed = 1
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
  const report = await killAgainAndAgain({ directory, kills: 6, durability: 'normal', random })
  expect(report.lost).toEqual([])
  expect(report.acknowledged).toBeGreaterThan(0)
  expect(checkStore(directory).damage).toEqual([])
}, 60_000)
