/**
 * The house of design.md 6 as a test: which room of src/ may import which. Changing a table here is a decision, dated in
 * src/README.md.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { breaches, type House, readList, readTable } from './support/house.ts'

/**
 * Type-only imports count as imports. Every file may import `errors.ts`; every room its own files. `store/store.ts` and
 * `net/net.ts` are the ports: who is granted only the port cannot name an implementation.
 */
const ROOMS = `
| room      | may import                                                   | must never                   |
| --------- | ------------------------------------------------------------ | ---------------------------- |
| delta     | —                                                            | I/O, clock, randomness       |
| log       | delta                                                        | I/O, clock, randomness, async |
| view      | delta                                                        | I/O, clock, randomness, async |
| net       | —                                                            |                              |
| store     | delta, log                                                   |                              |
| sync      | delta, log, store/store.ts, net/net.ts                       | I/O, clock, randomness       |
| query     | delta, log, view, store/store.ts                             |                              |
| node      | delta, log, view, net, store, sync, query                    |                              |
| testing   | delta, log, net, store, node                                 |                              |
| http      | node, delta                                                  |                              |
| text      | node, delta                                                  |                              |
| cli       | node, delta                                                  |                              |
| dashboard | node, delta                                                  |                              |
| index.ts  | delta, log, view, query, node, types of sync, store/store.ts, net/net.ts |                              |
| main.ts   | node, http, text, cli, dashboard                             |                              |
| bin.ts    | main.ts                                                      |                              |
`

/** What these packages do is one room's affair. `node` reads and writes keys in libp2p's form. */
const PACKAGES = `
| packages                                                 | rooms     |
| -------------------------------------------------------- | --------- |
| libp2p, @libp2p/*, @chainsafe/*, @multiformats/*         | net, node |
| multiformats                                             | net       |
| node:sqlite                                              | store     |
| fastify, @fastify/*, ajv, typebox                        | http      |
| commander, cli-table3                                    | cli       |
`

const HOUSE: House = {
  rows: readTable(ROOMS).map(([room = '', mayImport, never]) => ({
    room,
    mayImport: readList(mayImport),
    never: readList(never),
  })),
  packages: readTable(PACKAGES).map(([packages, rooms]) => ({ packages: readList(packages), rooms: readList(rooms) })),
}

const root = fileURLToPath(new URL('..', import.meta.url))

describe('the house', () => {
  it('stands: src/ breaks no rule', () => {
    const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => path.replaceAll(sep, '/'))
      .sort()
    expect(paths).toContain('index.ts')
    const sources = new Map(paths.map((path) => [path, readFileSync(join(root, 'src', path), 'utf8')]))
    expect(breaches(sources, HOUSE)).toEqual([])
  })

  it('is the one that src/README.md tells', () => {
    const told = readTable(
      readFileSync(join(root, 'src', 'README.md'), 'utf8').split('## Who may import whom')[1] ?? '',
    )
    for (const { room, mayImport } of HOUSE.rows) {
      const row = told.find(([name]) => name === room)
      expect(readList(row?.[2]), `the row of ${room}`).toEqual(mayImport)
    }
  })

  it('has a README.md in every folder of src, and in test, fixtures and deploy', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const folders = ['src', 'test', 'fixtures', 'deploy', ...rooms.map(({ name }) => `src/${name}`)]
    expect(folders.filter((folder) => !existsSync(join(root, folder, 'README.md')))).toEqual([])
  })
})

