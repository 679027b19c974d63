/**
 * What a node keeps, opened: the directory, its card, the store and the identities in it. A directory that was shared under another
 * secret is not opened.
 */

import { join } from 'node:path'
import { RhizomeError } from '../errors.ts'
import { shardNamed } from '../log/namespace.ts'
import { openMemoryStore } from '../store/memory.ts'
import { openStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { parseTopic, type Topic } from './everywhere/topics.ts'
import { makeFolder } from './folder.ts'
import { chooseDirectory, defaultHome, type DirectoryCard, readCard, STORE_FOLDER, writeCard } from './home.ts'
import { type Identity, loadIdentities, makeIdentity } from './identity.ts'
import type { NodeOptions } from './options.ts'
import { markOf, mayShare } from './overlay.ts'

export interface Kept {
  readonly store: Store
  /** The node's own first. */
  readonly identities: readonly [Identity, ...Identity[]]
  /** Absent for a node that keeps nothing. */
  readonly directory?: string
}

/** Throws RZ_NODE_SECRET_DIFFERS, RZ_STORE_… and RZ_IDENTITY_INVALID; then nothing stays open. */
export async function openKept(options: NodeOptions, topics: readonly [Topic, ...Topic[]]): Promise<Kept> {
  if (options.memory === true) return { store: openMemoryStore(), identities: [makeIdentity()] }
  if (options.data !== undefined) {
    await makeFolder(options.data)
    const card = await readCard(options.data)
    if (card !== undefined && !suits(card, options)) throw secretDiffers(card)
    return { directory: options.data, ...(await openDirectory(options.data, options)) }
  }
  const { directory, opened } = await chooseDirectory(options.home ?? defaultHome(), {
    topic: topics[0].name,
    suits: (card) => suits(card, options),
    open: (candidate) =>
      openDirectory(candidate, options).catch((error: unknown) => {
        if (error instanceof RhizomeError && error.code === 'RZ_STORE_LOCKED') return undefined
        throw error
      }),
  })
  return { directory, ...opened }
}

/** Offline nothing is shared, so any directory will do. */
function suits({ overlay }: DirectoryCard, { network }: NodeOptions): boolean {
  return network === false || mayShare(overlay, network?.secret)
}

function secretDiffers({ directory }: DirectoryCard): RhizomeError {
  return new RhizomeError(
    'RZ_NODE_SECRET_DIFFERS',
    `the data in ${directory} was shared under another secret: start with that --secret, or with another --data. ` +
      'To share it otherwise on purpose, export its records (export --collection <name>) and import them there',
  )
}

/** Says on the directory's card whose it is. Offline the mark of the overlay stays what it was. */
export async function describeDirectory(
  directory: string,
  { name, store, options }: { readonly name: string; readonly store: Store; readonly options: NodeOptions },
): Promise<void> {
  const { network } = options
  const card = await readCard(directory)
  const before = card?.overlay
  const secret = network === false ? undefined : network?.secret
  const overlay = before ?? (secret === undefined ? undefined : markOf(secret))
  const topics = namesIn(store)
  await writeCard({
    directory,
    name,
    topics,
    holds: held(options, card),
    ...(overlay === undefined ? {} : { overlay }),
  })
}

async function openDirectory(directory: string, options: NodeOptions) {
  const store = await openStore(join(directory, STORE_FOLDER), {
    durability: options.durability ?? 'normal',
    repair: options.repair ?? false,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  await using opening = new AsyncDisposableStack()
  opening.use(store)
  const identities = await loadIdentities(directory)
  opening.move()
  return { store, identities }
}

/** A command that opens the directory offline does not change what its node holds. */
function held({ topics, network }: NodeOptions, card: DirectoryCard | undefined): readonly string[] {
  const before = card?.holds ?? []
  if (network !== false) return topics
  const names = new Set(before.map((text) => parseTopic(text).name))
  return [...before, ...topics.filter((text) => !names.has(parseTopic(text).name))]
}

/** Shards are no topics: they follow from what is placed. */
function namesIn(store: Store): readonly string[] {
  return store.namespaces().flatMap(({ name }) => (shardNamed(name) === undefined ? [name] : []))
}
