/**
 * The key-value store over records: a bucket is a collection, a key a record, and what is put its property `value`. A bucket
 * that nothing was put in yet is a container: it exists by its mark (delta/container.ts), as any does by its records.
 */

import { CONTAINER } from '../delta/container.ts'
import type { Value } from '../delta/delta.ts'
import { parseEntityId } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import { isAbsent } from '../node/everywhere/shard.ts'
import type { Entity } from '../node/records.ts'
import { type Answer, DONE, OK, UNKNOWN_BUCKET } from './answer.ts'
import { VALUE } from './compile.ts'
import { lineOf } from './line-value.ts'
import { after, type Reach, type Soon } from './reach.ts'

/** Whether somebody made it, or records of it stand. A name that no collection can have is that of none. */
export function bucketExists(reach: Reach, bucket: string): Soon<boolean> {
  if (!isPossible(bucket)) return false
  return after(reach.get(CONTAINER, bucket), ({ value: mark }) =>
    mark === undefined ? after(reach.ids(bucket, { countMax: 1 }), ({ value: ids }) => ids.length > 0) : true,
  )
}

/** Whether it exists, or `otherwise` where nobody who could know it answers: what is written then waits for a holder. */
export async function knownOr(otherwise: boolean, exists: Soon<boolean>): Promise<boolean> {
  try {
    return await exists
  } catch (error) {
    if (isAbsent(error)) return otherwise
    throw error
  }
}

function isPossible(bucket: string): boolean {
  return parseEntityId(`${bucket}/key`)?.collection === bucket && bucket !== '.'
}

/** Making one that is there changes nothing. Throws RZ_RECORD_INVALID for a name that no collection can have. */
export async function createBucket(reach: Reach, bucket: string): Promise<Answer> {
  if (!isPossible(bucket)) {
    throw new RhizomeError('RZ_RECORD_INVALID', 'a bucket is a collection: its name has no slash, and is not "."')
  }
  if (!(await knownOr(false, bucketExists(reach, bucket)))) await reach.put(CONTAINER, bucket, { created: true })
  return DONE
}

export function getKey(reach: Reach, bucket: string, key: string | undefined): Soon<Answer> {
  if (!isPossible(bucket)) return UNKNOWN_BUCKET
  if (key === undefined) return absentIn(reach, bucket)
  return after(reach.get(bucket, key), ({ value: entity }) =>
    entity === undefined ? absentIn(reach, bucket) : valueAnswer(entity),
  )
}

function absentIn(reach: Reach, bucket: string): Soon<Answer> {
  return after(bucketExists(reach, bucket), (exists) => (exists ? { line: '', end: OK } : UNKNOWN_BUCKET))
}

/** A record without that property has no value here; one whose rule failed says why. */
function valueAnswer({ properties, errors }: Entity): Answer {
  if (Object.hasOwn(properties, VALUE)) return { line: lineOf(properties[VALUE] ?? null), end: OK }
  const fault = errors !== undefined && Object.hasOwn(errors, VALUE) ? errors[VALUE] : undefined
  if (fault !== undefined) throw new RhizomeError(fault.code, fault.message)
  return { line: '', end: OK }
}

export async function putKey(reach: Reach, bucket: string, key: string, value: Value): Promise<Answer> {
  const exists = bucketExists(reach, bucket)
  if (!(exists instanceof Promise ? await knownOr(true, exists) : exists)) return UNKNOWN_BUCKET
  await reach.put(bucket, key, { [VALUE]: value })
  return DONE
}

/** Deleting what is not there is done. */
export async function deleteKey(reach: Reach, bucket: string, key: string | undefined): Promise<Answer> {
  if (!(await bucketExists(reach, bucket))) return UNKNOWN_BUCKET
  if (key !== undefined) await reach.delete(bucket, key)
  return DONE
}
