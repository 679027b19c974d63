/** Messages of one namespace as its users see them: sent to whoever is there, heard while somebody listens, never stored. */

import type { PeerId, Value } from '../delta/delta.ts'
import { parsePeerId } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Message } from '../sync/messages/message.ts'
import type { Replication } from '../sync/replication.ts'

export interface BroadcastOptions {
  /**
   * Default, and all there is: it goes out once, and whoever is not connected, slow or flooded misses it. What must arrive
   * is data: write it, and `subscribe`.
   */
  readonly delivery?: 'best-effort'
  /** Addresses one node: the others pass it on and do not tell of it. It is not secret: whoever takes part can read it. */
  readonly to?: string
}

export interface BroadcastResult {
  /** How many neighbours it was handed to, who pass it on; 0: nobody was there. */
  readonly neighbours: number
}

export type MessageListener = (message: Message) => void

export class NamespaceMessages {
  readonly #replication: () => Replication | undefined
  readonly #namespace: NamespaceId

  /** `replication` is undefined for a node without a network. */
  constructor(replication: () => Replication | undefined, namespace: NamespaceId) {
    this.#replication = replication
    this.#namespace = namespace
  }

  async broadcast(value: Value, { delivery = 'best-effort', to }: BroadcastOptions): Promise<BroadcastResult> {
    if (delivery !== 'best-effort') {
      const why = `messages are delivered best-effort, and not "${String(delivery)}": what must arrive is to be written`
      throw new RhizomeError('RZ_MESSAGE_INVALID', why)
    }
    const peer = to === undefined ? undefined : parseAddressee(to)
    const replication = this.#replication()
    if (replication === undefined) {
      throw new RhizomeError('RZ_NODE_OFFLINE', 'the node was opened with `network: false`: nobody can hear it')
    }
    return { neighbours: await replication.sendMessage(this.#namespace, value, peer) }
  }

  onMessage(listener: MessageListener): () => void {
    const stop = this.#replication()?.onEvent((event) => {
      if (event.kind === 'message' && event.namespace === this.#namespace) listener(event.message)
    })
    return stop ?? (() => undefined)
  }
}

function parseAddressee(to: string): PeerId {
  try {
    return parsePeerId(to)
  } catch (cause) {
    throw new RhizomeError('RZ_MESSAGE_INVALID', `a message is addressed to a peer id, and "${to}" is none`, { cause })
  }
}
