/** The members of one namespace as its users see them: who is there, who came and went, who answers. */

import type { NamespaceId } from '../log/namespace.ts'
import type { Member, MemberChange, MemberState } from '../sync/members/member.ts'
import type { Replication } from '../sync/replication.ts'

export interface MemberEvent {
  readonly member: Member
  /** `appeared`: it is new, or back; `state`; `tags`; `details`: name, addresses, namespaces or version. */
  readonly change: MemberChange
  /** The state in which it was; absent for one that is new. */
  readonly before?: MemberState
}

export type MemberListener = (event: MemberEvent) => void

export interface PingOptions {
  /** How long answers are waited for, milliseconds, 1 to 60,000. Default 3,000. */
  readonly timeoutMs?: number
}

/** One member and whether it answered. */
export interface Pinged {
  readonly member: Member
  /** Absent: it did not answer in time. */
  readonly roundTripMs?: number
}

const PING_MS = 3_000
const PING_MS_MAX = 60_000

export class NamespaceMembers {
  readonly #replication: () => Replication | undefined
  readonly #namespace: NamespaceId

  /** `replication` is undefined for a node without a network. */
  constructor(replication: () => Replication | undefined, namespace: NamespaceId) {
    this.#replication = replication
    this.#namespace = namespace
  }

  all(): readonly Member[] {
    return (this.#replication()?.members(this.#namespace) ?? []).toSorted((a, b) => (a.peer < b.peer ? -1 : 1))
  }

  onMember(listener: MemberListener): () => void {
    const stop = this.#replication()?.onEvent((event) => {
      if (event.kind !== 'member-changed' || event.namespace !== this.#namespace) return
      const { member, change, before } = event
      listener({ member, change, ...(before === undefined ? {} : { before }) })
    })
    return stop ?? (() => undefined)
  }

  /** Asks all that have not left. */
  async ping({ timeoutMs = PING_MS }: PingOptions = {}): Promise<readonly Pinged[]> {
    const replication = this.#replication()
    if (replication === undefined) return []
    const within = Math.min(Math.max(1, timeoutMs), PING_MS_MAX)
    const roundTripsMs = await replication.probe(this.#namespace, { timeoutMs: within })
    return this.all()
      .filter(({ state, peer }) => state !== 'left' || roundTripsMs.has(peer))
      .map((member) => pinged(member, roundTripsMs.get(member.peer)))
  }
}

function pinged(member: Member, roundTripMs: number | undefined): Pinged {
  return roundTripMs === undefined ? { member } : { member, roundTripMs }
}
