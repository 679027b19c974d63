/** The answers of BUCKETS, KEYS and WATCH: lines that are made while they are sent, and an error behind those where some are missing. */

import { toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { textLine } from './line-value.ts'
import { PAGE_KEYS } from './options.ts'
import type { Reach } from './reach.ts'

export async function* bucketLines(reach: Reach): AsyncGenerator<Iterable<string>> {
  const { value, unheld } = await reach.collections()
  yield value.map(textLine)
  if (unheld !== undefined) {
    throw new RhizomeError(
      'RZ_SHARD_UNHELD',
      `there may be more in ${unheld.join(', ')}, which nobody who answers holds`,
    )
  }
}

export async function* keyLines(reach: Reach, bucket: string): AsyncGenerator<Iterable<string>> {
  for (let last: string | undefined; ;) {
    const { value: keys } = await reach.ids(bucket, { countMax: PAGE_KEYS, ...(last !== undefined && { after: last }) })
    last = keys.at(-1)
    if (last === undefined) return
    yield keys.map(textLine)
  }
}

/** Each record of a bucket that changes, as HTTP's events have it: `{ id, properties }`, or `{ id, gone: true }`. */
export async function* changeLines(changes: ReturnType<Reach['watch']>): AsyncGenerator<Iterable<string>> {
  for await (const { id, view } of changes) {
    const told = view === undefined ? { id, gone: true } : { id, properties: toJson(view.properties) }
    yield [JSON.stringify(told)]
  }
}
