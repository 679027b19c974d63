/** Folders that a node is told to use and cannot: one code, with the reason and the owner, and never a program that hangs. */
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { makeFolder } from '../../src/node/folder.ts'
import { listDirectories, readCard } from '../../src/node/home.ts'
import { temporaryFolder } from '../support/nodes.ts'

const NOBODY = 65_534

/** As a user to whom a mode applies: it does not to root. */
async function unprivileged<T>(act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return act()
  process.seteuid?.(NOBODY)
  try {
    return await act()
  } finally {
    process.seteuid?.(0)
  }
}

const refusal = (message: string) => ({
  code: 'RZ_STORE_UNWRITABLE',
  message: expect.stringContaining(message) as string,
})

describe('a folder', () => {
  it('is made with its parents, for its owner alone; one that is there is left as it is', async () => {
    const folder = await temporaryFolder()
    await makeFolder(join(folder, 'a', 'b'))
    await makeFolder(join(folder, 'a', 'b'))
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o700)
  })

  it('made by several at once is made once', async () => {
    const folder = join(await temporaryFolder(), 'a', 'b', 'c')
    await Promise.all([1, 2, 3, 4].map(() => makeFolder(folder)))
    expect((await stat(folder)).isDirectory()).toBe(true)
  })

  it('with a file in its way is refused', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'file'), '')
    for (const path of ['file', 'file/below', 'file/far/below']) {
      await expect(makeFolder(join(folder, path))).rejects.toMatchObject(refusal('there is a file in its way'))
    }
  })

  it('of somebody else is refused with the name of its owner', async () => {
    const folder = await temporaryFolder()
    await chmod(folder, 0o711)
    await mkdir(join(folder, 'nodes'), { mode: 0o700 })
    await chmod(join(folder, 'nodes'), 0o000)
    const { uid } = await stat(folder)
    const owner = `belongs to ${uid === 0 ? 'root' : `the user with id ${uid}`}`
    await unprivileged(async () => {
      await expect(makeFolder(join(folder, 'nodes', 'below'))).rejects.toMatchObject(refusal(owner))
      await expect(readCard(join(folder, 'nodes'))).rejects.toMatchObject(refusal('cannot be read and written by '))
      await expect(listDirectories(folder)).rejects.toMatchObject(refusal(owner))
    })
    await chmod(join(folder, 'nodes'), 0o700)
  })

  it('where none can be made is refused, and nothing hangs', async () => {
    // Where there is no /proc, below a file none can be made either.
    const file = join(await temporaryFolder(), 'file')
    await writeFile(file, '')
    const parent = process.platform === 'linux' ? '/proc' : file
    for (const path of [join(parent, 'x'), join(parent, 'x', 'y', 'z')]) {
      await expect(makeFolder(path)).rejects.toMatchObject(refusal('cannot be made'))
    }
  })
})
