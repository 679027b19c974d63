/**
 * Which of the directories found a command is about, and what is said of the choice. What is told to others cannot be
 * untold, so whatever changes something never guesses: neither a topic, nor between data that is open and data under a
 * secret (RZ_CLI_AMBIGUOUS). What reads takes the first, those that run before others, and says so. Pure.
 */

import { RhizomeError } from '../errors.ts'
import type { DirectoryCard } from '../node/home.ts'
import { shellWord, shortPath } from './paths.ts'

export interface Candidate {
  readonly card: DirectoryCard
  readonly socketPath: string
  readonly isRunning: boolean
}

export interface Purpose {
  /** What the command is about: the records of a topic, or the node that has them. */
  readonly about: 'data' | 'node'
  readonly changes: boolean
}

export interface Choice {
  readonly candidate: Candidate
  /** The topic that is meant; undefined where the directory names none. */
  readonly topic: string | undefined
  /** What the user should know of the choice. */
  readonly note?: string
}

/** Undefined when there is nothing to choose from. `topic` is what the user gave. Throws RZ_CLI_AMBIGUOUS. */
export function choose(
  candidates: readonly Candidate[],
  { about, changes }: Purpose,
  topic: string | undefined,
): Choice | undefined {
  const running = candidates.filter(({ isRunning }) => isRunning)
  const open = running.length > 0 ? running : candidates
  const [candidate, ...others] = open
  if (candidate === undefined) return undefined
  // Data counts although its node is stopped: it may be what was meant. A node can only be asked for what it holds itself.
  const meant = about === 'data' ? candidates : open
  const topics = topic === undefined ? distinctTopics(about === 'data' ? meant : rivals(meant)) : []
  const isMixed = new Set(meant.map(({ card }) => card.overlay)).size > 1
  if (changes && topics.length > 1) throw ambiguous(`several topics here: give --topic ${topics.join('|')}`)
  if (changes && isMixed) throw ambiguous(mixed(meant))
  const chosen = { candidate, topic: topic ?? candidate.card.topics[0] }
  if (topics.length > 1) return { ...chosen, note: otherTopics(chosen, about, topics) }
  // Nodes of one topic that run hold the same records: which of them answers is no matter.
  const isSame = about === 'data' && candidate.isRunning && !isMixed
  if (others.length === 0 || isSame) return chosen
  const count = others.length === 1 ? 'one other holds it, too' : `${others.length} others hold it, too`
  return { ...chosen, note: `this is ${placeOf(candidate)}; ${count} (--data chooses)` }
}

/** Flags by which a command finds this one directory of those under the home folder; none where there is no choice. */
export function flagsTo(directory: string, topics: readonly string[], cards: readonly DirectoryCard[]): string {
  const own = cards.find((card) => card.directory === directory)
  const [topic = ''] = topics
  const isMixed = cards.some((card) => card.topics.includes(topic) && card.overlay !== own?.overlay)
  const needsData = own === undefined || isMixed
  const needsTopic = new Set([...topics, ...(needsData ? [] : cards.flatMap((card) => card.topics))]).size > 1
  return `${needsTopic ? ` --topic ${topic}` : ''}${needsData ? ` --data ${shellWord(shortPath(directory))}` : ''}`
}

/** Of nodes that hold the same topics one is as good as another. */
function rivals(candidates: readonly Candidate[]): readonly Candidate[] {
  const holdings = new Set(candidates.map(({ card }) => [...card.topics].sort().join(' ')))
  return holdings.size > 1 ? candidates : []
}

function distinctTopics(candidates: readonly Candidate[]): readonly string[] {
  return [...new Set(candidates.flatMap(({ card }) => card.topics))].sort()
}

function otherTopics({ candidate, topic }: Choice, about: Purpose['about'], topics: readonly string[]): string {
  const others = topics.filter((each) => each !== topic)
  const what = about === 'data' ? (topic ?? '') : placeOf(candidate)
  return `this is ${what}; here ${others.length === 1 ? 'is' : 'are'} also ${others.join(', ')} (--topic chooses)`
}

function placeOf({ card, isRunning }: Candidate): string {
  return `${isRunning ? 'the node' : 'the data'} in ${shortPath(card.directory)}`
}

function mixed(candidates: readonly Candidate[]): string {
  const of = (isOpen: boolean) => candidates.find(({ card }) => (card.overlay === undefined) === isOpen)?.card.directory
  const [open, closed] = [of(true), of(false)].map((path) => (path === undefined ? '' : shellWord(shortPath(path))))
  return open === '' || closed === ''
    ? 'this topic is here under several secrets: give --data'
    : `this topic is here in the open and under a secret: give --data ${open} or --data ${closed}`
}

function ambiguous(message: string): RhizomeError {
  return new RhizomeError('RZ_CLI_AMBIGUOUS', message)
}
