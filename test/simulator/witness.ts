/**
 * The witness of a history: what was acknowledged and by whom, what a power cut was allowed to take, and who held what when.
 * It sees everything at once, which no node does, and is what invariants hold the nodes against.
 */

import type { DeltaId } from '../../src/delta/delta.ts'
import type { Frontier } from '../../src/log/frontier.ts'
import type { NamespaceId } from '../../src/log/namespace.ts'
import type { Written } from '../../src/node/writer.ts'
import type { VirtualTime } from '../../src/testing/virtual-time.ts'
import type { Member } from './world.ts'

/** What a machine held, and where its clock stood, from a time on. */
interface Moment {
  readonly sinceMs: number
  readonly frontier: Frontier
  readonly clockOffsetMs: number
}

const NOTHING: Frontier = []

/** What is noticed as it happens, beside the table of invariants: what writing and restarting come to, and what is thrown. */
export const VIOLATED_OTHERWISE = ['writes', 'survival', 'nothing is thrown', 'last copy', 'holding'] as const

export class Witness {
  readonly #namespace: NamespaceId
  readonly #time: VirtualTime
  readonly #members: readonly Member[]
  readonly #acknowledged = new Map<DeltaId, Member>()
  /** Acknowledged by a disk that a power cut then took from, though its durability promised no more than that. */
  readonly #forgiven = new Set<DeltaId>()
  readonly #cutSinceStart = new Set<Member>()
  readonly #disordered = new Set<Member>()
  readonly #losers = new Set<Member>()
  readonly #moments = new Map<Member, Moment[]>()
  readonly #violations = new Map<string, Set<string>>()

  constructor(namespace: NamespaceId, time: VirtualTime, members: readonly Member[]) {
    this.#namespace = namespace
    this.#time = time
    this.#members = members
    for (const member of members) this.#moments.set(member, [])
  }

  /** What must be on every node in the end. */
  mustSurvive(): readonly DeltaId[] {
    return [...this.#acknowledged.keys()].filter((id) => !this.#forgiven.has(id))
  }

  acknowledgedIds(): readonly DeltaId[] {
    return [...this.#acknowledged.keys()]
  }

  acknowledged(by: Member, written: Written): void {
    for (const id of written.deltas) this.#acknowledged.set(id, by)
    this.checkWhole(by, written)
  }

  checkWhole(by: Member, { deltas }: Written): void {
    const blocks = new Set(deltas.map((id) => id.slice(0, id.lastIndexOf('/'))))
    if (blocks.size > 1) this.violated('writes', `${by.machine.name} divided a write among ${blocks.size} blocks`)
  }

  powerCut(member: Member): void {
    this.#cutSinceStart.add(member)
    this.#losers.add(member)
    this.#disordered.add(member)
  }

  /** Its disk may take what it says it did not take: the node learns of it later. */
  doubted(member: Member): void {
    this.#disordered.add(member)
  }

  /** Those from whom a power cut has taken something. */
  losers(): readonly Member[] {
    return [...this.#losers]
  }

  /** Whether the order of its changes may be another than that in which it learnt of them. */
  isDisordered(member: Member): boolean {
    return this.#disordered.has(member)
  }

  /**
   * Looks, before anything else happens, at what the disk has kept of what was acknowledged. Answers whether a power cut may have
   * taken some of it.
   */
  restarted(member: Member): boolean {
    const { store, name } = member.machine
    const isExcused = this.#cutSinceStart.delete(member) && member.index % 3 !== 2
    for (const [id, by] of this.#acknowledged) {
      if (by !== member || store?.delta(this.#namespace, id) !== undefined || this.#forgiven.has(id)) continue
      if (isExcused) this.#forgiven.add(id)
      else this.violated('survival', `${name} lost ${id}, which it had acknowledged`)
    }
    return isExcused
  }

  /** Notes what every machine holds now. */
  look(): void {
    const sinceMs = this.#time.nowMs()
    for (const member of this.#members) {
      const frontier = member.machine.store?.frontier(this.#namespace) ?? NOTHING
      const { clockOffsetMs } = member.machine
      const moments = this.#moments.get(member) as Moment[]
      const last = moments.at(-1)
      if (last?.frontier !== frontier || last.clockOffsetMs !== clockOffsetMs)
        moments.push({ sinceMs, frontier, clockOffsetMs })
    }
  }

  /** What a machine is known to have held at a time: at least, since it is looked at now and then. */
  heldAt(member: Member, atMs: number): Frontier {
    return this.#moments.get(member)?.findLast(({ sinceMs }) => sinceMs <= atMs)?.frontier ?? NOTHING
  }

  /** The earliest that a machine's clock would have shown then, however it was set from then on. */
  earliestClockAt(member: Member, atMs: number): number {
    const moments = this.#moments.get(member) ?? []
    const first = moments.findLastIndex(({ sinceMs }) => sinceMs <= atMs)
    const offsets = moments.slice(Math.max(0, first)).map(({ clockOffsetMs }) => clockOffsetMs)
    return atMs + Math.min(member.machine.clockOffsetMs, ...offsets)
  }

  violated(invariant: string, what: string): void {
    const found = this.#violations.get(invariant) ?? new Set()
    this.#violations.set(invariant, found.add(what))
  }

  /** `invariant: what`, each once. */
  violations(): readonly string[] {
    return [...this.#violations].flatMap(([invariant, found]) => [...found].map((what) => `${invariant}: ${what}`))
  }
}
