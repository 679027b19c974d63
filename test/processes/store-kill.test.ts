/** The store under `kill -9`, without a node around it: as many moments as the time allows, and each acknowledged block read back. */

import { expect, test } from 'vitest'
import { checkStore } from '../../src/store/repair.ts'
import { makeDirectory } from '../support/directory.ts'
import { killAgainAndAgain } from '../support/store-kill.ts'

test.each(['normal', 'full'] as const)(
  '60 kills -9 under %s durability lose nothing that was acknowledged',
  async (durability) => {
    const directory = makeDirectory()
    const report = await killAgainAndAgain({ directory, kills: 60, durability, random: Math.random })
    console.log(
      `${durability}: ${report.acknowledged} blocks acknowledged, killed while ${JSON.stringify(report.killedWhile)}`,
    )
    expect(report.lost).toEqual([])
    expect(checkStore(directory).damage).toEqual([])
  },
)