describe('a breach is found:', () => {
  /** The house with these files in place of src/; `errors.ts` and both ports are always there. */
  const check = (files: Record<string, string>) =>
    breaches(new Map(Object.entries({ 'errors.ts': '', 'store/store.ts': '', 'net/net.ts': '', ...files })), HOUSE)

  const cases: readonly { title: string; files: Record<string, string>; breach: string }[] = [
    {
      title: 'an import that the table does not grant',
      files: { 'delta/delta.ts': "import { seal } from '../log/seal.ts'", 'log/seal.ts': '' },
      breach: 'delta/delta.ts:1: delta may not import log/seal.ts',
    },
    {
      title: 'a type-only import that the table does not grant',
      files: { 'log/seal.ts': "\nimport type { Store } from '../store/store.ts'" },
      breach: 'log/seal.ts:2: log may not import store/store.ts',
    },
    {
      title: 'a dynamic import',
      files: { 'view/lossy.ts': "export const load = () => import('../store/store.ts')" },
      breach: 'view/lossy.ts:1: view may not import store/store.ts',
    },
    {
      title: 'an import inside a type',
      files: { 'view/lossy.ts': "export type S = import('../store/store.ts').Store" },
      breach: 'view/lossy.ts:1: view may not import store/store.ts',
    },
    {
      title: 'a file named by URL, as for a worker',
      files: { 'net/a.ts': "export const url = new URL('../log/b.ts', import.meta.url)", 'log/b.ts': '' },
      breach: 'net/a.ts:1: net may not import log/b.ts',
    },
    {
      title: 'a computed import',
      files: { 'net/a.ts': 'export const load = (path: string) => import(path)' },
      breach: 'net/a.ts:1: an import whose path is computed cannot be checked',
    },
    {
      title: 'an implementation of a port, named by any room but node',
      files: { 'sync/session.ts': "import { openMemory } from '../store/memory.ts'", 'store/memory.ts': '' },
      breach: 'sync/session.ts:1: sync may not import store/memory.ts',
    },
    {
      title: 'a face that reaches past node',
      files: { 'http/server.ts': "import type { Store } from '../store/store.ts'" },
      breach: 'http/server.ts:1: http may not import store/store.ts',
    },
    {
      title: 'a face that reaches at another face',
      files: { 'cli/serve.ts': "import { serve } from '../http/server.ts'", 'http/server.ts': '' },
      breach: 'cli/serve.ts:1: cli may not import http/server.ts',
    },
    {
      title: 'an import of node from below',
      files: { 'sync/a.ts': "import type { RhizomeNode } from '../node/node.ts'", 'node/node.ts': '' },
      breach: 'sync/a.ts:1: sync may not import node/node.ts',
    },
    {
      title: 'an import of the SDK from inside',
      files: { 'cli/a.ts': "import { openNode } from '../index.ts'", 'index.ts': '' },
      breach: 'cli/a.ts:1: cli may not import index.ts',
    },
    {
      title: 'an import of a face by the SDK',
      files: { 'index.ts': "export { serve } from './http/server.ts'", 'http/server.ts': '' },
      breach: 'index.ts:1: index.ts may not import http/server.ts',
    },
    {
      title: 'an import by errors.ts',
      files: { 'errors.ts': "import { x } from './delta/delta.ts'", 'delta/delta.ts': '' },
      breach: 'errors.ts: may import nothing',
    },
    {
      title: 'an import without the ending, or of no file',
      files: { 'log/seal.ts': "import { hash } from './header'", 'log/header.ts': '' },
      breach: 'log/seal.ts:1: ./header is no file of src/',
    },
    {
      title: 'an import from outside src',
      files: { 'log/seal.ts': "import { x } from '../../test/support/x.ts'" },
      breach: 'log/seal.ts:1: ../../test/support/x.ts is no file of src/',
    },
    {
      title: 'a package that belongs to another room',
      files: { 'sync/a.ts': "import type { Libp2p } from 'libp2p'" },
      breach: 'sync/a.ts:1: sync may not import libp2p',
    },
    {
      title: 'a scoped package that belongs to another room',
      files: { 'log/a.ts': "import { mdns } from '@libp2p/mdns'" },
      breach: 'log/a.ts:1: log may not import @libp2p/mdns',
    },
    {
      title: 'a cycle, even of types alone',
      files: { 'log/a.ts': "import type { B } from './b.ts'", 'log/b.ts': "import type { A } from './a.ts'" },
      breach: 'cycle: log/a.ts → log/b.ts → log/a.ts',
    },
    {
      title: 'a default export',
      files: { 'net/a.ts': 'export default 1' },
      breach: 'net/a.ts:1: default export',
    },
    {
      title: 'a default export by another name',
      files: { 'net/a.ts': 'const a = 1\nexport { a as default }' },
      breach: 'net/a.ts:2: default export',
    },
    {
      title: 'an export of everything',
      files: { 'index.ts': "export * from './errors.ts'" },
      breach: 'index.ts:1: export *',
    },
    {
      title: 'a second barrel',
      files: { 'store/index.ts': "export { Store } from './store.ts'" },
      breach: 'store/index.ts:1: re-export',
    },
    {
      title: 'a second barrel that imports first and exports then',
      files: { 'store/index.ts': "import { Store } from './store.ts'\nexport { Store }" },
      breach: 'store/index.ts:2: re-export',
    },
    {
      title: 'a room that is not in the table',
      files: { 'common/a.ts': '' },
      breach: 'common/a.ts: common is not in the table',
    },
    {
      title: 'I/O in a room without',
      files: { 'log/a.ts': "import { readFileSync } from 'node:fs'" },
      breach: 'log/a.ts:1: log must never do I/O: node:fs',
    },
    {
      title: 'a clock read in a room without',
      files: { 'delta/clock.ts': 'export const now = () => Date.now()' },
      breach: 'delta/clock.ts:1: clock',
    },
    {
      title: 'a new Date in a room without a clock',
      files: { 'delta/clock.ts': 'export const now = () => new Date()' },
      breach: 'delta/clock.ts:1: clock',
    },
    {
      title: 'a timer in a room without a clock',
      files: { 'sync/a.ts': 'export const later = (fn: () => void) => setTimeout(fn, 10)' },
      breach: 'sync/a.ts:1: clock',
    },
    {
      title: 'randomness in a room without',
      files: { 'log/a.ts': "import { randomBytes } from 'node:crypto'" },
      breach: 'log/a.ts:1: randomness',
    },
    {
      title: 'all of node:crypto under one name in a room without randomness',
      files: { 'log/a.ts': "import * as crypto from 'node:crypto'" },
      breach: 'log/a.ts:1: randomness',
    },
    {
      title: 'an async function in a room without',
      files: { 'view/a.ts': 'export const f = async () => 1' },
      breach: 'view/a.ts:1: async',
    },
  ]

  for (const { title, files, breach } of cases) {
    it(title, () => expect(check(files)).toContain(breach))
  }

  it('and what the table grants is not one', () => {
    const files = {
      'delta/delta.ts': "import { RhizomeError } from '../errors.ts'",
      'log/seal.ts': "import { x } from '../delta/delta.ts'\nimport { hash } from 'node:crypto'",
      'sync/session.ts': "import type { Store } from '../store/store.ts'\nexport const f = async () => 1",
      'store/sqlite.ts': "import { DatabaseSync } from 'node:sqlite'\nexport const now = Date.now()",
      'net/libp2p.ts': "import { createLibp2p } from 'libp2p'",
      'node/node.ts': "import { open } from '../store/sqlite.ts'\nimport { start } from '../net/libp2p.ts'",
      'http/server.ts': "import { type Delta } from '../delta/delta.ts'\nimport { fastify } from 'fastify'",
      'main.ts': "import { serve } from './http/server.ts'",
      'bin.ts': "void import('./main.ts')",
      'index.ts': "export { openNode } from './node/node.ts'",
    }
    expect(check(files)).toEqual([])
  })
})
