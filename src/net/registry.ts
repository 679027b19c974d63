/**
 * How the nodes of one user on one machine find each other without multicast: each running node keeps one small file in a
 * shared directory and removes it when it closes; the others watch the directory and dial.
 *
 * A file is a hint, never trusted: it is size-capped, parsed strictly, and whoever answers at its addresses must prove the
 * peer id it names. Files of processes that are gone are removed, but only those of this very machine and container: a
 * process id means nothing elsewhere.
 */
import { readlinkSync, watch, type FSWatcher } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { parsePeerAddress } from './address.ts'
import { REGISTRY_FILE_BYTES_MAX, REGISTRY_POLL_MS } from './limits.ts'
import type { PeerIdText } from './net.ts'

const VERSION = 1
const SUFFIX = '.node.json'

export interface RegistryEntry {
  readonly peer: PeerIdText
  readonly pid: number
  /** Machine and container: entries of another scope are neither dialled nor removed. */
  readonly scope: string
  readonly addresses: readonly string[]
  readonly topics: readonly string[]
}

export interface RegistryOptions {
  readonly directory: string
  readonly self: PeerIdText
  /** What this node's file says now. */
  readonly addresses: () => readonly string[]
  readonly topics: () => readonly string[]
  /** A living node in a topic of ours; called at each look. `isNew` if another process was behind it, or none. */
  readonly onEntry: (entry: RegistryEntry, isNew: boolean) => void
  readonly log: (line: string) => void
  readonly pollMs?: number
}

export class Registry {
  readonly #options: RegistryOptions
  readonly #scope = machineScope()
  #poll: NodeJS.Timeout | undefined
  #watcher: FSWatcher | undefined
  #looking: Promise<void> | undefined
  #writing: Promise<void> = Promise.resolve()
  #closed = false
  /** By file, the process that was seen behind it at the last look. */
  #seen = new Map<string, number>()

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { directory, pollMs = REGISTRY_POLL_MS, log } = this.#options
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await this.update()
    this.#poll = setInterval(() => void this.look(), pollMs)
    try {
      this.#watcher = watch(directory, { persistent: false }, () => void this.look())
      this.#watcher.on('error', (error) => log(`registry: the directory is polled only: ${error.message}`))
    } catch (error) {
      log(`registry: the directory is polled only: ${String(error)}`)
    }
    await this.look()
  }

  /** Writes this node's file anew; call it when topics or addresses changed. Writes happen one after the other. */
  update(): Promise<void> {
    this.#writing = this.#writing
      .then(() => this.#write())
      .catch((error: unknown) => {
        this.#options.log(`registry: this node's file could not be written: ${String(error)}`)
      })
    return this.#writing
  }

  /** Reads all files once and reports the living. Calls that overlap share one look. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#poll)
    this.#watcher?.close()
    await this.#writing
    await this.#looking
    await rm(this.#path(), { force: true })
  }

  #path(): string {
    return join(this.#options.directory, this.#options.self + SUFFIX)
  }

  async #write(): Promise<void> {
    if (this.#closed) return
    const { self, addresses, topics } = this.#options
    const entry: RegistryEntry = {
      peer: self,
      pid: process.pid,
      scope: this.#scope,
      addresses: addresses(),
      topics: topics(),
    }
    const path = this.#path()
    await writeFile(`${path}.new`, JSON.stringify({ version: VERSION, ...entry }), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async #look(): Promise<void> {
    const { directory, self, topics, onEntry, log } = this.#options
    try {
      const seen = new Map<string, number>()
      const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX) && name !== self + SUFFIX)
      for (const name of names) {
        const path = join(directory, name)
        const entry = await readEntry(path)
        if (entry === undefined || entry.scope !== this.#scope || name !== entry.peer + SUFFIX) continue
        if (!processLives(entry.pid)) {
          await rm(path, { force: true })
          continue
        }
        if (this.#closed || !entry.topics.some((topic) => topics().includes(topic))) continue
        seen.set(name, entry.pid)
        onEntry(entry, this.#seen.get(name) !== entry.pid)
      }
      this.#seen = seen
    } catch (error) {
      log(`registry: ${directory} could not be read: ${String(error)}`)
    }
  }
}

/** Undefined for whatever is not an entry: half written, too large, of another version, or gone meanwhile. */
async function readEntry(path: string): Promise<RegistryEntry | undefined> {
  try {
    if ((await stat(path)).size > REGISTRY_FILE_BYTES_MAX) return undefined
    return parseEntry(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}

export function parseEntry(text: string): RegistryEntry | undefined {
  const entry: unknown = JSON.parse(text)
  if (typeof entry !== 'object' || entry === null) return undefined
  if (!('version' in entry && 'peer' in entry && 'pid' in entry && 'scope' in entry)) return undefined
  if (!('addresses' in entry && 'topics' in entry)) return undefined
  const { version, peer, pid, scope, addresses, topics } = entry
  if (version !== VERSION || typeof peer !== 'string' || typeof scope !== 'string') return undefined
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined
  if (!isTexts(addresses) || !isTexts(topics)) return undefined
  const proven = addresses.filter((address) => parsePeerAddress(address).peer === peer)
  return { peer, pid, scope, addresses: proven, topics }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Containers may share the directory and the host name, but neither process ids nor the loopback interface. */
function machineScope(): string {
  const namespaces = ['pid', 'net'].map((kind) => {
    try {
      return readlinkSync(`/proc/self/ns/${kind}`)
    } catch {
      return ''
    }
  })
  return [hostname(), ...namespaces].join(' ')
}
