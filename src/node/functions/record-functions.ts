/**
 * Functions that are records, at work on a node that has opted in: those whose definitions name it. They start, change and
 * end with their definitions. What they emit this node asserts in its own name, so it says whose definitions it heeds.
 */

import type { PeerId } from '../../delta/delta.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Store } from '../../store/store.ts'
import type { CompiledFunction } from '../../view/functions/function-definition.ts'
import type { DefinitionRecord } from '../../view/definition.ts'
import { attempt, type Fault } from '../../view/fault.ts'
import type { DeltaFunction } from './function.ts'
import { faultOf, type Handler, type Settings } from './options.ts'

type Records = ReadonlyMap<string, DefinitionRecord<CompiledFunction>>

export interface RecordFunctionsParts {
  readonly store: Store
  readonly namespace: NamespaceId
  /** The node's own. */
  readonly peerId: PeerId
  /** Those in force now, by the ids of their records: the same object until one has changed. */
  readonly records: () => Records
  /** Whose definitions are heeded; true for everyone's. */
  readonly heeded: true | readonly PeerId[]
  readonly start: (settings: Settings, handler: Handler) => DeltaFunction
  /** Told when one could not be started: it is tried again with the next change. */
  readonly onFault: (name: string, fault: Fault) => void
  /** Ends when the node closes. */
  readonly closing: AbortSignal
}

interface Working {
  readonly definition: CompiledFunction
  readonly function: DeltaFunction
}

/** Before the id of the record: no function of an application has such a name. */
const PREFIX = 'function/'
/** A longer chain is a loop. */
const DEPTH_MAX = 16
/** A rule fails on a delta again as it did. */
const ATTEMPTS_MAX = 1

/** Follows the definitions until the node closes. */
export async function runRecordFunctions(parts: RecordFunctionsParts): Promise<void> {
  const { store, records, closing, onFault } = parts
  const working = new Map<string, Working>()
  // Of what comes before this position the records tell already.
  const after = store.position()
  let known: Records | undefined
  const follow = async () => {
    const now = records()
    if (now === known) return
    known = (await reconcile(now, working, parts)) ? now : undefined
  }
  try {
    await follow()
    for await (const change of store.changes({ after, signal: closing })) {
      if (change.namespace === parts.namespace) await follow()
    }
  } catch (error) {
    if (!closing.aborted) onFault(PREFIX, faultOf(error))
  }
}

/** Whether all that is to be at work is. */
async function reconcile(
  records: Records,
  working: Map<string, Working>,
  { peerId, heeded, start, onFault }: RecordFunctionsParts,
): Promise<boolean> {
  for (const [id, { definition, function: at }] of working) {
    if (records.get(id)?.definition === definition) continue
    working.delete(id)
    await at.close()
  }
  let isDone = true
  for (const [id, { definition }] of records) {
    if (definition === undefined || working.has(id) || !definition.runsOn(peerId)) continue
    const { definedBy } = definition
    if (heeded !== true && (definedBy === undefined || !heeded.includes(definedBy))) continue
    const settings = settingsOf(id, definition)
    const started = attempt(() => start(settings, handlerOf(definition)))
    if ('value' in started) working.set(id, { definition, function: started.value })
    else {
      isDone = false
      onFault(settings.name, started.fault)
    }
  }
  return isDone
}

function settingsOf(id: string, { sees }: CompiledFunction): Settings {
  return {
    name: `${PREFIX}${id}`,
    sees,
    from: 'now',
    own: false,
    as: undefined,
    depthMax: DEPTH_MAX,
    attemptsMax: ATTEMPTS_MAX,
    retryMs: 1_000,
    onFailure: 'skip',
  }
}

function handlerOf(definition: CompiledFunction): Handler {
  return (delta, emit) => {
    for (const pointers of definition.emissions(delta)) emit(pointers)
  }
}
