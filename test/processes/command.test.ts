/** The command as it is typed, in processes of its own: how it ends, and how two of them meet. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { report } from '../support/cluster.ts'
import { type Command, type CommandOptions, runRhizome, startRhizome } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'

/** Promised are two seconds; a loaded machine may take longer to start the timer. */
const STOP_MS_MAX = 10_000
const USERS = ['--topic', 'users', '--no-http', '--json']

describe('a node that runs in a terminal', () => {
  test('ends cleanly on Ctrl-C while a peer is connected, and so on SIGTERM', async () => {
    const at = await place()
    const [a, b] = [start(at), start(at)]
    await Promise.all([a.printed(/"event":"connected"/), b.printed(/"event":"connected"/)])
    expect(await timed('Ctrl-C', () => a.interrupt())).toMatchObject({ exitCode: 0 })
    expect(a.out).toMatch(/"event":"stopped"/)
    b.signal('SIGTERM')
    expect(await timed('SIGTERM', () => b.finished())).toMatchObject({ exitCode: 0 })
    expect(a.err + b.err).toBe('')
  })

  test('ends at once on a second signal, and what was acknowledged is there', async () => {
    const at = await place()
    const node = start(at)
    await node.printed(/"event":"started"/)
    expect(await runRhizome(['put', 'user/alice', 'name=Alice'], at)).toMatchObject({ exitCode: 0 })
    // Not the same signal twice: the system may make one of two that wait.
    node.signal('SIGINT', 'SIGTERM')
    expect(await timed('a second signal', () => node.finished())).toMatchObject({ exitCode: 130 })
    expect((await runRhizome(['get', 'user/alice'], at)).out).toMatch(/Alice/)
  })

  test('ends in time beside a peer that is frozen', async () => {
    const at = await place()
    const [node, frozen] = [start(at), start(at)]
    await Promise.all([node.printed(/"event":"connected"/), frozen.printed(/"event":"connected"/)])
    frozen.signal('SIGSTOP')
    const { exitCode } = await timed('Ctrl-C beside a frozen peer', () => node.interrupt())
    expect([0, 1]).toContain(exitCode)
    frozen.signal('SIGCONT')
    await frozen.printed(/"event":"disconnected"/)
  })
})

describe('a namespace with a secret', () => {
  test('is joined with the line that invite prints', async () => {
    const [at, elsewhere] = [await place(), await place()]
    const inviting = start(at, '--secret', 'between us')
    await inviting.printed(/"event":"started"/)
    const { out } = await runRhizome(['invite'], at)
    const joining = startRhizome(['join', out.trim(), '--no-http', '--json'], elsewhere)
    await Promise.all([inviting.printed(/"event":"connected"/), joining.printed(/"event":"connected"/)])
    expect(await runRhizome(['put', 'user/alice', 'name=Alice'], at)).toMatchObject({ exitCode: 0 })
    await joining.printed(/"event":"deltas"/)
    expect((await runRhizome(['get', 'user/alice'], elsewhere)).out).toMatch(/Alice/)
  })

  test('names a wrong secret to both sides', async () => {
    const [at, elsewhere] = [await place(), await place()]
    const inside = start(at, '--secret', 'right')
    const [, address = ''] = await inside.printed(/"addresses":\["([^"]+)"/)
    const outside = start(elsewhere, '--secret', 'wrong', '--peer', address)
    await Promise.all([inside.printed(/"event":"wrong-secret"/), outside.printed(/"event":"wrong-secret"/)])
    expect(inside.out + outside.out).not.toMatch(/"event":"connected"/)
  })
})

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  return { directory, home: join(directory, 'home') }
}

function start(at: CommandOptions, ...flags: readonly string[]): Command {
  return startRhizome([...USERS, ...flags], at)
}

/** What ending took is reported, and asserted with room for a loaded machine. */
async function timed<Result>(what: string, end: () => Promise<Result>): Promise<Result> {
  const startedMs = performance.now()
  const result = await end()
  const tookMs = Math.round(performance.now() - startedMs)
  report(`${what} ended the node in ${tookMs} ms`)
  expect(tookMs).toBeLessThan(STOP_MS_MAX)
  return result
}
