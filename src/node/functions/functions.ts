/** The functions at work in a namespace: each name once. */

import type { PeerId, Pointer } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import { type Notes, POSITION_START, type Store } from '../../store/store.ts'
import type { Environment } from '../environment.ts'
import { DeltaFunction, type FunctionStatus } from './function.ts'
import { type FunctionOptions, type Handler, type Settings, settingsOf } from './options.ts'
import type { FunctionEvent } from './performer.ts'

export interface FunctionsParts {
  readonly store: Store
  readonly namespace: NamespaceId
  /** Of an identity. Throws RZ_IDENTITY_UNKNOWN. */
  readonly creator: (identity: string | undefined) => PeerId
  /** As `PerformerParts.write`, in the name of an identity. */
  readonly write: (
    deltas: readonly (readonly Pointer[])[],
    notes: Notes,
    records: ReadonlySet<string>,
    identity: string | undefined,
  ) => Promise<unknown>
  readonly tell: (name: string, event: FunctionEvent) => void
  readonly environment: Environment
  /** Ends when the node closes. */
  readonly closing: AbortSignal
  /** Has the node wait for the end of what was started before it lets go of the store. */
  readonly awaitEnd: (ended: Promise<void>) => void
}

export class Functions {
  readonly #parts: FunctionsParts
  readonly #working = new Map<string, DeltaFunction>()

  constructor(parts: FunctionsParts) {
    this.#parts = parts
  }

  /** Throws RZ_FUNCTION_INVALID, RZ_FUNCTION_RUNNING, RZ_IDENTITY_UNKNOWN, RZ_RULE_…. */
  start(options: FunctionOptions, handler: Handler): DeltaFunction {
    const settings = settingsOf(options)
    if (typeof handler !== 'function')
      throw new RhizomeError('RZ_FUNCTION_INVALID', 'not a function: it needs a handler, behind the options')
    return this.begin(settings, handler, options)
  }

  /** As `start`, with settings that were checked, and a name that may be any. */
  begin(
    settings: Settings,
    handler: Handler,
    { onStanding, signal }: Pick<FunctionOptions, 'onStanding' | 'signal'> = {},
  ): DeltaFunction {
    const { store, namespace, creator, write, tell, environment, closing, awaitEnd } = this.#parts
    const { name, as } = settings
    if (this.#working.has(name)) {
      throw new RhizomeError(
        'RZ_FUNCTION_RUNNING',
        `a function "${name}" is at work already: close it first, or give this one another name`,
      )
    }
    const started = new DeltaFunction({
      store,
      namespace,
      settings,
      handler,
      onStanding,
      creator: creator(as),
      start: settings.from === 'now' ? store.position() : POSITION_START,
      write: (deltas, notes, records) => write(deltas, notes, records, as),
      tell: (event) => tell(name, event),
      environment,
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
      onClosed: () => this.#working.delete(name),
    })
    this.#working.set(name, started)
    awaitEnd(started.ended)
    return started
  }

  /** In the order in which they were started. */
  list(): readonly FunctionStatus[] {
    return [...this.#working.values()].map((working) => working.status())
  }
}
