/** What `full` durability promises, as the kernel sees it: no write is acknowledged before its bytes were synced to disk. */
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/nodes.ts'

const WRITER = fileURLToPath(new URL('../support/acknowledging-writer.ts', import.meta.url))
const WRITES = 20

test('with full durability the log is synced before each acknowledgement', async () => {
  const calls = await callsOf('full')
  const acknowledged = calls.flatMap((call, index) => (call === 'acknowledged' ? [index] : []))
  expect(acknowledged.length).toBe(WRITES)
  for (const index of acknowledged) {
    // Read backwards from the acknowledgement: the sync comes after the last byte of the log that was written.
    const before = calls.slice(0, index)
    expect(before.lastIndexOf('synced')).toBeGreaterThan(before.lastIndexOf('written'))
  }
  expect(calls.filter((call) => call === 'synced').length).toBeGreaterThanOrEqual(WRITES)
})

test('with normal durability too it is synced that a life began, before anything is acknowledged', async () => {
  const folder = await temporaryFolder()
  await callsOf('normal', folder)
  const calls = await callsOf('normal', folder)
  const before = calls.slice(0, calls.indexOf('acknowledged'))
  // SQLite itself syncs the head of a new write-ahead log, and what follows no more.
  const head = before.indexOf('synced')
  const next = before.indexOf('synced', head + 1)
  expect(next).toBeGreaterThan(head)
  expect(before.slice(head, next)).toContain('written')
})

test('with normal durability writes are acknowledged unsynced, or the test above shows nothing', async () => {
  const calls = await callsOf('normal')
  const [first, last] = [calls.indexOf('acknowledged'), calls.lastIndexOf('acknowledged')]
  expect(calls.slice(first, last)).not.toContain('synced')
})

type Call = 'written' | 'synced' | 'acknowledged'

/** What the process did to the log's files, and when it acknowledged, in the order in which the kernel finished it. */
async function callsOf(durability: 'full' | 'normal', given?: string): Promise<readonly Call[]> {
  const folder = given ?? (await temporaryFolder())
  const trace = join(folder, 'trace')
  const strace = [
    '-f',
    '-y',
    '-e',
    'trace=write,pwrite64,writev,pwritev,fsync,fdatasync',
    '-e',
    'signal=none',
    '-o',
    trace,
  ]
  execFileSync('strace', [...strace, process.execPath, WRITER, join(folder, 'data'), durability, String(WRITES)])
  return finishedCalls((await readFile(trace, 'utf8')).split('\n'))
}

/** A call during which another thread made one has two lines: the second, which does not name the file, ends it. */
function finishedCalls(lines: readonly string[]): readonly Call[] {
  const unfinished = new Map<string, Call | undefined>()
  return lines.flatMap((line) => {
    const [, thread = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (text.includes(' resumed>')) return unfinished.get(thread) ?? []
    const call = callOf(text)
    if (!text.endsWith('<unfinished ...>')) return call ?? []
    unfinished.set(thread, call)
    return []
  })
}

/** A commit goes to the write-ahead log; what is copied from there to log.db later was synced before. */
function callOf(text: string): Call | undefined {
  if (/^write\(\d+.*"acknowledged /.test(text)) return 'acknowledged'
  if (!text.includes('/store/log.db-wal')) return undefined
  if (/^p?writev?(64)?\(/.test(text)) return 'written'
  return /^f(data)?sync\(/.test(text) ? 'synced' : undefined
}
