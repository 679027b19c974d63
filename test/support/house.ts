/**
 * Judges the modules of src/ by a table: which room may import which, and what no room may do.
 * Pure: it is given sources by path, so that a test can show each rule failing. design.md 6; the table is in
 * test/house.test.ts.
 */
import { dirname, normalize } from 'node:path/posix'

import { type Module, readModule, type Reference } from './modules.ts'

/** One line of the table. A grant is a room, a file of a room (`store/store.ts`), or `types of <room>`. */
export interface Row {
  readonly room: string
  readonly mayImport: readonly string[]
  readonly never: readonly string[]
}

/** Packages that one concern owns, each `*` standing for any ending, and the rooms that may name them. */
export interface PackageRow {
  readonly packages: readonly string[]
  readonly rooms: readonly string[]
}

export interface House {
  readonly rows: readonly Row[]
  readonly packages: readonly PackageRow[]
}

/** What a room that must never do I/O may still take from Node: arithmetic. */
const NODE_WITHOUT_IO = new Set(['node:assert', 'node:buffer', 'node:crypto', 'node:util'])

/** Reads a Markdown table into its rows of trimmed cells, head and rule left out. */
export function readTable(markdown: string): string[][] {
  const lines = markdown.split('\n').filter((line) => line.trim().startsWith('|'))
  return lines.slice(2).map((line) => {
    const cells = line.trim().replaceAll('`', '').split('|')
    return cells.slice(1, -1).map((cell) => cell.trim())
  })
}

/** Splits a cell at its commas; an em dash or nothing is an empty list. */
export function readList(cell: string | undefined): string[] {
  return (cell ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '' && item !== '—')
}

/**
 * Every breach of the house, one line each, in the order of `sources`; empty when the house is in order.
 * `sources` maps paths below src/ (`log/seal.ts`) to their text.
 */
export function breaches(sources: ReadonlyMap<string, string>, house: House): string[] {
  const modules = new Map([...sources].map(([path, source]) => [path, readModule(path, source)]))
  const found: string[] = []
  for (const [path, module] of modules) {
    const row = house.rows.find(({ room }) => room === roomOf(path))
    if (row === undefined) {
      if (path !== 'errors.ts') found.push(`${path}: ${roomOf(path)} is not in the table`)
      else if (module.references.length > 0) found.push('errors.ts: may import nothing')
      continue
    }
    for (const reference of module.references) {
      const why = refusal(path, reference, row, modules, house.packages)
      if (why !== undefined) found.push(`${path}:${reference.line}: ${why}`)
    }
    for (const { deed, line } of module.deeds) {
      if (isForbidden(deed, path, row)) found.push(`${path}:${line}: ${deed}`)
    }
  }
  return [...found, ...cycles(modules)]
}

/** A file directly under src/ is a room of its own. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path
}

function isForbidden(deed: Module['deeds'][number]['deed'], path: string, row: Row): boolean {
  if (deed === 're-export') return path !== 'index.ts'
  return deed === 'default export' || deed === 'export *' || row.never.includes(deed)
}

function refusal(
  path: string,
  { specifier, typeOnly }: Reference,
  row: Row,
  modules: ReadonlyMap<string, Module>,
  packages: readonly PackageRow[],
): string | undefined {
  if (specifier.startsWith('node:')) {
    if (row.never.includes('I/O') && !NODE_WITHOUT_IO.has(specifier))
      return `${row.room} must never do I/O: ${specifier}`
  }
  if (specifier === '(computed)') return 'an import whose path is computed cannot be checked'
  if (!specifier.startsWith('.')) {
    const owner = packages.find((one) => one.packages.some((pattern) => matches(pattern, specifier)))
    return owner === undefined || owner.rooms.includes(row.room) ? undefined : `${row.room} may not import ${specifier}`
  }
  const target = normalize(`${dirname(path)}/${specifier}`)
  if (!modules.has(target)) return `${specifier} is no file of src/`
  if (target === 'errors.ts' || roomOf(target) === row.room) return undefined
  const granted = row.mayImport.some(
    (grant) => grant === target || grant === roomOf(target) || (typeOnly && grant === `types of ${roomOf(target)}`),
  )
  return granted ? undefined : `${row.room} may not import ${target}`
}

function matches(pattern: string, specifier: string): boolean {
  if (pattern.endsWith('*')) return specifier.startsWith(pattern.slice(0, -1))
  return specifier === pattern || specifier.startsWith(`${pattern}/`)
}

/** Each import cycle once, type-only imports included: two files that need each other are one concept or three. */
function cycles(modules: ReadonlyMap<string, Module>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const trail: string[] = []
  const walk = (path: string): void => {
    const since = trail.indexOf(path)
    if (since >= 0) found.push(`cycle: ${[...trail.slice(since), path].join(' → ')}`)
    if (since >= 0 || done.has(path)) return
    trail.push(path)
    for (const { specifier } of modules.get(path)?.references ?? []) {
      if (specifier.startsWith('.')) walk(normalize(`${dirname(path)}/${specifier}`))
    }
    trail.pop()
    done.add(path)
  }
  for (const path of modules.keys()) walk(path)
  return found
}
