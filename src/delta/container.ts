/**
 * Containers: collections that are there before they have records, because somebody made them. `container/<name>` is a record
 * that says so, and no other mark is needed: it replicates as every record does.
 */

import { parseEntityId } from './record.ts'

export const CONTAINER = 'container'
/** Of the records that are marks, by their entity ids. */
export const CONTAINER_PREFIX = `${CONTAINER}/`

/** The container that the entity is the mark of; undefined for what is no mark, and for a name that no collection can have. */
export function markedContainer(entity: string): string | undefined {
  const record = parseEntityId(entity)
  return record?.collection === CONTAINER && isCollectionName(record.id) ? record.id : undefined
}

function isCollectionName(name: string): boolean {
  return name !== '.' && !name.includes('/')
}
