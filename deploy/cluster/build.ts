/** Makes dist/ from src/ where it is older, as `npm ci` does, but with its types checked: a fault is shown where it is. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterError } from './cluster-error.ts'

/** Throws with what the compiler said. */
export async function build(checkout: string, tell: (line: string) => void): Promise<void> {
  if (isFresh(checkout)) return
  tell('building src/ into dist/')
  const compiler = spawn(process.execPath, [join(checkout, '.ci', 'build.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [compiler.stdout, compiler.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [exitCode] = (await once(compiler, 'close')) as [number | null]
  if (exitCode === 0) return
  throw new ClusterError(`${said.trimEnd()}\nthe build failed, so no node was started: mend the above, then again`)
}

/** Folders count as well, so that a deleted file is seen. */
function isFresh(checkout: string): boolean {
  const sources = join(checkout, 'src')
  const inputs = readdirSync(sources, { recursive: true, encoding: 'utf8' }).map((name) => join(sources, name))
  inputs.push(sources, join(checkout, 'tsconfig.json'), join(checkout, 'package-lock.json'), join(checkout, '.ci'))
  const built = modifiedMs(join(checkout, 'dist', 'bin.js'))
  return inputs.every((input) => modifiedMs(input) < built)
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
