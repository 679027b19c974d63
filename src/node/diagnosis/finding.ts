/**
 * What `diagnose` finds, as data: which check, how it went, and the facts by which the reader knows what to do. `pass` is as it
 * should be, `warn` may be a reason why nodes do not see each other, `fail` is one, `skip` could not be looked at and why
 * stands in its kind. The command `doctor` says it in words.
 */

import type { Interface } from '../../net/interfaces.ts'
import type { MulticastTry } from '../../net/diagnosis/multicast.ts'

/** An interface of this machine, and of which kind it is. */
export type FoundInterface = Interface
/** What became of a question by multicast. */
export type FoundTry = MulticastTry

export type Verdict = 'pass' | 'warn' | 'fail' | 'skip'

/** In the order in which they are made. */
export const CHECKS = [
  'version',
  'disk',
  'store',
  'identity',
  'secret',
  'clock',
  'interfaces',
  'port',
  'firewall',
  'multicast',
  'peer',
  'namespace',
] as const
export type Check = (typeof CHECKS)[number]

export type Finding = { readonly check: Check; readonly verdict: Verdict } & Found

export type Found =
  // version
  | { readonly kind: 'node-version'; readonly version: string; readonly needed: string }
  // disk
  | { readonly kind: 'disk-good'; readonly directory: string; readonly freeBytes: number; readonly syncMs: number }
  | { readonly kind: 'disk-low'; readonly directory: string; readonly freeBytes: number }
  | { readonly kind: 'disk-unwritable'; readonly directory: string; readonly why: string }
  // store
  | { readonly kind: 'store-whole'; readonly directory: string; readonly bytes: number }
  | { readonly kind: 'store-none' }
  | { readonly kind: 'store-large'; readonly directory: string; readonly bytes: number }
  | { readonly kind: 'store-damaged'; readonly directory: string; readonly why: string }
  | { readonly kind: 'store-newer'; readonly directory: string; readonly format: number }
  /** Another process has it open, and answers no commands. */
  | { readonly kind: 'store-held'; readonly directory: string; readonly holder: string }
  // identity
  | { readonly kind: 'identity-good'; readonly peer: string }
  | { readonly kind: 'identity-none' }
  | { readonly kind: 'identity-unreadable'; readonly why: string }
  /** Other users of the machine can read the key. */
  | { readonly kind: 'identity-exposed'; readonly path: string; readonly mode: string }
  /** Another node has the same identity: the two can never connect. */
  | { readonly kind: 'identity-twin'; readonly peer: string; readonly address: string }
  // secret
  | { readonly kind: 'overlay-open' }
  | { readonly kind: 'overlay-closed' }
  /** The data was shared under another secret than the one given, or none was given. */
  | { readonly kind: 'secret-differs'; readonly directory: string; readonly isGiven: boolean }
  // clock
  | {
      readonly kind: 'clock-good' | 'clock-off'
      readonly offsetMs: number
      readonly peersCount: number
      readonly isSure: boolean
    }
  /** The clock of one peer less this one's: whose is wrong is open. */
  | { readonly kind: 'clock-differs'; readonly peer: string; readonly offsetMs: number }
  | { readonly kind: 'clock-alone' }
  // interfaces
  | {
      readonly kind: 'interfaces-good' | 'interfaces-loopback' | 'interfaces-virtual' | 'interfaces-no-ipv4'
      readonly interfaces: readonly FoundInterface[]
    }
  // port
  | { readonly kind: 'port-free'; readonly address: string }
  | {
      readonly kind: 'port-taken'
      readonly address: string
      readonly isGiven: boolean
      /** `unknown`: another program, or a node under another secret. */
      readonly holder: 'node' | 'unknown'
    }
  | { readonly kind: 'port-refused'; readonly address: string; readonly why: string }
  | { readonly kind: 'port-reached'; readonly addresses: readonly string[] }
  | {
      readonly kind: 'port-unreached'
      readonly address: string
      readonly why: 'refused' | 'silent' | 'no-route' | 'failed'
    }
  | { readonly kind: 'port-closed' }
  // firewall
  | { readonly kind: 'firewall-none' }
  | { readonly kind: 'firewall-active'; readonly firewall: string; readonly rules: readonly string[] }
  | { readonly kind: 'firewall-unknown'; readonly why: 'rights' | 'platform' }
  // multicast
  | { readonly kind: 'multicast-heard'; readonly answers: readonly HeardNode[] }
  /** One's own question came back, and nobody answered. */
  | { readonly kind: 'multicast-quiet'; readonly interfaces: readonly string[] }
  /** Only the running node of this machine answered. */
  | { readonly kind: 'multicast-alone'; readonly interfaces: readonly string[] }
  /** What was sent did not come back even to the sender, on any interface or on these. */
  | { readonly kind: 'multicast-deaf'; readonly interfaces: readonly string[] }
  | { readonly kind: 'multicast-unsent'; readonly why: string; readonly tries: readonly FoundTry[] }
  /** The running node did not answer a question that its own machine heard. */
  | { readonly kind: 'multicast-unanswered' }
  | { readonly kind: 'multicast-port'; readonly why: string }
  | { readonly kind: 'multicast-off' }
  // peer
  | ({ readonly peer: string } & PeerFound)
  | { readonly kind: 'peers-none' }
  // namespace
  | { readonly kind: 'namespace-held'; readonly topic: string; readonly peersCount: number }
  /** Nobody was met who could hold it, though so many were tried. */
  | { readonly kind: 'namespace-unasked'; readonly topic: string; readonly triedCount: number }
  /** So many were met, and none of them has it. */
  | { readonly kind: 'namespace-alone'; readonly topic: string; readonly metCount: number }
  | { readonly kind: 'namespace-unnamed' }

/** A node that answered by multicast. */
export interface HeardNode {
  readonly id: string
  readonly address: string
}

/** Of the way to one peer, which stands in `peer` as it was given or heard. */
export type PeerFound =
  | { readonly kind: 'peer-address'; readonly why: string }
  | { readonly kind: 'peer-resolved'; readonly host: string; readonly addresses: readonly string[] }
  | { readonly kind: 'peer-unresolved'; readonly host: string; readonly why: string }
  | { readonly kind: 'peer-reached'; readonly address: string }
  | { readonly kind: 'peer-refused' | 'peer-silent' | 'peer-no-route'; readonly address: string }
  | { readonly kind: 'peer-unreached'; readonly address: string; readonly why: string }
  | { readonly kind: 'peer-met'; readonly id: string }
  | { readonly kind: 'peer-self'; readonly id: string }
  /** Whether this side has a secret at all. */
  | { readonly kind: 'peer-secret'; readonly hasSecret: boolean }
  /** Its allow-list, or its limit of connections. */
  | { readonly kind: 'peer-hung-up'; readonly why: string }
  | { readonly kind: 'peer-other'; readonly why: string }
  | { readonly kind: 'peer-speaks'; readonly protocols: readonly string[]; readonly agent: string }
  /** It is one of ours, of another version. */
  | { readonly kind: 'peer-version'; readonly missing: readonly string[]; readonly speaks: readonly string[] }
  | { readonly kind: 'peer-stranger'; readonly agent: string }
  | { readonly kind: 'peer-answers'; readonly roundTripMs: number }
  | { readonly kind: 'peer-no-answer'; readonly why: string }
  | { readonly kind: 'peer-shares'; readonly topics: readonly string[] }
  | { readonly kind: 'peer-shares-none'; readonly topics: readonly string[] }
