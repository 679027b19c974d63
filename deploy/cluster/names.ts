/**
 * What a cluster and its nodes are called: `<folder>_node_<index>`, which is a host name, a container name and the name of a
 * node at once. A folder whose name is none of these is mended, and that is told.
 */

import { basename } from 'node:path'
import { usage } from './cluster-error.ts'

/** More make no sense on one machine: forty nodes load two cores fully. */
export const NODES_MAX = 100
/** A label of a host name has 63 bytes (RFC 1035); `_node_100` takes nine of them. */
const PROJECT_CHARS_MAX = 63 - '_node_'.length - String(NODES_MAX).length
const OTHERWISE = 'cluster'

export interface Project {
  readonly name: string
  /** What had to be changed, for people; absent: nothing. */
  readonly mended?: string
}

/** The project of a folder: lower-case letters, digits, `-` and `_`, beginning with a letter or digit. */
export function projectOf(folder: string): Project {
  const given = basename(folder)
  const name = legal(given)
  if (name === given) return { name }
  return {
    name,
    mended: `the folder's name ${JSON.stringify(given)} is no host name: its nodes are called ${name}_node_1 …`,
  }
}

/** A name that was asked for is not mended. */
export function parseProject(text: string): Project {
  if (legal(text) === text) return { name: text }
  throw usage(
    `--project ${JSON.stringify(text)} is no host name: ${legal(text)} would be (at most ${PROJECT_CHARS_MAX} of a-z, 0-9, - and _)`,
  )
}

function legal(text: string): string {
  const name = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mark}/gu, '')
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[_-]+/, '')
    .slice(0, PROJECT_CHARS_MAX)
    .replace(/[_-]+$/, '')
  return name === '' ? OTHERWISE : name
}

export function nodeName(project: string, index: number): string {
  return `${project}_node_${index}`
}

/** A node's index, from 1. `what` is how it is called where it is missing or wrong. */
export function parseIndex(text: string | undefined, what = 'node'): number {
  const index = /^\d{1,4}$/.test(text ?? '') ? Number(text) : 0
  if (index >= 1 && index <= NODES_MAX) return index
  const said = text === undefined || text === '' ? `say which ${what}` : `${JSON.stringify(text)} is no ${what}`
  throw usage(`${said}: 1 to ${NODES_MAX}, such as 3`)
}

/** `1,2`, `1-3`, or both: `1-3,5`. Ascending, each once. */
export function parseIndexes(text: string | undefined): readonly number[] {
  const indexes = (text ?? '').split(',').flatMap((part) => {
    const [first, last = first, ...rest] = part.split('-')
    const [from, to] = [parseIndex(first), parseIndex(last)]
    if (rest.length > 0 || to < from) throw usage(`${JSON.stringify(part)} is no range of nodes, such as 1-3`)
    return Array.from({ length: to - from + 1 }, (_, offset) => from + offset)
  })
  return [...new Set(indexes)].sort((a, b) => a - b)
}

/** `1-3,5`. */
export function indexesText(indexes: Iterable<number>): string {
  const ranges: [number, number][] = []
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === index - 1) last[1] = index
    else ranges.push([index, index])
  }
  return ranges
    .map(([from, to]) => (from === to ? `${from}` : to === from + 1 ? `${from},${to}` : `${from}-${to}`))
    .join(',')
}
