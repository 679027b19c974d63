/**
 * Other databases that replicate between peers, given the first row's work in the same run: records of three properties,
 * awaited one by one, kept on disk. They are no dependencies of this project: npm installs them into a folder that is gone
 * afterwards, and one that cannot be installed is named and left out.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Figure, rate, type Row, rowOf } from '../measure.ts'
import { type Bench, fewer, inFolder, type Scale, sized } from '../row.ts'
import { recordOf } from '../workload.ts'
import { writeAwaited } from './write-awaited.ts'

type Load = (name: string) => unknown

interface Peer {
  readonly name: string
  /** The one whose version is shown first. */
  readonly packages: readonly string[]
  /** Opens it in the folder and answers how to write one record. */
  open(load: Load, folder: string): Promise<Opened>
}

interface Opened {
  write(id: string, record: object): Promise<unknown>
  close(): Promise<unknown>
}

const PEERS: readonly Peer[] = [
  {
    name: 'PouchDB (leveldb)',
    packages: ['pouchdb'],
    open(load, folder) {
      const PouchDb = load('pouchdb') as new (path: string) => {
        put(document: object): Promise<unknown>
        close(): Promise<void>
      }
      const database = new PouchDb(folder)
      return Promise.resolve({
        write: (id, record) => database.put({ _id: id, ...record }),
        close: () => database.close(),
      })
    },
  },
  {
    name: 'Hypercore',
    // Later versions ask for a storage that is not published everywhere.
    packages: ['hypercore@11.37'],
    async open(load, folder) {
      const Hypercore = load('hypercore') as new (path: string) => Core
      const core = new Hypercore(folder)
      await core.ready()
      return {
        write: (id, record) => core.append(Buffer.from(JSON.stringify({ id, ...record }))),
        close: () => core.close(),
      }
    },
  },
  {
    name: 'Hyperbee',
    packages: ['hyperbee', 'hypercore@11.37'],
    async open(load, folder) {
      const Hypercore = load('hypercore') as new (path: string) => Core
      const Hyperbee = load('hyperbee') as new (
        core: Core,
        options: object,
      ) => {
        ready(): Promise<void>
        put(key: string, value: object): Promise<void>
        close(): Promise<void>
      }
      const bee = new Hyperbee(new Hypercore(folder), { keyEncoding: 'utf-8', valueEncoding: 'json' })
      await bee.ready()
      return { write: (id, record) => bee.put(id, record), close: () => bee.close() }
    },
  },
  {
    name: 'Yjs (y-leveldb)',
    packages: ['yjs', 'y-leveldb'],
    open(load, folder) {
      const { Doc } = load('yjs') as { readonly Doc: new () => YDoc }
      const { LeveldbPersistence } = load('y-leveldb') as {
        readonly LeveldbPersistence: new (path: string) => {
          storeUpdate(name: string, update: Uint8Array): Promise<unknown>
          destroy(): Promise<void>
        }
      }
      const document = new Doc()
      const persistence = new LeveldbPersistence(folder)
      let stored: Promise<unknown> = Promise.resolve()
      document.on('update', (update) => {
        stored = persistence.storeUpdate('bench', update)
      })
      const records = document.getMap('user')
      return Promise.resolve({
        write(id, record) {
          records.set(id, record)
          return stored
        },
        close: () => persistence.destroy(),
      })
    },
  },
]

interface Core {
  ready(): Promise<void>
  append(bytes: Uint8Array): Promise<unknown>
  close(): Promise<void>
}

interface YDoc {
  on(event: 'update', listener: (update: Uint8Array) => void): void
  getMap(name: string): { set(key: string, value: object): void }
}

export const peers: Bench = {
  name: 'peers',
  onDemand: true,
  async measure(scale: Scale): Promise<readonly Row[]> {
    const rows = [...(await writeAwaited.measure(scale))]
    for (const peer of PEERS) {
      const row = await inFolder((folder) => measurePeer(peer, folder, scale))
      if (row === undefined) console.error(`${peer.name} could not be installed: left out`)
      else rows.push(row)
    }
    const [ours, ...theirs] = rows
    if (ours === undefined) return rows
    const best = Math.max(...theirs.map(({ value }) => value))
    return [
      ...rows,
      {
        ...ours,
        what: 'ours, to the fastest of them',
        unit: '×',
        atLeast: 1,
        value: ours.value / best,
        lowest: ours.lowest / best,
        highest: ours.highest / best,
        met: ours.value > best,
      },
    ]
  },
}

async function measurePeer(peer: Peer, folder: string, scale: Scale): Promise<Row | undefined> {
  const installed = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--silent', '--prefix', folder, ...peer.packages],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'ignore'],
      shell: process.platform === 'win32',
    },
  )
  if (installed.status !== 0) return undefined
  const require = createRequire(join(folder, 'package.json'))
  const [first = ''] = peer.packages
  const { version } = JSON.parse(
    readFileSync(join(folder, 'node_modules', first.split('@')[0] ?? '', 'package.json'), 'utf8'),
  ) as {
    readonly version: string
  }
  const records = sized(scale, 10_000, 100)
  return rowOf({ what: `… the same by ${peer.name} ${version}`, unit: 'records/s', runs: fewer(scale, 3) }, (run) =>
    writeAll(peer, require, join(folder, `data-${run}`), records),
  )
}

async function writeAll(peer: Peer, load: Load, folder: string, records: number): Promise<Figure> {
  const opened = await peer.open(load, folder)
  try {
    return await rate(records, async () => {
      for (let index = 0; index < records; index++) await opened.write(`${index}`, recordOf(index))
    })
  } finally {
    await opened.close()
  }
}
