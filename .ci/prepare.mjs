/**
 * npm's `prepare`: runs after `npm ci` in a checkout, before `npm pack`, and at the first `npx` in a checkout.
 * Builds if the sources and the compiler are there, else accepts a dist/ that is present, else says why not.
 * It compiles without checking types: a checkout must install and run; whether its types hold is `npm run types`, which
 * `prepack` and CI run.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = join(root, 'src')
const entry = join(root, 'dist', 'bin.js')

const hasCompiler = () => {
  try {
    createRequire(import.meta.url).resolve('typescript/package.json')
    return true
  } catch {
    return false
  }
}

const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

/** Whether nothing that the build reads changed after it; folders count, so that a deleted file is seen too. */
const isFresh = () => {
  const inputs = readdirSync(sources, { recursive: true }).map((name) => join(sources, name))
  inputs.push(sources, join(root, 'tsconfig.json'), join(root, 'package-lock.json'), join(root, '.ci'))
  return inputs.every((input) => modifiedMs(input) < modifiedMs(entry))
}

/**
 * `npx` caches its link to a checkout's bin once, and a failure or a missing bin here would break that cache for good.
 * So an `npx` before `npm ci` gets a bin that says what to do. Dated 1970, it counts as not built.
 */
const writePlaceholder = (message) => {
  mkdirSync(dirname(entry), { recursive: true })
  writeFileSync(entry, `#!/usr/bin/env node\nconsole.error(${JSON.stringify(message)})\nprocess.exitCode = 1\n`)
  chmodSync(entry, 0o755)
  utimesSync(entry, 0, 0)
}

if (existsSync(sources) && hasCompiler()) {
  const { build } = await import('./build.mjs')
  process.exitCode = isFresh() ? 0 : build(['--noCheck'])
} else if (modifiedMs(entry) === 0) {
  const missing = existsSync(sources) ? 'its compiler is not installed (run `npm ci` first)' : 'src/ is missing'
  const message = `rhizome-node cannot be built: ${missing}, and there is no dist/ to use instead`
  if (process.env['npm_command'] === 'exec') {
    writePlaceholder(message)
  } else {
    console.error(message)
    process.exitCode = 1
  }
}
