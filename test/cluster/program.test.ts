/** The command as a person types it: its words, what it answers where they are wrong, and where there is no cluster. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../deploy/cluster/program.ts'
import { VERBS } from '../../deploy/cluster/verbs.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { Command, type Finished } from '../support/command.ts'

const CLUSTER = fileURLToPath(new URL('../../deploy/cluster/cluster.ts', import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rhizome-cluster-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** In this process. */
async function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const said = { out: '', err: '' }
  const terminal: Terminal = {
    out: (line) => void (said.out += `${line}\n`),
    err: (line) => void (said.err += `${line}\n`),
    progress: () => undefined,
    style: (_style, text) => text,
    isTty: false,
    columns: 80,
  }
  const environment = { XDG_STATE_HOME: folder, INIT_CWD: folder, ...env }
  return { exitCode: await runProgram({ argv: words, environment, terminal }), ...said }
}

/** In one of its own. */
function runApart(words: readonly string[]): Promise<Finished> {
  const env = { XDG_STATE_HOME: folder }
  return new Command([CLUSTER, ...words], { directory: folder, home: folder, env }).finished()
}

describe('the help', () => {
  it('tells every verb, and each verb its flags', async () => {
    const all = await run(['help'])
    expect(all).toMatchObject({ exitCode: 0, err: '' })
    for (const { name, help } of VERBS) expect(all.out).toMatch(new RegExp(`^  ${name} .*${help.slice(0, 20)}`, 'm'))
    const up = await run(['up', '--help'])
    for (const flag of ['--backend', '--run', '--topic', '--project']) expect(up.out).toContain(flag)
  })
})

describe('what is wrong is told with what to do:', () => {
  it.each<[words: string, said: RegExp]>([
    ['up five', /"five" is no number of nodes/],
    ['up 0', /1 to 100/],
    ['up 3 4', /up does not take "4"/],
    ['pin', /did you mean ping\?/],
    ['up --backend dcker', /--backend is one of docker, netns, process/],
    ['up --run missing.sh', /--run: there is no file .*missing\.sh/],
    ['up --colour', /'--colour'; see npm run cluster -- up --help/],
    ['up --project Shop!', /shop would be/],
    ['kill', /say which node: 1 to 100/],
    ['partition', /partition 1,2/],
    ['partition 1,2 2,3', /node 2 is in two groups/],
    ['status -- ls', /takes nothing after --/],
  ])('%s', async (words, said) => {
    const { exitCode, out, err } = await run(words.split(' '))
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toMatch(said)
  })

  it('a start-up command that may not be executed', async () => {
    writeFileSync(join(folder, 'plain.sh'), 'exit 0\n')
    const { exitCode, err } = await run(['up', '--run', 'plain.sh'])
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: expect.stringContaining(`chmod +x ${folder}/plain.sh`) })
  })

  it.each(['status', 'ping', 'logs 1', 'attach 1', 'say 1 hello', 'kill 1', 'start 1', 'heal', 'partition 1'])(
    'no cluster is up: %s',
    async (words) => {
      const { exitCode, err } = await run([...words.split(' '), '--project', 'nobody'])
      expect({ exitCode, err }).toEqual({
        exitCode: 1,
        err: 'error: no cluster nobody is up: begin one with npm run cluster -- up 3\n',
      })
    },
  )

  it('and down succeeds where nothing is up', async () => {
    expect(await run(['down', '--project', 'nobody'])).toMatchObject({ exitCode: 0, out: 'no cluster nobody is up\n' })
  })

  it('inside a node, what is for the terminal outside', async () => {
    const { exitCode, err } = await run(['down'], { CLUSTER_NODE: '2', CLUSTER_PROJECT: 'nobody' })
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: expect.stringContaining('this is inside node 2') })
  })
})

describe('a cluster of two', () => {
  it('comes up, is seen from a second terminal, misses who was killed or never started, and leaves nothing', async () => {
    const at = ['--project', `two-${process.pid}`]
    const name = (index: number) => `two-${process.pid}_node_${index}`
    try {
      const up = await runApart(['up', '2', '--backend', 'process', ...at])
      expect(up.err).toMatch(/^backend process$/m)
      expect(up.err).toMatch(/2 nodes are up, know each other and are in sync/)
      expect(up.exitCode).toBe(0)

      expect((await runApart(['status', ...at])).out).toMatch(
        new RegExp(`^2\t${name(2)}\tup\t127\\.0\\.0\\.1:\\d+\thttp://`, 'm'),
      )
      expect(await runApart(['ping', ...at])).toMatchObject({ exitCode: 0, err: '' })
      expect(await runApart(['say', '1', 'hello', ...at])).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining('to 1 node'),
      })
      expect((await runApart(['logs', '2', ...at])).out).toContain(`message from ${name(1)}: "hello"`)
      expect(await runApart(['attach', '2', ...at, '--', 'sh', '-c', 'echo $RHIZOME_NAME; exit 7'])).toMatchObject({
        exitCode: 7,
        out: `${name(2)}\n`,
      })

      expect((await runApart(['kill', '2', ...at])).out).toMatch(/^killed node 2;/)
      const ping = await runApart(['ping', '3', ...at])
      expect(ping).toMatchObject({ exitCode: 1, err: 'not responding: 2,3\n' })
      expect(ping.out).toContain(`2\t${name(2)}\tkilled\tnot responding`)
      expect(ping.out).toContain(`3\t${name(3)}\tnever started\tnot responding`)
      expect(await runApart(['kill', '2', ...at])).toMatchObject({ exitCode: 1, err: 'node 2 did not run\n' })
      expect((await runApart(['up', '--backend', 'netns', ...at])).err).toContain('runs on process, not on netns')

      expect(await runApart(['start', '2', ...at])).toMatchObject({ exitCode: 0 })
      expect(await runApart(['ping', ...at])).toMatchObject({ exitCode: 0, err: '' })
    } finally {
      expect(await runApart(['down', ...at])).toMatchObject({ exitCode: 0, err: '' })
    }
    expect((await runApart(['status', ...at])).err).toContain('no cluster')
  }, 240_000)
})
