/** Kills a process whose function emits again and again, and counts in the store what was emitted. */

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isReference, openNode } from '../../src/index.ts'
import { copying } from './copying.ts'
import { until } from './nodes.ts'

const CHILD = fileURLToPath(new URL('./function-child.ts', import.meta.url))

export interface FunctionKillReport {
  /** Orders that are in the log. */
  readonly orders: number
  /** Of these, those that the function was never handed. */
  readonly unseen: readonly string[]
  /** Those without a copy, or with more than one. */
  readonly notCopiedOnce: readonly string[]
  /** Counted by the deltas that were emitted with the copies. */
  readonly counted: number
  /** How often an order was handed out more than once. */
  readonly handedAgain: number
}

/** `random` chooses the moments. */
export async function killFunctions(
  directory: string,
  kills: number,
  random: () => number,
): Promise<FunctionKillReport> {
  const seen: string[] = []
  for (let kill = 0; kill < kills; kill++)
    seen.push(...(await runAndKill(directory, kill, 1 + Math.floor(random() * 400))))
  await using node = await openNode({ topics: ['users'], data: directory, network: false })
  const users = node.namespace('users')
  await using function_ = copying(users, (id) => seen.push(id))
  await until('the function has caught up', () => function_.status().lag === 0)
  const orders: string[] = []
  const copies = new Map<string, number>()
  let counted = 0
  for await (const { delta } of users.deltas({ live: false })) {
    const [pointer] = delta.pointers
    if (pointer?.localContext === 'order') orders.push(delta.id)
    if (pointer?.localContext === 'counted') counted++
    if (pointer?.localContext !== 'copied' || !isReference(pointer)) continue
    copies.set(pointer.target, (copies.get(pointer.target) ?? 0) + 1)
  }
  const handed = new Set(seen)
  return {
    orders: orders.length,
    unseen: orders.filter((id) => !handed.has(id)),
    notCopiedOnce: orders.filter((id) => copies.get(id) !== 1),
    counted,
    handedAgain: seen.length - handed.size,
  }
}

/** Kills it after so many lines; answers what the function was handed. */
async function runAndKill(directory: string, run: number, lineCount: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [CHILD, directory, String(run)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('exit', (_code, signal) => resolve(signal))
  })
  const seen: string[] = []
  let lines = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, id = ''] = line.split(' ')
    if (word === 'seen') seen.push(id)
    if (++lines === lineCount) child.kill('SIGKILL')
  }
  const signal = await ended
  if (signal !== 'SIGKILL') throw new Error('the process ended by itself')
  return seen
}
