import { describe, expect, it } from 'vitest'
import type { PeerId } from '../../../src/delta/delta.ts'
import { Awareness } from '../../../src/sync/members/awareness.ts'
import { DETECTORS, type DetectorOptions } from '../../../src/sync/members/detector.ts'
import type { MemberState } from '../../../src/sync/members/member.ts'
import { Membership } from '../../../src/sync/members/membership.ts'
import type { Presence } from '../../../src/sync/members/message.ts'
import { Arrivals } from '../../../src/sync/members/phi.ts'
import { NAMESPACE, signer } from '../../support/blocks.ts'

const SELF = signer(1).id
const [B, C, D, E] = [2, 3, 4, 5].map((number) => signer(number).id) as [PeerId, PeerId, PeerId, PeerId]
const HEARTBEAT_MS = 400
const TURN_MS = 200

function presence(peer: PeerId, fields: Partial<Presence> = {}): Presence {
  return {
    kind: 'presence',
    namespace: NAMESPACE,
    peer,
    incarnation: 1,
    counter: 0,
    nextMs: 30_000,
    leaving: false,
    name: peer.slice(-4),
    version: '1.0.0',
    addresses: [],
    namespaces: ['users'],
    tags: [],
    tagsCut: false,
    digest: new Uint8Array(32),
    ...fields,
  }
}

/** One node's membership on a clock of its own, with heartbeats from whom the test lets beat. */
class Bench {
  nowMs = 0
  readonly told: string[] = []
  readonly accused: [PeerId, number][] = []
  readonly refuted: number[] = []
  readonly arrivals = new Map<PeerId, Arrivals>()
  readonly awareness: Awareness
  readonly membership: Membership
  readonly beating = new Set<PeerId>()

  constructor(detector: DetectorOptions = DETECTORS.lan, membersMax?: number) {
    const slownessMax = detector.kind === 'phi' ? detector.slownessMax : 0
    this.awareness = new Awareness({ heartbeatMs: HEARTBEAT_MS, slownessMax })
    this.membership = new Membership({
      self: SELF,
      detector,
      awareness: this.awareness,
      arrivalsOf: (peer) => this.arrivals.get(peer),
      ...(membersMax === undefined ? {} : { membersMax }),
      onChange: (member, change, before) => this.told.push(`${change} ${before ?? 'new'} → ${member.state}`),
      accuse: (suspect, incarnation) => this.accused.push([suspect, incarnation]),
      refute: (incarnation) => this.refuted.push(incarnation),
    })
    this.membership.speakAs(10)
  }

  hear(peer: PeerId, fields: Partial<Presence> = {}): boolean {
    return this.membership.hear(presence(peer, fields), new Uint8Array(), this.nowMs)
  }

  accuse(by: PeerId, suspect: PeerId, incarnation = 1): boolean {
    return this.membership.hearAccusation(
      { kind: 'accusation', namespace: NAMESPACE, peer: by, suspect, incarnation },
      this.nowMs,
    )
  }

  beat(peer: PeerId): void {
    const arrivals = this.arrivals.get(peer) ?? new Arrivals({ windowCount: 100, deviationMsMin: 80, pauseMs: 400 })
    this.arrivals.set(peer, arrivals)
    arrivals.arrived(this.nowMs, HEARTBEAT_MS)
    this.membership.beat(peer, this.nowMs)
  }

  /** A connected member, known and beating. */
  neighbour(peer: PeerId): void {
    this.membership.connect(peer)
    this.hear(peer)
    this.beating.add(peer)
    this.beat(peer)
  }

  /** Time passes, with heartbeats and turns as they are due. */
  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += TURN_MS
      if (this.nowMs % HEARTBEAT_MS === 0) for (const peer of this.beating) this.beat(peer)
      this.membership.turn(this.nowMs, this.awareness.turn(this.nowMs, TURN_MS))
    }
  }

  /** This node does nothing for so long, and only then sees that time has passed. */
  freeze(ms: number): void {
    this.nowMs += ms
    this.membership.turn(this.nowMs, this.awareness.turn(this.nowMs, TURN_MS))
  }

  state(peer: PeerId): MemberState | undefined {
    return this.membership.get(peer)?.state
  }
}

