/** The command as a user types it: from a cold start to listening, and from Ctrl-C to its end. Multicast is off. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Row, rowOfFigures } from '../measure.ts'
import { type Bench, inFolder, type Scale } from '../row.ts'
import { TOPIC } from '../workload.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const ARGS = ['--topic', TOPIC, '--json', '--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0']

export const start: Bench = {
  name: 'start',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const built = spawnSync(process.execPath, [join(ROOT, '.ci', 'prepare.mjs')], { stdio: 'inherit' })
    if (built.status !== 0) throw new Error('dist/ cannot be built')
    const runs: { readonly started: number; readonly stopped: number; readonly npx: number }[] = []
    for (let run = 0; run < scale.runs; run++) runs.push(await inFolder(lives))
    const { runs: count } = scale
    return [
      rowOfFigures(
        { what: 'cold start of the command to listening', unit: 'ms', atMost: 1_000, runs: count },
        runs.map(({ started }) => ({ value: started })),
      ),
      rowOfFigures(
        { what: '… by npx, which takes time of its own', unit: 'ms', runs: count },
        runs.map(({ npx }) => ({ value: npx })),
      ),
      rowOfFigures(
        { what: 'Ctrl-C to the end of the process', unit: 'ms', atMost: 2_000, runs: count },
        runs.map(({ stopped }) => ({ value: stopped })),
      ),
    ]
  },
}

async function lives(home: string) {
  const direct = await live(process.execPath, [join(ROOT, 'dist', 'bin.js'), ...ARGS], home)
  const npx = await live('npx', ['--no-install', 'rhizome-node', ...ARGS], home)
  return { ...direct, npx: npx.started }
}

async function live(command: string, args: readonly string[], home: string) {
  const startedMs = performance.now()
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, RHIZOME_HOME: home },
    // npx has remarks of its own about the user's settings.
    stdio: ['ignore', 'pipe', command === 'npx' ? 'ignore' : 'inherit'],
    // A group of its own: npx passes no signal on.
    detached: true,
  })
  await listening(child)
  const started = performance.now() - startedMs
  const stoppingMs = performance.now()
  const ended = once(child, 'exit')
  process.kill(-(child.pid ?? 0), 'SIGINT')
  await ended
  return { started, stopped: performance.now() - stoppingMs }
}

async function listening(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('bug: its output is a pipe')
  for await (const line of createInterface(child.stdout)) {
    if ((JSON.parse(line) as { readonly event?: string }).event === 'started') {
      child.stdout.resume()
      return
    }
  }
  throw new Error('it ended before it listened')
}
