/** Everything that can happen in a history. A new kind of write or fault is one row here. */

import type { ActionKind } from './action.ts'
import { context, read, resolver } from './actions/definitions.ts'
import {
  close,
  diskFault,
  kill,
  killWhileWriting,
  pause,
  powerCut,
  reboot,
  resume,
  setClock,
  start,
  syncDisk,
} from './actions/machines.ts'
import {
  burstEverywhere,
  deleteShared,
  dieAmid,
  drop,
  hold,
  place,
  putEverywhere,
  putPair,
  putShared,
  readEverywhere,
  rebootAmid,
} from './actions/shards.ts'
import { breakStreams, cutOneWay, heal, partition, weather } from './actions/network.ts'
import { fork, liar } from './actions/strangers.ts'
import { burst, negate, put, remove, transaction } from './actions/writing.ts'

/** What happens to machines, whatever they hold. The order belongs to the seeds. */
const MACHINE_KINDS: readonly ActionKind[] = [syncDisk, start, close, pause, resume, diskFault, setClock]

export const ACTION_KINDS: readonly ActionKind[] = [
  put,
  burst,
  remove,
  negate,
  transaction,
  resolver,
  context,
  read,
  weather,
  partition,
  cutOneWay,
  breakStreams,
  heal,
  kill,
  killWhileWriting,
  powerCut,
  reboot,
  ...MACHINE_KINDS,
  fork,
  liar,
]

/** What a namespace that lies in shards meets: the same faults, and fewer writes to the parent. */
export const SHARD_ACTION_KINDS: readonly ActionKind[] = [
  putEverywhere,
  burstEverywhere,
  putShared,
  deleteShared,
  putPair,
  readEverywhere,
  place,
  hold,
  drop,
  dieAmid,
  rebootAmid,
  resolver,
  transaction,
  weather,
  partition,
  cutOneWay,
  breakStreams,
  heal,
  kill,
  powerCut,
  ...MACHINE_KINDS,
]