describe('presences', () => {
  it('make members known, and are told once', () => {
    const bench = new Bench()
    expect(bench.hear(B)).toBe(true)
    expect(bench.hear(B)).toBe(false)
    expect(bench.told).toEqual(['appeared new → alive'])
  })

  it('that are older than what is known are no news, whatever they say', () => {
    const bench = new Bench()
    bench.hear(B, { incarnation: 5, counter: 7, tags: ['user'] })
    for (const old of [
      { incarnation: 5, counter: 7 },
      { incarnation: 5, counter: 6 },
      { incarnation: 4, counter: 1_000 },
      { incarnation: 4, counter: 1_000, leaving: true },
    ]) {
      expect(bench.hear(B, { tags: ['other'], ...old })).toBe(false)
    }
    expect(bench.membership.get(B)?.presence.tags).toEqual(['user'])
    expect(bench.state(B)).toBe('alive')
  })

  it('that differ in tags or details tell so; a new digest alone is no event', () => {
    const bench = new Bench()
    bench.hear(B)
    bench.told.length = 0
    bench.hear(B, { counter: 1, digest: new Uint8Array(32).fill(1) })
    expect(bench.told).toEqual([])
    bench.hear(B, { counter: 2, tags: ['user'] })
    bench.hear(B, { counter: 3, tags: ['user'], tagsCut: true })
    bench.hear(B, { counter: 4, tags: ['user'], tagsCut: true, name: 'other' })
    expect(bench.told).toEqual(['tags alive → alive', 'tags alive → alive', 'details alive → alive'])
  })

  it('a leave ends it at once; a stranger who leaves was never there; who comes back has appeared', () => {
    const bench = new Bench()
    expect(bench.hear(C, { leaving: true })).toBe(false)
    bench.neighbour(B)
    bench.beating.clear()
    bench.hear(B, { counter: 1, leaving: true })
    expect(bench.state(B)).toBe('left')
    bench.beat(B)
    expect(bench.state(B), 'heartbeats that were under way').toBe('left')
    bench.pass(60_000)
    expect(bench.state(B)).toBe('left')
    expect(bench.accused).toEqual([])
    bench.hear(B, { incarnation: 2 })
    expect(bench.state(B)).toBe('alive')
    expect(bench.told.at(-1)).toBe('appeared left → alive')
  })

  it('of this node from another life of its own make it tell a higher incarnation', () => {
    const bench = new Bench()
    expect(bench.hear(SELF, { incarnation: 9 })).toBe(false)
    expect(bench.refuted).toEqual([])
    expect(bench.hear(SELF, { incarnation: 12 })).toBe(false)
    expect(bench.refuted).toEqual([12])
    expect(bench.membership.size).toBe(0)
  })

  it('that stay away for three of their own promises make a member that is not connected suspect, then down', () => {
    const bench = new Bench()
    bench.hear(B)
    bench.pass(90_000)
    expect(bench.state(B)).toBe('alive')
    bench.pass(400)
    expect(bench.state(B)).toBe('suspect')
    bench.hear(B, { counter: 1 })
    expect(bench.state(B), 'the next presence is its answer').toBe('alive')
    bench.pass(95_000)
    expect(bench.state(B)).toBe('down')
  })

  it('that promise to come in an hour are not waited for: the promise counts up to twice what is usual', () => {
    const bench = new Bench()
    bench.hear(B, { nextMs: 3_600_000 })
    bench.pass(3 * 60_000 + 5_000)
    expect(bench.state(B)).toBe('down')
  })
})

