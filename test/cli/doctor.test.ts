/** What `doctor` prints: a line a finding, what to do below it, and the exit code that follows. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { wordsOf } from '../../src/cli/doctor-words.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { CHECKS } from '../../src/index.ts'
import { type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder } from '../support/nodes.ts'
import { runHere as run } from './here.ts'

async function here(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  return { directory, home: join(directory, 'home'), env: { RHIZOME_NO_HTTP: '1' } }
}

describe('doctor', () => {
  it('without a node says what one would meet, and exits with 0 where nothing failed', async () => {
    const { exitCode, out, err } = await run(['doctor', '--topic', 'users'], await here())
    expect(exitCode).toBe(0)
    expect(out).toMatch(/^✓ version {4}Node \d/m)
    expect(out).toMatch(/^- multicast {2}not tried: --no-mdns$/m)
    expect(out).toMatch(
      /^! namespace {2}users: nobody is there to hold it\n {13}→ start another node .*\n {15} npx rhizome-node --topic users$/m,
    )
    expect(err).toMatch(/^no node has been here.*\nnothing failed; \d warnings?\n$/)
  })

  it('fails where something does, and says what to do', async () => {
    const at = await here()
    const { exitCode, out, err } = await run(['doctor', '--topic', 'users', '--peer', '127.0.0.1:1'], at)
    expect(exitCode).toBe(1)
    expect(out).toMatch(
      /^✗ peer {7}127\.0\.0\.1:1: the machine is there, and nothing listens on that port\n {13}→ start/m,
    )
    expect(err).toMatch(/\n1 check failed, and \d+ warnings?\n$/)
  })

  it('beside a running node asks it, with the secret that it was started with', async () => {
    const at = await here()
    const data = join(at.directory, 'a')
    const secret = { ...at, env: { ...at.env, RHIZOME_SECRET: 'horse' } }
    const node = startRhizome(['--topic', 'users', '--data', data, '--peer', '127.0.0.1:1', '--json'], secret)
    const started = JSON.parse((await node.printed(/.*"event":"started".*/))[0]) as { peerId: string }
    const bare = { ...at, env: { ...at.env, RHIZOME_NO_MDNS: '' } }
    const { exitCode, out, err } = await run(['doctor', '--data', data], bare)
    // The peer that it was started with is asked, and is not there.
    expect(exitCode).toBe(1)
    expect(out).toMatch(/^✗ peer {7}127\.0\.0\.1:1: /m)
    expect(err).toMatch(/^asking the node in /)
    expect(out).toContain(`✓ identity   ${started.peerId}\n✓ secret     given`)
    expect(out).toMatch(/^✓ port {7}reached from here at 127\.0\.0\.1:\d+$/m)
    // Its own setting counts: nobody asks by multicast beside it.
    expect(out).toContain('- multicast  not tried: --no-mdns\n')
  })

  it('with --json is an object a line, of data and words', async () => {
    const { exitCode, out, err } = await run(['doctor', '--json', '--peer', '127.0.0.1:1'], await here())
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: '' })
    expect(lines.map(({ check }) => check)).toEqual(CHECKS)
    expect(lines.at(-2)).toMatchObject({
      check: 'peer',
      verdict: 'fail',
      kind: 'peer-refused',
      peer: '127.0.0.1:1',
      says: expect.stringContaining('nothing listens') as string,
      todo: expect.arrayContaining([expect.any(String)]) as string[],
    })
  })

  it('refuses a topic that is none', async () => {
    expect(await run(['doctor', '--topic', 'No Topic'], await here())).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('RZ_NAMESPACE_NAME') as string,
    })
  })

  it('names commands that there are', () => {
    const twin = wordsOf({ check: 'identity', verdict: 'fail', kind: 'identity-unreadable', why: 'x' })
    const [, word] = /npx rhizome-node (\w+)/.exec(twin.todo.join(' ')) ?? []
    expect(COMMANDS.map(({ name }) => name)).toContain(word)
  })
})
