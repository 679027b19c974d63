/**
 * A process that writes records and runs a function that copies each, until it is killed; it says on its standard output, by
 * system calls of their own, what the function is handed and what is acknowledged. Arguments: directory, number of the run.
 */
import { writeSync } from 'node:fs'
import { openNode } from '../../src/index.ts'
import { copying } from './copying.ts'

const [data = '', run = '0'] = process.argv.slice(2)
await using node = await openNode({ topics: ['users'], data, network: false })
const users = node.namespace('users')
copying(users, (id) => say(`seen ${id}`))
for (let index = 0; ; index++) {
  const { deltas } = await users.put('order', `${run}-${index}`, { price: index })
  say(`acknowledged ${deltas[0]}`)
}

/** A pipe that is full for the moment takes nothing. */
function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes.subarray(written))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}
