/**
 * Compiles src/ into dist/, and replaces the old dist/ only when that succeeded: a node that runs from it is not pulled
 * from under. Plain JavaScript, because it runs under whatever Node npm happens to use.
 * No source maps: the compiler only erases types, so dist/ reads like src/, and no map may point outside the package.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))

/** Answers the exit code. `flags` are further ones of the compiler. */
export function build(flags = []) {
  const fresh = mkdtempSync(join(root, 'node_modules', '.rhizome-node-build-'))
  try {
    const compiler = spawnSync(
      process.execPath,
      [join(typescript, 'bin', 'tsc'), '-p', join(root, '.ci', 'tsconfig.build.json'), '--outDir', fresh, ...flags],
      { cwd: root, stdio: 'inherit' },
    )
    if (compiler.status !== 0) return compiler.status ?? 1
    chmodSync(fresh, 0o755)
    chmodSync(join(fresh, 'bin.js'), 0o755)
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    renameSync(fresh, join(root, 'dist'))
    return 0
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build()
