/**
 * A process that writes to a store until it is killed, and says on its standard output what has been acknowledged:
 * `node store-writer.ts <directory> <log number> <durability>`. Run by store-kill.ts.
 */

import { writeSync } from 'node:fs'
import { openStore } from '../../src/store/sqlite.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from './blocks.ts'

const [directory = '', number = '0', durability = 'normal'] = process.argv.slice(2)

say('opening')
const store = await openStore(directory, { durability: durability === 'full' ? 'full' : 'normal' })
store.openNamespace(NAMESPACE, NAMESPACE_NAME)
const log = new TestLog({ signer: signer(1), logId: logId(Number(number)) })
say('open')
for (let round = 0; ; round++) {
  const from = log.blocks.length
  const blocks = round % 3 === 0 ? 40 : 1
  for (let count = 0; count < blocks; count++) {
    const seq = log.blocks.length
    const deltas = Array.from({ length: 1 + (seq % 5) }, (_, index) =>
      claim('killed', `${number}-${seq % 50}`, `p${index}`, seq),
    )
    log.append(deltas)
  }
  const run = blocks === 1 ? runOf(...log.blocks.slice(from)) : log.run(from)
  const head = new Map([['head', `${number}:${log.blocks.at(-1)?.hash}`]])
  if (store.commit(run, head).kind !== 'committed') throw new Error('not committed')
  for (const { hash } of run.blocks) say(`acknowledged ${hash}`)
}

/** Synchronously: what was acknowledged is known to the parent even if this process ends with the next instruction. */
function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let written = 0; written < bytes.length;) written += writeSome(bytes.subarray(written))
}

/** A pipe that is full for the moment takes nothing. */
function writeSome(bytes: Uint8Array): number {
  try {
    return writeSync(1, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    return 0
  }
}