describe('a silent neighbour', () => {
  it('is suspect, accused once, and down within 3 s', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.neighbour(C)
    bench.pass(60_000)
    bench.beating.delete(B)
    bench.pass(1_000)
    expect(bench.state(B)).toBe('alive')
    bench.pass(600)
    expect(bench.state(B)).toBe('suspect')
    bench.pass(1_200)
    expect(bench.state(B)).toBe('down')
    expect(bench.state(C)).toBe('alive')
    expect(bench.accused).toEqual([[B, 1]])
    expect(bench.told).toEqual([
      'appeared new → alive',
      'appeared new → alive',
      'state alive → suspect',
      'state suspect → down',
    ])
  })

  it('is alive with its next heartbeat, however it stood', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.beating.clear()
    bench.pass(1_800)
    expect(bench.state(B)).toBe('suspect')
    bench.beat(B)
    expect(bench.state(B)).toBe('alive')
    bench.pass(10_000)
    expect(bench.state(B)).toBe('down')
    bench.beat(B)
    expect(bench.state(B)).toBe('alive')
    expect(bench.told.at(-1)).toBe('appeared down → alive')
  })

  it('refutes by a higher incarnation, and by nothing less', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.beating.clear()
    bench.pass(1_800)
    bench.hear(B, { counter: 5 })
    expect(bench.state(B), 'a presence that may have left before').toBe('suspect')
    bench.hear(B, { incarnation: 2 })
    expect(bench.state(B)).toBe('alive')
    bench.membership.disconnect(B, bench.nowMs)
    bench.pass(60_000)
    expect(bench.state(B), 'it lives, and others watch it').toBe('alive')
  })

  it('is no longer waited for once it was heard of elsewhere, and is again once it beats', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.beating.clear()
    bench.pass(10_000)
    bench.hear(B, { counter: 1 })
    bench.pass(10_000)
    expect(bench.state(B)).toBe('alive')
    bench.beat(B)
    bench.pass(10_000)
    expect(bench.state(B)).toBe('down')
  })

  it('that ends its connection is judged as before', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.beating.clear()
    bench.membership.disconnect(B, bench.nowMs)
    bench.pass(1_000)
    expect(bench.state(B)).toBe('alive')
    bench.pass(2_000)
    expect(bench.state(B)).toBe('down')
  })

  it('that ends its connection before it was ever heard is silent since then, unless it comes back or refutes', () => {
    const bench = new Bench()
    for (const peer of [B, C, D]) {
      bench.membership.connect(peer)
      bench.hear(peer)
      bench.pass(1_000)
      bench.membership.disconnect(peer, bench.nowMs)
    }
    bench.membership.connect(C)
    bench.pass(1_400)
    expect(bench.accused.map(([peer]) => peer)).toEqual([B, D])
    bench.hear(D, { incarnation: 2 })
    bench.pass(3_000)
    expect([B, C, D].map((peer) => bench.state(peer))).toEqual(['down', 'alive', 'alive'])
  })

  it('that ends its connection before it was ever heard is not waited for where nobody is suspected', () => {
    const bench = new Bench(DETECTORS.off)
    bench.membership.connect(B)
    bench.hear(B)
    bench.membership.disconnect(B, bench.nowMs)
    bench.pass(30_000)
    expect(bench.state(B)).toBe('alive')
  })

  it('is forgotten an hour after it was heard', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.beating.clear()
    bench.membership.disconnect(B, bench.nowMs)
    bench.pass(3_600_000)
    expect(bench.membership.size).toBe(0)
  })
})

describe('an accusation', () => {
  function withFar(): Bench {
    const bench = new Bench()
    bench.neighbour(C)
    bench.hear(D)
    bench.hear(E)
    bench.hear(B)
    return bench
  }

  it('makes a member that is not heard here suspect, and down when time is up', () => {
    const bench = withFar()
    expect(bench.accuse(C, B)).toBe(true)
    expect(bench.state(B)).toBe('suspect')
    bench.pass(800)
    expect(bench.state(B)).toBe('suspect')
    bench.pass(400)
    expect(bench.state(B)).toBe('down')
    expect(bench.accused, 'who does not watch does not accuse').toEqual([])
  })

  it('that others confirm shortens the time, and is news as often as it counts', () => {
    const bench = withFar()
    bench.hear(signer(6).id)
    expect(bench.accuse(C, B)).toBe(true)
    expect(bench.accuse(C, B)).toBe(false)
    expect(bench.accuse(D, B)).toBe(true)
    expect(bench.accuse(E, B)).toBe(true)
    expect(bench.accuse(signer(6).id, B)).toBe(true)
    bench.pass(600)
    expect(bench.state(B)).toBe('down')
  })

  it('is overruled by what this node hears itself, and passed on all the same', () => {
    const bench = withFar()
    expect(bench.accuse(D, C)).toBe(true)
    expect(bench.state(C)).toBe('alive')
  })

  it('is withdrawn by a higher incarnation', () => {
    const bench = withFar()
    bench.accuse(C, B)
    bench.hear(B, { counter: 9 })
    expect(bench.state(B)).toBe('suspect')
    bench.hear(B, { incarnation: 2 })
    expect(bench.state(B)).toBe('alive')
    expect(bench.accuse(C, B), 'of the incarnation that was refuted').toBe(false)
    expect(bench.accuse(C, B, 3), 'of one that nobody has told').toBe(false)
    bench.pass(5_000)
    expect(bench.state(B)).toBe('alive')
  })

  it('counts only from a member that is there', () => {
    const bench = withFar()
    expect(bench.accuse(signer(9).id, B)).toBe(false)
    bench.hear(D, { counter: 1, leaving: true })
    expect(bench.accuse(D, B)).toBe(false)
    expect(bench.state(B)).toBe('alive')
  })

  it('of this node is refuted, and only of the incarnation that it tells', () => {
    const bench = withFar()
    bench.accuse(C, SELF, 9)
    bench.accuse(C, SELF, 11)
    expect(bench.refuted).toEqual([])
    expect(bench.accuse(C, SELF, 10)).toBe(false)
    expect(bench.refuted).toEqual([10])
  })

  it('is not repeated by the fourth who misses the member', () => {
    const bench = new Bench()
    for (const peer of [B, C, D, E]) bench.neighbour(peer)
    bench.beating.delete(B)
    bench.pass(1_000)
    for (const accuser of [C, D, E]) bench.accuse(accuser, B)
    bench.pass(400)
    bench.pass(400)
    expect(bench.state(B)).not.toBe('alive')
    expect(bench.accused).toEqual([])
  })
})

