/**
 * Where nodes keep their data when nobody says: directories under a home folder, one a node, each with a small
 * `node.json` that says which topics it holds. Owns choosing one; the store's lock decides who may have it.
 */

import { mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import envPaths from 'env-paths'
import { RhizomeError } from '../errors.ts'
import { makeFolder, unusable } from './folder.ts'
import { replaceFile } from './whole-file.ts'

const CARD = 'node.json'
const NODES = 'nodes'
/** Of a node's directory. */
export const STORE_FOLDER = 'store'
const DIRECTORIES_MAX = 1_000

/** What a directory says of itself without being opened. */
export interface DirectoryCard {
  readonly directory: string
  readonly name: string
  readonly topics: readonly string[]
  /** What of them was held last, as it was asked for: `shop:*:a-g`. Absent in cards of earlier releases: all. */
  readonly holds?: readonly string[]
  /** Of the secret under which its data was shared (overlay.ts); absent: in the open, or not at all. */
  readonly overlay?: string
}

/**
 * `RHIZOME_HOME`, else the platform's user-data folder for this program: the one setting that the SDK shares with the
 * command, so that both find the same data. All other variables are the command's alone.
 */
export function defaultHome(): string {
  // oxlint-disable-next-line node/no-process-env -- the one exception, for the reason above
  const { RHIZOME_HOME: home = '' } = process.env
  return home === '' ? envPaths('rhizome', { suffix: '' }).data : home
}

/** Directories of nodes under `home`, in order of their names. Throws RZ_STORE_UNWRITABLE for one that cannot be read. */
export async function listDirectories(home: string): Promise<readonly DirectoryCard[]> {
  const names = await readdir(join(home, NODES)).catch(emptyIfMissing(join(home, NODES)))
  const cards = await Promise.all(names.sort(byNumber).map((name) => readCard(join(home, NODES, name))))
  return cards.filter((card) => card !== undefined)
}

/** Undefined where no node was. Throws RZ_STORE_UNWRITABLE where it cannot be read. */
export async function readCard(directory: string): Promise<DirectoryCard | undefined> {
  const text = await readFile(join(directory, CARD), 'utf8').catch(emptyIfMissing(directory))
  if (typeof text !== 'string') return undefined
  const parsed = parse(text)
  return parsed === undefined ? undefined : { directory, ...parsed }
}

/** Replaces the card in one step. Its owner alone can read it: from the hash of the secret in it one can try words. */
export async function writeCard(card: DirectoryCard): Promise<void> {
  const { directory, name, topics, holds, overlay } = card
  await replaceFile(join(directory, CARD), `${JSON.stringify({ name, topics, holds, overlay })}\n`)
}

export interface DirectoryChoice<Opened> {
  readonly topic: string
  /** Whether a directory that holds the topic may be taken. */
  readonly suits: (card: DirectoryCard) => boolean
  /** Answers undefined for a directory that is locked. */
  readonly open: (directory: string) => Promise<Opened | undefined>
}

/**
 * Opens the first directory under `home` that holds the topic, suits, and that nobody else has, else a new one.
 * Throws RZ_STORE_UNWRITABLE.
 */
export async function chooseDirectory<Opened>(
  home: string,
  { topic, suits, open }: DirectoryChoice<Opened>,
): Promise<{ readonly directory: string; readonly opened: Opened }> {
  for (const card of await listDirectories(home)) {
    if (!card.topics.includes(topic) || !suits(card)) continue
    const opened = await open(card.directory)
    if (opened !== undefined) return { directory: card.directory, opened }
  }
  for (let count = 1; count <= DIRECTORIES_MAX; count++) {
    const directory = join(home, NODES, count === 1 ? topic : `${topic}-${count}`)
    if (!(await makeNew(directory))) continue
    const opened = await open(directory)
    if (opened !== undefined) return { directory, opened }
  }
  throw new RhizomeError('RZ_STORE_UNWRITABLE', `${DIRECTORIES_MAX} directories for "${topic}" under ${home} are taken`)
}

/** True when it was not there before: two nodes that start at once never make the same one. */
async function makeNew(directory: string): Promise<boolean> {
  try {
    await makeFolder(dirname(directory))
    await mkdir(directory, { mode: 0o700 })
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause instanceof RhizomeError ? cause : await unusable(directory, cause)
  }
}

function parse(text: string): Omit<DirectoryCard, 'directory'> | undefined {
  try {
    const card = JSON.parse(text) as { name?: unknown; topics?: unknown; holds?: unknown; overlay?: unknown }
    const { name, overlay } = card
    if (typeof name !== 'string' || !Array.isArray(card.topics)) return undefined
    const topics = card.topics.filter((topic) => typeof topic === 'string')
    const holds = Array.isArray(card.holds) && card.holds.filter((held) => typeof held === 'string')
    return { name, topics, ...(holds && { holds }), ...(typeof overlay === 'string' && { overlay }) }
  } catch {
    // A card is a hint beside the store: without a readable one the directory is passed over, and written anew when opened.
    return undefined
  }
}

/** `users` before `users-2` before `users-10`. */
function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1)
}

function emptyIfMissing(folder: string) {
  return async (error: NodeJS.ErrnoException): Promise<[]> => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw await unusable(folder, error)
  }
}
