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
import { breakStreams, cutOneWay, heal, partition, weather } from './actions/network.ts'
import { fork, liar } from './actions/strangers.ts'
import { burst, negate, put, remove, transaction } from './actions/writing.ts'

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
  syncDisk,
  start,
  close,
  pause,
  resume,
  diskFault,
  setClock,
  fork,
  liar,
]
