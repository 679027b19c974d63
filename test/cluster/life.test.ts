/** Processes that outlive their command, on this machine. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endLife, type Life, lives, ownLife, signalLife, startLife } from '../../deploy/cluster/life.ts'
import { until } from '../support/nodes.ts'
import { processesOf } from './remains.ts'

let folder: string
let marker: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rhizome-life-'))
  marker = `CLUSTER_LIFE=${folder}`
})
afterEach(async () => {
  await endLife(undefined, marker)
  rmSync(folder, { recursive: true, force: true })
})

function start(script: string): Promise<Life> {
  return startLife({
    words: ['sh', '-c', script],
    environment: { ...process.env, CLUSTER_LIFE: folder, CLUSTER_FOLDER: folder },
    folder,
    logPath: join(folder, 'log'),
  })
}

describe('a process', () => {
  it('runs in its folder, prints to its log, and is known to live until it ends', async () => {
    const life = await start('pwd; exec sleep 600')
    await until('it has printed', () => readFileSync(join(folder, 'log'), 'utf8').includes(folder))
    expect(lives(life)).toBe(true)
    await endLife(life, marker)
    expect(lives(life)).toBe(false)
  })

  it('that has ended by itself lives no more, and ending it is harmless', async () => {
    const life = await start('exit 3')
    await until('it has ended', () => !lives(life))
    expect(signalLife(life, 'SIGKILL')).toBe(false)
    await endLife(life, marker)
  })

  it('whose id belongs to another meanwhile is left alone', async () => {
    const life = await start('exec sleep 600')
    const earlier = { ...life, started: `${Number(life.started) - 1}` }
    const beforeBoot = { ...life, boot: 'another' }
    for (const stale of [earlier, beforeBoot]) {
      expect(lives(stale)).toBe(false)
      expect(signalLife(stale, 'SIGKILL')).toBe(false)
      await endLife(stale, 'CLUSTER_LIFE=nothing')
    }
    expect(lives(life)).toBe(true)
  })

  it('ends with what it has started, also with what has left its group', async () => {
    const life = await start("setsid sh -c 'echo left; exec sleep 600' & sleep 600 & wait")
    await until('it has printed', () => readFileSync(join(folder, 'log'), 'utf8').includes('left'))
    expect(processesOf(basename(folder)).length).toBe(3)
    await endLife(life, marker)
    expect(processesOf(basename(folder))).toEqual([])
  })

  it('that cannot be started says what was missing', async () => {
    const missing = startLife({ words: ['no-such-program'], environment: {}, folder, logPath: join(folder, 'log') })
    await expect(missing).rejects.toThrow('no-such-program could not be started')
  })
})

it('this process lives', () => {
  expect(lives(ownLife())).toBe(true)
})
