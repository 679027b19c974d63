/** A quick look at a store: it says what `openStore` would meet, and leaves everything as it was. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { quickCheck, holderOfStore } from '../../src/store/quick-check.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { temporaryFolder } from '../support/nodes.ts'

async function madeStore(): Promise<string> {
  const directory = await temporaryFolder()
  await (await openStore(directory)).close()
  return directory
}

describe('a quick check', () => {
  it('finds a store whole, also while it is open, and none where there is none', async () => {
    const directory = await madeStore()
    expect(quickCheck(directory)).toMatchObject({ kind: 'whole' })
    await using store = await openStore(directory)
    expect(quickCheck(directory)).toMatchObject({ kind: 'whole' })
    expect(store.full).toBe(false)
    expect(quickCheck(join(directory, 'elsewhere'))).toEqual({ kind: 'missing' })
  })

  it('leaves a large one to repair', async () => {
    expect(quickCheck(await madeStore(), 1_000)).toMatchObject({ kind: 'large' })
  })

  it('finds one of a later version, another database, and damage', async () => {
    const directory = await madeStore()
    const path = join(directory, 'log.db')
    const whole = readFileSync(path)
    {
      using db = new DatabaseSync(path)
      db.exec('PRAGMA user_version = 99')
    }
    expect(quickCheck(directory)).toEqual({ kind: 'newer', format: 99 })
    {
      using db = new DatabaseSync(path)
      db.exec('PRAGMA application_id = 1')
    }
    expect(quickCheck(directory)).toMatchObject({ kind: 'damaged' })
    // The root page of a table: its header says nothing that can be.
    writeFileSync(path, Buffer.concat([whole.subarray(0, 4_096), Buffer.alloc(whole.length - 4_096, 0xff)]))
    expect(quickCheck(directory)).toMatchObject({ kind: 'damaged' })
  })

  it('names who holds it', async () => {
    const directory = await madeStore()
    expect(holderOfStore(directory)).toBeUndefined()
    await using store = await openStore(directory)
    expect(holderOfStore(directory)).toContain(String(process.pid))
    expect(store.full).toBe(false)
  })
})
