/**
 * The programs that the tests with containers call: docker, and compose in whichever version is there. Owns the engine being the
 * test's own (test/containers/engine.sh), which it refuses to do without: no test touches containers of the machine.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Longer than a loaded machine needs for any of them. */
const CALL_MS = 120_000
const OUTPUT_BYTES_MAX = 64 * 1_048_576

/** Runs a program to its end; answers what it printed. What it said on stderr is in the failure. */
export async function call(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd: ROOT, env: { ...process.env, ...env }, timeout: CALL_MS, maxBuffer: OUTPUT_BYTES_MAX }
  const { stdout } = await promisify(execFile)(program, words, options)
  return stdout.trimEnd()
}

export function docker(...words: readonly string[]): Promise<string> {
  ownCompose()
  return call('docker', words)
}

/** Compose with the repository's compose.yaml, as a project of that name. */
export function compose(
  project: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [program = '', ...rest] = ownCompose()
  return call(program, [...rest, '--project-name', project, ...words], env)
}

/** What engine.sh says to call. */
function ownCompose(): readonly string[] {
  const words = process.env['COMPOSE'] ?? ''
  if (words === '') throw new Error('there is no engine of the test’s own: run this by npm run test:containers')
  return words.split(' ')
}
