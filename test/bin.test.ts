/** The first thing a user meets: the command checks Node's version before it imports anything. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { NODE_NEEDED } from '../src/node/diagnosis/own.ts'

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url))
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
  readonly engines: { readonly node: string }
}
const needed = manifest.engines.node.replace('>=', '')
const [major = 0, minor = 0] = needed.split('.').map(Number)

/** Runs `rhizome-node --version` in a Node that takes itself for another version. */
function runUnder(version: string) {
  const pretence = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  const argv = ['--import', `data:text/javascript,${encodeURIComponent(pretence)}`, bin, '--version']
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('the command', () => {
  const tooOld = ['14.21.3', '18.20.8', '20.20.2', '22.22.0', `${major}.${minor - 1}.0`, `${major - 1}.${minor + 1}.0`]
  for (const version of tooOld) {
    it(`says in one line under Node ${version} which Node it needs, and fails`, () => {
      const line = `rhizome-node needs Node ${needed} or newer; this is Node ${version} (https://nodejs.org)\n`
      expect(runUnder(version)).toEqual({ status: 1, stdout: '', stderr: line })
    })
  }

  for (const version of [`${needed}.0`, `${major}.${minor + 1}.0`, `${major + 1}.0.0`]) {
    it(`starts under Node ${version}`, () => {
      expect(runUnder(version)).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' })
    })
  }

  it('and doctor know the same one', () => expect(NODE_NEEDED).toBe(needed))

  it('has no static import and no syntax that an old Node cannot parse', () => {
    const source = readFileSync(bin, 'utf8')
    expect(source).not.toMatch(/^\s*(import\s[^(]|export\s)/m)
    expect(source).not.toMatch(/\?\?|\?\.|\bawait\b|#\w+\b(?!\/)/)
  })
})
