/** Kills a writing process again and again, and looks in the store for all that it had acknowledged. */

import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { logKeyOf } from '../../src/log/block.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { logId, NAMESPACE, signer } from './blocks.ts'

export interface KillOptions {
  readonly directory: string
  readonly kills: number
  readonly durability: 'normal' | 'full'
  /** Numbers from 0 to 1 by which moments are chosen. */
  readonly random: () => number
}

export interface KillReport {
  readonly acknowledged: number
  readonly lost: readonly string[]
  /** Kills by what the process was doing. */
  readonly killedWhile: Readonly<Record<string, number>>
}

const WRITER = fileURLToPath(new URL('./store-writer.ts', import.meta.url))

/** Answers when every kill is done. What is lost is looked for after each, and once more, in all of it, at the end. */
export async function killAgainAndAgain({ directory, kills, durability, random }: KillOptions): Promise<KillReport> {
  const acknowledged: string[] = []
  const lost = new Set<string>()
  const killedWhile: Record<string, number> = {}
  for (let kill = 0; kill < kills; kill++) {
    const moment = chooseMoment(random)
    const { lines, phase } = await runAndKill(directory, kill, durability, moment)
    killedWhile[phase] = (killedWhile[phase] ?? 0) + 1
    for (const hash of lines) acknowledged.push(hash)
    // Now and then the index goes as well: it must come back from the log alone, and be killed while it does.
    if (random() < 0.2) rmSync(join(directory, 'index.db'), { force: true })
    if (random() < 0.5) continue
    for (const hash of await missing(directory, lines)) lost.add(hash)
  }
  for (const hash of await missing(directory, acknowledged)) lost.add(hash)
  return { acknowledged: acknowledged.length, lost: [...lost], killedWhile }
}

/** After so many acknowledged blocks, or some milliseconds after the process said that it begins to open the store. */
type Moment = { readonly kind: 'blocks'; readonly count: number } | { readonly kind: 'opening'; readonly ms: number }

function chooseMoment(random: () => number): Moment {
  const choice = random()
  if (choice < 0.3) return { kind: 'opening', ms: random() * 60 }
  if (choice < 0.6) return { kind: 'blocks', count: 1 + Math.floor(random() * 20) }
  return { kind: 'blocks', count: Math.floor(20 + random() * 3_000) }
}

async function runAndKill(directory: string, number: number, durability: string, moment: Moment) {
  const child = spawn(process.execPath, [WRITER, directory, String(number), durability], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('exit', (_code, signal) => resolve(signal))
  })
  let timer: NodeJS.Timeout | undefined
  const hashes: string[] = []
  let phase = 'starting'
  for await (const line of createInterface({ input: child.stdout })) {
    const [word = '', hash] = line.split(' ')
    phase = word === 'acknowledged' ? 'writing' : word
    if (hash !== undefined) hashes.push(hash)
    if (moment.kind === 'opening') timer ??= setTimeout(() => child.kill('SIGKILL'), moment.ms)
    else if (hashes.length >= moment.count) child.kill('SIGKILL')
  }
  clearTimeout(timer)
  const signal = await ended
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself while ${phase}`)
  return { lines: hashes, phase }
}

/** Hashes of blocks that cannot be read with all that is in them. */
async function missing(directory: string, hashes: readonly string[]): Promise<readonly string[]> {
  await using store = await openStore(directory)
  const lost = hashes.filter((hash) => !isWhole(store, hash))
  return isHeadNoted(store) ? lost : [...lost, `the note of the newest block: ${store.note('head')}`]
}

/** Whether the note written with the newest block is there, and none of a block that is not. */
function isHeadNoted(store: Store): boolean {
  const note = store.note('head')
  if (note === undefined) return store.counts(NAMESPACE).blocks === 0
  const [number, hash] = note.split(':')
  return store.logState(NAMESPACE, logKeyOf(signer(1).id, logId(Number(number))))?.hash === hash
}

function isWhole(store: Store, hash: string): boolean {
  const block = store.block(NAMESPACE, hash)
  return block !== undefined && store.delta(NAMESPACE, `${hash}/${block.header.count - 1}`) !== undefined
}
