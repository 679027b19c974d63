/**
 * A process that writes records and says on its standard output when each is acknowledged, by a system call of its own, so that a
 * tracer sees it between those of the store. Arguments: directory, durability, number of records.
 */
import { writeSync } from 'node:fs'
import { openNode } from '../../src/index.ts'

const [data = '', durability, count = '1'] = process.argv.slice(2)
await using node = await openNode({
  topics: ['users'],
  data,
  durability: durability === 'full' ? 'full' : 'normal',
  network: false,
})
for (let index = 0; index < Number(count); index++) {
  await node.namespace('users').put('user', `u${index}`, { index })
  writeSync(1, `acknowledged ${index}\n`)
}
