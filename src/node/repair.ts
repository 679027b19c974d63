/** Damage in the directory of a node that does not run: finding it, and mending what can be mended without peers. */

import { join } from 'node:path'
import { repairStore, type StoreReport } from '../store/repair.ts'
import { STORE_FOLDER } from './home.ts'

/**
 * Sets damaged rows aside and keeps the damaged file, so that the store opens again; peers then give what is lacking.
 * Changes nothing in a sound store. Throws RZ_STORE_LOCKED while a node has it, RZ_STORE_MISSING, RZ_STORE_NEWER.
 */
export function repairDirectory(directory: string): StoreReport {
  return repairStore(join(directory, STORE_FOLDER))
}
