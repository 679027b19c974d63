/**
 * Which node a command talks to, and the way to it: by `--data`, else by topic among the directories under RHIZOME_HOME,
 * those that run first (choice.ts). Where none runs, the store is opened here, offline, and served on a socket of its own: so
 * every command has one way only. Says on stderr which it took where there was a choice.
 */

import { setTimeout } from 'node:timers/promises'
import { RhizomeError } from '../errors.ts'
import { defaultHome, type DirectoryCard, listDirectories, readCard } from '../node/home.ts'
import { type Candidate, type Choice, choose, type Purpose } from './choice.ts'
import type { Config } from './config.ts'
import { answers, Control, privateSocket } from './control.ts'
import type { Faces } from './faces.ts'
import { shortPath } from './paths.ts'
import { type Terminal, visible } from './terminal.ts'

export interface Door extends AsyncDisposable {
  readonly control: Control
  /** The namespace that the command is about. */
  readonly topic: string
  readonly directory: string
  /** False: the store was opened by this command. */
  readonly isRunning: boolean
}

export interface DoorParts {
  readonly config: Config
  readonly faces: Faces
  readonly terminal: Terminal
}

export interface DoorWish extends Purpose {
  /** Whether a new directory may be made for a topic that has none. Default false. */
  readonly mayMake?: boolean
}

const READING: DoorWish = { about: 'data', changes: false }

/** A node that starts, or another command, has the store for a moment before it can be talked to, or is gone. */
const LOCKED_MS = 5_000
const LOCKED_RETRY_MS = 50

/** Throws RZ_CLI_NO_NODE when there is nothing to open, RZ_CLI_AMBIGUOUS, and what opening a node throws. */
export async function openDoor(parts: DoorParts, wish: DoorWish = READING): Promise<Door> {
  const deadlineMs = performance.now() + LOCKED_MS
  for (;;) {
    try {
      return await tryDoor(parts, wish)
    } catch (error) {
      const isLocked = error instanceof RhizomeError && error.code === 'RZ_STORE_LOCKED'
      if (!isLocked || performance.now() > deadlineMs) throw error
      await setTimeout(LOCKED_RETRY_MS)
    }
  }
}

async function tryDoor(parts: DoorParts, wish: DoorWish): Promise<Door> {
  const chosen = await chooseHere(parts, wish)
  if (chosen === undefined) return openNew(parts, wish)
  const { candidate, topic } = chosen
  if (topic === undefined) throw noNode(`${shortPath(candidate.card.directory)} holds no topic: give one with --topic`)
  const door = candidate.isRunning ? doorTo(candidate, topic) : await openHere(parts, topic, candidate.card)
  tellChoice(chosen, parts)
  return door
}

function doorTo({ card: { directory }, socketPath }: Candidate, topic: string): Door {
  const control = new Control(socketPath)
  return { control, topic, directory, isRunning: true, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() }
}

/** A directory of a node, whether it runs or not. */
export interface FoundDirectory {
  readonly directory: string
  readonly topics: readonly string[]
  readonly socketPath: string
  readonly isRunning: boolean
}

/** The directory that the settings mean. Throws RZ_CLI_NO_NODE and RZ_CLI_AMBIGUOUS. */
export async function findDirectory(
  parts: DoorParts,
  { changes }: { readonly changes: boolean },
): Promise<FoundDirectory> {
  const found = await seekDirectory(parts, { changes })
  if (found === undefined) throw nothingHere(parts.config)
  return found
}

/** The same, undefined where there is none. */
export async function seekDirectory(
  parts: DoorParts,
  { changes }: { readonly changes: boolean },
): Promise<FoundDirectory | undefined> {
  const chosen = await chooseHere(parts, { about: 'node', changes })
  if (chosen === undefined) return undefined
  tellChoice(chosen, parts)
  const { card, socketPath, isRunning } = chosen.candidate
  return { directory: card.directory, topics: card.topics, socketPath, isRunning }
}

async function chooseHere({ config, faces }: DoorParts, purpose: Purpose): Promise<Choice | undefined> {
  return choose(await findCandidates(config, faces), purpose, config.topics[0])
}

async function findCandidates(config: Config, faces: Faces): Promise<readonly Candidate[]> {
  const cards = await findCards(config)
  return Promise.all(
    cards.map(async (card) => {
      const socketPath = await faces.socketPathOf(card.directory)
      return { card, socketPath, isRunning: await answers(socketPath) }
    }),
  )
}

async function findCards(config: Config): Promise<readonly DirectoryCard[]> {
  if (config.data !== undefined) {
    const card = await readCard(config.data)
    return card === undefined ? [] : [card]
  }
  const [topic] = config.topics
  const cards = await listDirectories(config.home ?? defaultHome())
  return topic === undefined ? cards : cards.filter(({ topics }) => topics.includes(topic))
}

function openNew(parts: DoorParts, { mayMake }: DoorWish): Promise<Door> {
  const [topic] = parts.config.topics
  if (mayMake !== true || topic === undefined) throw nothingHere(parts.config)
  return openHere(parts, topic, undefined)
}

async function openHere({ config, faces, terminal }: DoorParts, topic: string, card?: DirectoryCard): Promise<Door> {
  const { openNode } = await import('../node/node.ts')
  const data = card?.directory ?? config.data
  const onError = (error: unknown) => terminal.err(`! ${visible(String(error))}`)
  const topics = [...new Set([topic, ...(card?.topics ?? []), ...config.topics])].flatMap((name) =>
    heldOf(name, config, card),
  )
  await using opening = new AsyncDisposableStack()
  const node = opening.use(
    await openNode({
      topics,
      network: false,
      durability: config.durability,
      contexts: config.contexts,
      ...(card === undefined ? {} : { name: card.name }),
      ...(data === undefined ? {} : { data }),
      ...(config.home === undefined ? {} : { home: config.home }),
    }),
  )
  // Not at the node's own place: another command that found it there would lose it when this one ends.
  const { path: socketPath } = opening.use(await privateSocket())
  opening.use(await faces.serve(node, { tcp: false, socketPath, overlay: 'offline', onError }))
  const { directory } = node
  if (directory === undefined) throw noNode('a node in memory cannot be opened by a command')
  if (config.verbose) terminal.err(`no node runs here: opened ${shortPath(directory)} offline`)
  const control = opening.use(new Control(socketPath))
  const closing = opening.move()
  return { control, topic, directory, isRunning: false, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}

/** What the directory's node held of a topic: a command that opens it alone must not take it for more than is there. */
function heldOf(name: string, { holds }: Config, card: DirectoryCard | undefined): readonly string[] {
  const of = (texts: readonly string[]) => texts.filter((text) => text === name || text.startsWith(`${name}:`))
  const held = of(card?.holds ?? [])
  if (held.length > 0) return held
  const given = of(holds)
  return given.length > 0 ? given : [name]
}

function tellChoice({ note }: Choice, { terminal }: DoorParts): void {
  if (note !== undefined) terminal.err(`note: ${note}`)
}

function nothingHere({ data, topics }: Config): RhizomeError {
  const [topic = 'users'] = topics
  if (data !== undefined)
    return noNode(`${data} holds no node's data: start one there with --topic ${topic} --data ${data}`)
  const what = topics.length === 0 ? 'no node runs here and none left data' : `no node here holds "${topic}"`
  return noNode(`${what}: start one with npx rhizome-node --topic ${topic}`)
}

function noNode(message: string): RhizomeError {
  return new RhizomeError('RZ_CLI_NO_NODE', message)
}
