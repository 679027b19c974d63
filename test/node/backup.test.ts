/** A backup that is made while the node writes: what was acknowledged before is in it, and a node opened on it forks nothing. */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openNode } from '../../src/index.ts'
import { backupDirectory } from '../../src/node/backup.ts'
import { runHere } from '../cli/here.ts'
import { temporaryFolder } from '../support/nodes.ts'

const OPTIONS = { topics: ['users'], network: false } as const

describe('a backup', () => {
  it('holds all that was acknowledged before, is the same node, and goes on in a log of its own', async () => {
    const folder = await temporaryFolder()
    const [data, copied] = [join(folder, 'data'), join(folder, 'copy')]
    await using node = await openNode({ ...OPTIONS, data })
    const users = node.namespace('users')
    for (let index = 0; index < 50; index++) await users.put('user', `before-${index}`, { index })
    const meanwhile = Promise.all(
      Array.from({ length: 50 }, (_, index) => users.put('user', `meanwhile-${index}`, { index })),
    )
    await backupDirectory(data, copied)
    await meanwhile

    await using copy = await openNode({ ...OPTIONS, data: copied })
    expect(copy.peerId).toBe(node.peerId)
    expect(copy.instance).not.toBe(node.instance)
    const held = copy.namespace('users')
    expect([...held.ids('user')].filter((id) => id.startsWith('before-'))).toHaveLength(50)
    await held.put('user', 'after', { here: true })
    await users.put('user', 'after', { there: true })
    expect(held.counts().logs).toBe(users.counts().logs + 1)
  })

  it('over the place of the original goes on in a log of its own, too', async () => {
    const folder = await temporaryFolder()
    const data = join(folder, 'data')
    await (await openNode({ ...OPTIONS, data })).close()
    const logs = async (): Promise<number> => {
      await using node = await openNode({ ...OPTIONS, data })
      await node.namespace('users').put('user', 'alice', { at: Math.random() })
      return node.namespace('users').counts().logs
    }
    expect([await logs(), await logs()]).toEqual([1, 1])
    await backupDirectory(data, join(folder, 'copy'))
    expect(await logs()).toBe(1)
    // As a restore does that writes into the file that is there: same place, same number, same machine.
    {
      using db = new DatabaseSync(join(data, 'store', 'log.db'))
      db.exec(`ATTACH '${join(folder, 'copy', 'store', 'log.db')}' AS copy`)
      db.exec(
        'DELETE FROM log; INSERT INTO log SELECT * FROM copy.log; DELETE FROM meta; INSERT INTO meta SELECT * FROM copy.meta',
      )
    }
    expect(await logs()).toBe(2)
  })

  it('is for its owner alone', async () => {
    const folder = await temporaryFolder()
    const copied = join(folder, 'copy')
    await (await openNode({ ...OPTIONS, data: join(folder, 'data') })).close()
    await backupDirectory(join(folder, 'data'), copied)
    expect((await readdir(copied)).toSorted()).toEqual(['identities', 'node.json', 'store'])
    for (const path of ['', 'store/log.db', 'identities/default.json', 'node.json']) {
      expect((await stat(join(copied, path))).mode & 0o077).toBe(0)
    }
  })

  it('takes no folder that has something in it, and leaves nothing where there is no store', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'mine'), '')
    await expect(backupDirectory(folder, folder)).rejects.toMatchObject({ code: 'RZ_BACKUP_TARGET' })
    await expect(backupDirectory(folder, join(folder, 'mine'))).rejects.toMatchObject({ code: 'RZ_BACKUP_TARGET' })
    await mkdir(join(folder, 'empty'))
    await expect(backupDirectory(join(folder, 'empty'), join(folder, 'copy'))).rejects.toMatchObject({
      code: 'RZ_STORE_MISSING',
    })
    expect((await readdir(folder)).toSorted()).toEqual(['empty', 'mine'])
  })

  it('is made by a command, which says how to go on from there', async () => {
    const directory = await temporaryFolder()
    const at = { directory, home: join(directory, 'home') }
    const data = join(directory, 'data')
    await (await openNode({ ...OPTIONS, data })).close()
    const { exitCode, out } = await runHere(['backup', './copy', '--data', data], at)
    expect(exitCode).toBe(0)
    expect(out).toContain('its private keys are in it')
    const [, flag] = /--topic <name> (--data \S+)/.exec(out) ?? []
    expect(flag).toBe(`--data ${join(directory, 'copy')}`)
    expect(await runHere(['backup', './copy', '--data', data], at)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('RZ_BACKUP_TARGET') as string,
    })
  })
})