describe('a node that is slow itself', () => {
  it('suspects nobody after it stood still, however long', () => {
    const bench = new Bench()
    for (const peer of [B, C, D]) bench.neighbour(peer)
    bench.pass(10_000)
    bench.freeze(30_000)
    // What waited in the sockets is read one turn later.
    bench.pass(20_000)
    expect(bench.told.filter((line) => line.startsWith('state'))).toEqual([])
    expect(bench.accused).toEqual([])
  })

  it('gives a suspect the time back in which it could not hear it', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.beating.clear()
    bench.pass(1_800)
    expect(bench.state(B)).toBe('suspect')
    bench.freeze(10_000)
    bench.pass(400)
    bench.hear(B, { incarnation: 2 })
    expect(bench.told.at(-1)).toBe('state suspect → alive')
  })

  it('takes longer to hold others down, and finds them in the end', () => {
    const bench = new Bench()
    bench.neighbour(B)
    bench.pass(10_000)
    bench.beating.clear()
    bench.freeze(1_000)
    bench.pass(2_000)
    expect(bench.state(B)).not.toBe('down')
    bench.pass(5_000)
    expect(bench.state(B)).toBe('down')
  })
})

describe('the fixed detector', () => {
  it('holds down whoever is silent for its time, asks nobody, and believes no accusation', () => {
    const bench = new Bench(DETECTORS.synchronous)
    bench.neighbour(B)
    bench.hear(C)
    bench.accuse(B, C)
    expect(bench.state(C)).toBe('alive')
    bench.beating.clear()
    bench.pass(1_400)
    expect(bench.state(B)).toBe('alive')
    bench.pass(200)
    expect(bench.state(B)).toBe('down')
    expect(bench.accused).toEqual([])
    expect(bench.told.at(-1)).toBe('state alive → down')
  })
})

describe('switched off, the detector', () => {
  it('suspects nobody, and hears who leaves', () => {
    const bench = new Bench(DETECTORS.off)
    bench.hear(B)
    bench.hear(C)
    bench.accuse(C, B)
    bench.pass(600_000)
    expect([bench.state(B), bench.state(C)]).toEqual(['alive', 'alive'])
    bench.hear(B, { counter: 1, leaving: true })
    expect(bench.state(B)).toBe('left')
  })
})

describe('many members', () => {
  const many = Array.from({ length: 40 }, (_, index) => signer(100 + index).id)

  it('are bounded: strangers find no room among the living, and take the place of the gone', () => {
    const bench = new Bench(DETECTORS.lan, 10)
    for (const peer of many.slice(0, 10)) bench.hear(peer)
    const [gone, , , last] = many as [PeerId, PeerId, PeerId, PeerId]
    expect(bench.hear(B)).toBe(false)
    bench.hear(gone, { counter: 1, leaving: true })
    expect(bench.hear(B)).toBe(true)
    expect(bench.state(gone)).toBeUndefined()
    expect(bench.state(last)).toBe('alive')
    expect(bench.membership.size).toBe(10)
  })

  it('never keep out a connected one, nor take its place', () => {
    const bench = new Bench(DETECTORS.lan, 10)
    bench.neighbour(B)
    for (const peer of many) bench.hear(peer)
    bench.nowMs += 1_000
    bench.neighbour(C)
    for (const peer of many) bench.hear(peer)
    expect([bench.state(B), bench.state(C)]).toEqual(['alive', 'alive'])
    expect(bench.membership.size).toBe(10)
  })

  it('tell themselves less often, so that presences stay below the rate', () => {
    const bench = new Bench()
    expect(bench.membership.presenceMs).toBe(30_000)
    for (let number = 0; number < 1_000; number++) {
      bench.membership.hear(presence(`peer ${number}` as PeerId), new Uint8Array(), 0)
    }
    expect(bench.membership.presenceMs).toBe(200_200)
  })
})
