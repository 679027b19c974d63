/**
 * `npm run mutations`: breaks each rule of `mutation-table.ts` in a copy of the sources under the system's folder for temporary
 * files, runs histories against it, and fails when one is not noticed. `-- <words>` runs those whose name holds the words.
 * The sources themselves are never touched.
 */

import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runJobs } from './jobs.ts'
import { type Mutation, MUTATIONS, NEVER_ENDS } from './mutation-table.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HISTORIES_MAX = 1_000
/** Unbroken sources pass so many, or what is noticed means nothing. */
const HISTORIES_WHOLE = 100
/** Whatever has not ended by then never does. */
const TIME_MS_MAX = 180_000

interface Noticed {
  readonly by: readonly string[]
  readonly histories: number
}

await using copy = await copied()
const words = process.argv.slice(2).join(' ')
const chosen = MUTATIONS.filter(({ name }) => name.includes(words))
for (const shards of [false, true]) {
  const { by } = await noticed(copy.folder, HISTORIES_WHOLE, { shards })
  if (by.length > 0) throw new Error(`without any mutation histories break ${by.join(', ')}: mend that first`)
}
let unnoticed = 0
for (const mutation of chosen) {
  const mend = await broken(copy.folder, mutation)
  const { by, histories } = await noticed(copy.folder, HISTORIES_MAX, {
    wanted: mutation.noticedBy,
    shards: mutation.ofShards === true,
  })
  await mend()
  const isNoticed = by.some((name) => mutation.noticedBy.includes(name))
  if (!isNoticed) unnoticed += 1
  const told = isNoticed ? by.join(', ') : `NOT NOTICED by ${mutation.noticedBy.join(' or ')} (but: ${by.join(', ')})`
  console.log(`${mutation.name.padEnd(60)} ${`${histories}`.padStart(5)}  ${told}`)
}
console.log(`${chosen.length} mutations, ${unnoticed} not noticed`)
process.exitCode = unnoticed === 0 ? 0 : 1

/** Runs histories until one breaks an invariant of those wanted; of any, unless some are named. */
async function noticed(
  folder: string,
  historiesMax: number,
  { wanted, shards }: { readonly wanted?: readonly string[]; readonly shards: boolean },
): Promise<Noticed> {
  const by = new Set<string>()
  let histories = 0
  try {
    await runJobs({
      jobs: availableParallelism(),
      seeds: Array.from({ length: historiesMax }, (_, index) => index + 1),
      history: (seed) => ({ seed, nodes: 3 + (seed % 3), steps: 30, shards }),
      goesOn: () => (wanted === undefined ? by.size === 0 : !wanted.some((name) => by.has(name))),
      signal: AbortSignal.timeout(TIME_MS_MAX),
      file: join(folder, 'test', 'simulator', 'jobs.ts'),
      onOutcome: ({ violations }) => {
        histories += 1
        for (const violation of violations) by.add(violation.slice(0, violation.indexOf(':')))
      },
    })
  } catch (error) {
    by.add(error instanceof Error && error.name === 'TimeoutError' ? NEVER_ENDS : (String(error).split('\n')[0] ?? ''))
  }
  return { by: [...by], histories }
}

/** Makes the changes; answers what takes them back. Throws where the text to change is not there once. */
async function broken(folder: string, { name, changes }: Mutation): Promise<() => Promise<void>> {
  const originals = new Map<string, string>()
  for (const { file, before, after } of changes) {
    const path = join(folder, 'src', file)
    const text = await readFile(path, 'utf8')
    const count = text.split(before).length - 1
    if (count !== 1) throw new Error(`"${name}": its text stands ${count} times in src/${file}: mend mutation-table.ts`)
    if (!originals.has(path)) originals.set(path, text)
    await writeFile(
      path,
      text.replace(before, () => after),
    )
  }
  return async () => {
    for (const [path, text] of originals) await writeFile(path, text)
  }
}

/** All that the simulator needs, in a folder of its own. */
async function copied(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rhizome-mutations-'))
  for (const part of ['src', 'package.json', 'test/simulator', 'test/support', 'test/naive'])
    await cp(join(ROOT, part), join(folder, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
