/** What rots unseen in a repository: its lockfile, its top level, focused tests, and traces of one machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Package {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly engines?: { readonly node?: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const manifest = JSON.parse(read('package.json')) as Package & { readonly name: string }
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Package>> }

/** Files that git knows or would add; none where this is no checkout, as in an unpacked archive. */
function trackedFiles(): string[] {
  if (!existsSync(join(root, '.git'))) return []
  const argv = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const list = execFileSync('git', argv, { cwd: root, encoding: 'utf8' }).split('\0')
  return list.filter((path) => path !== '' && existsSync(join(root, path)))
}

const files = trackedFiles()
const isText = (path: string) => /\.(ts|mjs|cjs|js|json|md|ya?ml|sh|html|css)$|^\.ci\/run$|ockerfile$/.test(path)

/** Lines that match, as `path:line`; this file and the lockfile may name what they refuse. */
function linesWith(pattern: RegExp, inPath: (path: string) => boolean = () => true): string[] {
  return files
    .filter(
      (path) => isText(path) && inPath(path) && path !== 'test/repository.test.ts' && path !== 'package-lock.json',
    )
    .flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? `${path}:${index + 1}` : [])),
    )
}

describe('README.md', () => {
  it('gives the reason of every runtime dependency, and of no other', () => {
    const section = read('README.md').split('## What it is built on')[1]?.split('\n## ')[0] ?? ''
    const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| package'))
    const named = rows.flatMap(
      (row) =>
        row
          .split('|')[1]
          ?.split(',')
          .map((name) => name.trim()) ?? [],
    )
    expect(named.toSorted()).toEqual(Object.keys(manifest.dependencies ?? {}).toSorted())
  })
})

describe('the lockfile', () => {
  it('agrees with package.json on version, engines and dependencies', () => {
    const { version, engines, dependencies, devDependencies } = manifest
    expect(lock.packages['']).toMatchObject({ version, engines, dependencies, devDependencies })
  })

  it('names no registry and no machine', () => {
    const entries = Object.entries(lock.packages)
    expect(entries.filter(([, one]) => one.resolved !== undefined).map(([path]) => path)).toEqual([])
  })

  it('pins every package by version and hash', () => {
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '')
    expect(entries.filter(([, one]) => one.version === undefined || one.integrity === undefined)).toEqual([])
  })

  it('holds every dependency, those of other platforms included', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !candidates(path, name).some((candidate) => candidate in lock.packages))
        .map((name) => `${name} of ${path}`),
    )
    expect(missing).toEqual([])
  })
})

/** Where Node would look for `name` from inside the package at `path`, nearest first. */
function candidates(path: string, name: string): string[] {
  const parents = path === '' ? [] : path.split(/\/?node_modules\//).slice(1)
  return [...parents, ''].map((_, depth) => {
    const above = parents.slice(0, parents.length - depth).map((parent) => `node_modules/${parent}/`)
    return `${above.join('')}node_modules/${name}`
  })
}

describe('the repository', () => {
  it('has only what the owner fixed at its top level, and what tools demand there', () => {
    const fixed = ['src', 'test', 'fixtures', 'deploy', 'compose.yaml', 'package.json', 'tsconfig.json', 'README.md']
    const demanded = ['package-lock.json', 'vitest.config.ts', 'LICENSE', 'CHANGELOG.md']
    const allowed = new Set([...fixed, ...demanded])
    const entries = new Set(files.map((path) => path.split('/')[0] ?? path))
    expect([...entries].filter((entry) => !allowed.has(entry) && !entry.startsWith('.'))).toEqual([])
  })

  it('holds no path of a machine', () => {
    expect(linesWith(/(?<![\w.])\/(home|Users|work|root|farm)\/[\w.-]|[A-Z]:\\Users\\/)).toEqual([])
  })

  it('names no registry', () => {
    expect(linesWith(/registry\.(npmjs|yarnpkg)|npm\.pkg\.github|verdaccio|artifactory/i)).toEqual([])
  })

  it('has no focused, skipped or postponed test', () => {
    const isTest = (path: string) => path.startsWith('test/')
    expect(
      linesWith(
        /\b(it|test|describe|suite|bench)\b[\w.]*\.(only|skip|todo|skipIf|runIf|fails)\b|\bf(it|describe)\(/,
        isTest,
      ),
    ).toEqual([])
  })

  it('has no mark of something left to do in src', () => {
    expect(linesWith(/\b(TODO|FIXME|XXX|HACK)\b/, (path) => path.startsWith('src/'))).toEqual([])
  })
})
