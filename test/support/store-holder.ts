/** A process that opens a store and holds it until it is killed: `node store-holder.ts <directory>`. */

import { openStore } from '../../src/store/sqlite.ts'

await openStore(process.argv[2] ?? '')
console.log('open')
setInterval(() => {}, 60_000)
