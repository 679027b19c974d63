/**
 * The namespaces that a node has open, each with the logs that its identities write there. Shards that are held elsewhere are among
 * them: what is written to one waits in its log to be carried.
 */

import { assert, RhizomeError } from '../errors.ts'
import { type LogKey, splitLogKey } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'
import type { Environment } from './environment.ts'
import type { NodeEvent } from './events.ts'
import type { HybridClock } from './hybrid-clock.ts'
import type { Identity } from './identity.ts'
import type { Namespace } from './namespace.ts'
import { OwnLogs } from './own-logs.ts'
import { LogWriter } from './writer.ts'

/** A namespace with what the node keeps beside it. */
export interface Holding {
  readonly namespace: Namespace
  readonly ownLogs: OwnLogs
  readonly writers: Map<string, LogWriter>
}

export interface HoldingsParts {
  readonly store: Store
  /** The node's own first. */
  readonly identities: readonly [Identity, ...Identity[]]
  readonly clock: HybridClock
  readonly environment: Environment
  readonly tell: (event: NodeEvent) => void
}

export class Holdings {
  readonly #parts: HoldingsParts
  readonly #byName = new Map<string, Holding>()
  readonly #byId = new Map<string, Holding>()

  constructor(parts: HoldingsParts) {
    this.#parts = parts
  }

  add(namespace: Namespace): Holding {
    const holding: Holding = {
      namespace,
      ownLogs: new OwnLogs(this.#parts.store, namespace.id),
      writers: new Map(),
    }
    this.#byName.set(namespace.name, holding)
    this.#byId.set(namespace.id, holding)
    return holding
  }

  named(name: string): Namespace | undefined {
    return this.#byName.get(name)?.namespace
  }

  /** The name, or, of one that is not open, the id. */
  nameOf(namespace: NamespaceId): string {
    return this.#byId.get(namespace)?.namespace.name ?? namespace
  }

  /** Throws RZ_IDENTITY_UNKNOWN. */
  identity(name: string): Identity {
    const { identities } = this.#parts
    const identity = identities.find((candidate) => candidate.name === name)
    if (identity !== undefined) return identity
    const names = identities.map((candidate) => candidate.name).join(', ')
    throw new RhizomeError('RZ_IDENTITY_UNKNOWN', `there is no identity "${name}" on this node; there is ${names}`)
  }

  /** The one writer of an identity's log in a namespace. Throws RZ_IDENTITY_UNKNOWN. */
  writer(name: string, identity: string): LogWriter {
    const holding = this.#byName.get(name)
    assert(holding !== undefined, 'a namespace is open before anything is written to it')
    const known = holding.writers.get(identity)
    if (known !== undefined) return known
    const writer = this.#open(holding, this.identity(identity))
    holding.writers.set(identity, writer)
    return writer
  }

  /** The writer of whose key is `creator`; undefined when the key or the namespace is not here. */
  writerOf(namespace: NamespaceId, creator: string): LogWriter | undefined {
    const name = this.#byId.get(namespace)?.namespace.name
    const identity = this.#ofKey(creator)
    return name === undefined || identity === undefined ? undefined : this.writer(name, identity.name)
  }

  /** Whether this store has written the log, in this namespace or, where none is named, in any. */
  hasWritten(log: LogKey, namespace?: NamespaceId): boolean {
    if (namespace !== undefined) return this.#byId.get(namespace)?.ownLogs.has(log) ?? false
    return [...this.#byName.values()].some(({ ownLogs }) => ownLogs.has(log))
  }

  /** A log that others know better than we do was written by another life of this store: it is left alone. */
  leave(log: LogKey, why: string): void {
    const identity = this.#ofKey(splitLogKey(log).creator)
    if (identity === undefined) return
    // Before the first write of this life there is no writer yet, and the log of last time must be left all the same.
    for (const name of this.#byName.keys()) this.writer(name, identity.name).leave(log, why)
  }

  /** Nothing is written any more. */
  close(): void {
    for (const { writers } of this.#byName.values()) for (const writer of writers.values()) writer.close()
  }

  #ofKey(creator: string): Identity | undefined {
    return this.#parts.identities.find(({ signer }) => signer.id === creator)
  }

  #open({ namespace, ownLogs }: Holding, { signer }: Identity): LogWriter {
    const { store, identities, clock, environment, tell } = this.#parts
    const writer = new LogWriter({
      store,
      namespace: namespace.id,
      signer,
      host: identities[0].signer.id,
      clock,
      random: environment.randomBytes,
      defer: environment.defer,
      onLog: (log) => ownLogs.add(log),
      onRenewed: (why) => tell({ kind: 'log-renewed', namespace: namespace.name, creator: signer.id, why }),
    })
    const { renewal } = store.origin
    if (renewal !== undefined) writer.renew(renewal)
    return writer
  }
}
