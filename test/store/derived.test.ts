/** Derived rows: what both implementations do, and how the one on disk outlives, or does not outlive, what happens to it. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import type { DerivedRow } from '../../src/store/derived.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, TestLog } from '../support/blocks.ts'
import { codeOf } from '../support/expect.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'derived-'))
  undo.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function opened(opening: Store | Promise<Store>): Promise<Store> {
  const store = await opening
  undo.push(() => store.close())
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  return store
}

const row = (key: string, value: string): DerivedRow => ({ key, row: value })
/** What SQLite takes unless told otherwise. */
const PAGE_BYTES = 4_096
const ALL = { from: '', before: '\u{10ffff}', countMax: 1_000 }

describe.each([
  ['in memory', () => opened(openMemoryStore())],
  ['on disk', () => opened(openStore(directory()))],
])('derived rows %s', (_, open) => {
  it('are not there before they are applied', async () => {
    const { derived } = await open()
    expect(derived.tables()).toEqual([])
    expect(derived.position('t')).toBeUndefined()
    expect(derived.read('t', ALL)).toEqual([])
    derived.drop('t')
  })

  it('are read by key and row, by their UTF-8 bytes, each once', async () => {
    const { derived } = await open()
    derived.apply('t', 0, [row('b', '1'), row('\u{1f600}', '1'), row('\uffee', '1')])
    derived.apply('t', 0, [row('a', '2'), row('a', '\u{1f600}'), row('a', '\uffee'), row('b', '1')])
    const keys = ['a 2', 'a \uffee', 'a \u{1f600}', 'b 1', '\uffee 1', '\u{1f600} 1']
    expect(derived.read('t', ALL).map(({ key, row: value }) => `${key} ${value}`)).toEqual(keys)
  })

  it('are read from a key to before another, in pages', async () => {
    const { derived } = await open()
    derived.apply(
      't',
      0,
      ['a', 'b', 'b\0', 'c', 'd'].flatMap((key) => [row(key, 'x'), row(key, 'y')]),
    )
    const range = { from: 'b', before: 'd', countMax: 4 }
    const first = derived.read('t', range)
    expect(first).toEqual([row('b', 'x'), row('b', 'y'), row('b\0', 'x'), row('b\0', 'y')])
    expect(derived.read('t', { ...range, after: row('b', 'x'), countMax: 2 })).toEqual([row('b', 'y'), row('b\0', 'x')])
    expect(derived.read('t', { ...range, after: row('b\0', 'y') })).toEqual([row('c', 'x'), row('c', 'y')])
    expect(derived.read('t', { ...range, after: row('c', 'y') })).toEqual([])
    expect(derived.read('t', { from: 'b', before: 'b', countMax: 4 })).toEqual([])
  })

  it('of tables are apart, each with its position, and a table can be dropped', async () => {
    const store = await open()
    const { position } = store.commit(new TestLog().write([claim('c', 'i', 'p', 1)])) as { position: number }
    store.derived.apply('one', position, [row('a', '1')])
    store.derived.apply('two', 0, [row('a', '2')])
    expect([...store.derived.tables()].sort()).toEqual(['one', 'two'])
    expect(store.derived.position('one')).toBe(position)
    expect(store.derived.position('two')).toBe(0)
    store.derived.drop('one')
    expect(store.derived.read('one', ALL)).toEqual([])
    expect(store.derived.position('one')).toBeUndefined()
    expect(store.derived.read('two', ALL)).toEqual([row('a', '2')])
    store.derived.apply('one', 0, [])
    expect(store.derived.read('one', ALL)).toEqual([])
    expect(store.derived.position('one')).toBe(0)
  })

  it('end with the store', async () => {
    const store = await open()
    await store.close()
    expect(codeOf(() => store.derived.tables())).toBe('RZ_STORE_CLOSED')
    expect(codeOf(() => store.derived.apply('t', 0, []))).toBe('RZ_STORE_CLOSED')
    expect(codeOf(() => store.derived.read('t', ALL))).toBe('RZ_STORE_CLOSED')
  })
})

describe('derived.db', () => {
  async function written(path: string): Promise<number> {
    const store = await openStore(path)
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    const { position } = store.commit(new TestLog().write([claim('c', 'i', 'p', 1)])) as { position: number }
    store.derived.apply('t', position, [row('a', '1')])
    await store.close()
    return position
  }

  it('is not made before there is something to keep', async () => {
    const path = directory()
    const { derived } = await opened(openStore(path))
    derived.read('t', ALL)
    expect(existsSync(join(path, 'derived.db'))).toBe(false)
  })

  it('is there again when the store is opened again', async () => {
    const path = directory()
    const position = await written(path)
    const { derived } = await opened(openStore(path))
    expect(derived.position('t')).toBe(position)
    expect(derived.read('t', ALL)).toEqual([row('a', '1')])
  })

  it.each([
    ['deleted', (path: string) => rmSync(path)],
    ['no database', (path: string) => writeFileSync(path, 'this was a database')],
    ['of another format', (path: string) => change(path, 'PRAGMA user_version = 99')],
    ['of another log', (path: string) => change(path, "UPDATE meta SET log = 'another'")],
    ['ahead of a log that has lost its newest rows', (path: string) => change(path, 'UPDATE tables SET "end" = 99')],
    ['made from a log that went on otherwise', (path: string) => change(path, 'UPDATE tables SET end_sum = 7')],
  ])('is begun anew when it is %s', async (_, spoil) => {
    const path = directory()
    const position = await written(path)
    spoil(join(path, 'derived.db'))
    const { derived } = await opened(openStore(path))
    expect(derived.tables()).toEqual([])
    derived.apply('t', position, [row('b', '2')])
    expect(derived.read('t', ALL)).toEqual([row('b', '2')])
  })

  it('goes when it is found damaged, and the next call begins another', async () => {
    const path = directory()
    const store = await openStore(path)
    store.derived.apply(
      't',
      0,
      Array.from({ length: 5_000 }, (_, index) => row(`k${index}`, 'x')),
    )
    await store.close()
    const rows = PAGE_BYTES * 10
    const file = readFileSync(join(path, 'derived.db'))
    writeFileSync(join(path, 'derived.db'), file.fill(0xff, rows))
    const { derived } = await opened(openStore(path))
    expect(codeOf(() => derived.read('t', { ...ALL, countMax: 5_000 }))).toBe('RZ_STORE_DAMAGED')
    expect(derived.tables()).toEqual([])
    derived.apply('t', 0, [row('a', '1')])
    expect(derived.read('t', ALL)).toEqual([row('a', '1')])
  })
})

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}
