import { openStore } from '../../src/store/sqlite.ts'
import { makeDirectory } from '../support/directory.ts'
import { storeContract } from './contract.ts'

storeContract('a store on disk', async () => {
  const directory = makeDirectory()
  return { open: () => openStore(directory) }
})
