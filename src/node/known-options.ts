/**
 * Which options there are: a misspelt one is refused with the nearest that is meant, instead of being passed over in silence. Each
 * list is complete by its type: an option that is added and not listed here does not compile.
 */

import { RhizomeError } from '../errors.ts'
import type { DetectorOptions } from '../sync/members/detector.ts'
import type { CollectionOptions } from './collection.ts'
import type { DeltasOptions } from './delta-stream.ts'
import type { RetryOptions, SubscribeOptions } from './delivery/options.ts'
import type { FunctionOptions } from './functions/options.ts'
import type { PingOptions } from './members.ts'
import type { BroadcastOptions } from './messages.ts'
import { nearest } from './nearest.ts'
import type { NetworkOptions, NodeOptions } from './options.ts'
import type { PeersOptions } from './peers.ts'
import type { ProofOptions } from './proof.ts'
import type { RowsOptions } from './queries.ts'
import type { GetOptions, IdsOptions, PutOptions } from './records.ts'
import type { ManyOptions } from './view-sequence.ts'
import type { DiffOptions, HistoryOptions, ViewOptions } from './views.ts'
import type { ViolationsOptions } from './violations.ts'
import type { WatchQueryOptions } from './watch-query.ts'
import type { WatchOptions } from './watch.ts'

type Keys<Options> = { readonly [Key in keyof Required<Options>]: true }

const NODE: Keys<NodeOptions> = {
  topics: true,
  data: true,
  home: true,
  memory: true,
  name: true,
  durability: true,
  keep: true,
  functions: true,
  repair: true,
  network: true,
  contexts: true,
  context: true,
  detector: true,
  members: true,
  signal: true,
}
const NETWORK: Keys<NetworkOptions> = {
  listen: true,
  announce: true,
  peers: true,
  seeds: true,
  relay: true,
  via: true,
  dht: true,
  upnp: true,
  mdns: true,
  secret: true,
  peersMax: true,
  allow: true,
  registry: true,
  log: true,
}

const PRESENCE = { kind: true, presenceMs: true, presencesPerSecond: true } as const
const HEARTBEAT = { ...PRESENCE, heartbeatMs: true } as const
const DETECTOR: { readonly [Kind in DetectorOptions['kind']]: Keys<Extract<DetectorOptions, { kind: Kind }>> } = {
  phi: {
    ...HEARTBEAT,
    phi: true,
    windowCount: true,
    deviationMsMin: true,
    pauseMs: true,
    suspicionMsMax: true,
    suspicionMsMin: true,
    confirmationsMax: true,
    slownessMax: true,
  },
  fixed: { ...HEARTBEAT, timeoutMs: true },
  off: PRESENCE,
}

const WRITE: Keys<Omit<PutOptions, 'onlyChanged' | 'checkReferences'>> = {
  as: true,
  until: true,
  deadlineMs: true,
  members: true,
}
const PUT: Keys<PutOptions> = { ...WRITE, onlyChanged: true, checkReferences: true }

const VIEW: Keys<ViewOptions> = { context: true, asOf: true, filter: true }

/** Of what is waited for. */
const WAIT: Keys<{ readonly signal?: AbortSignal }> = { signal: true }

const RETRY: Keys<RetryOptions> = { attemptsMax: true, retryMs: true, onFailure: true }

const METHODS = {
  append: WRITE,
  put: PUT,
  delete: WRITE,
  negate: WRITE,
  transaction: { ...WRITE, checkReferences: true } satisfies Keys<Omit<PutOptions, 'onlyChanged'>>,
  get: { ...VIEW, expand: true } satisfies Keys<GetOptions>,
  entity: VIEW,
  view: VIEW,
  lossless: VIEW,
  losslessAll: { ...VIEW, ids: true, prefix: true, after: true } satisfies Keys<ManyOptions>,
  viewAll: { ...VIEW, ids: true, prefix: true, after: true } satisfies Keys<ManyOptions>,
  explain: VIEW,
  proof: { property: true, context: true, asOf: true } satisfies Keys<ProofOptions>,
  history: { ...VIEW, deltasMax: true } satisfies Keys<HistoryOptions>,
  diff: { context: true, filter: true, from: true, to: true } satisfies Keys<DiffOptions>,
  query: VIEW,
  explainQuery: VIEW,
  rows: { ...VIEW, limit: true, after: true } satisfies Keys<RowsOptions>,
  watch: { context: true, id: true, after: true, signal: true, rows: true } satisfies Keys<
    WatchOptions & WatchQueryOptions
  >,
  on: {
    name: true,
    filter: true,
    from: true,
    onStanding: true,
    own: true,
    as: true,
    depthMax: true,
    attemptsMax: true,
    retryMs: true,
    onFailure: true,
    signal: true,
  } satisfies Keys<FunctionOptions>,
  subscribe: {
    delivery: true,
    name: true,
    from: true,
    filter: true,
    members: true,
    deadlineMs: true,
    retry: true,
    signal: true,
  } satisfies Keys<SubscribeOptions>,
  violations: { collection: true, after: true, countMax: true } satisfies Keys<ViolationsOptions>,
  delta: VIEW,
  collections: VIEW,
  ids: { ...VIEW, after: true, countMax: true } satisfies Keys<IdsOptions>,
  deltas: { ...VIEW, after: true, live: true, signal: true } satisfies Keys<DeltasOptions>,
  collection: { schema: true, version: true, references: true, indexes: true, semantics: true } satisfies Keys<
    CollectionOptions<unknown>
  >,
  ping: { timeoutMs: true } satisfies Keys<PingOptions>,
  broadcast: { delivery: true, to: true } satisfies Keys<BroadcastOptions>,
  waitForSync: WAIT,
  settleIndexes: WAIT,
  peers: { all: true } satisfies Keys<PeersOptions>,
} as const

export type Method = keyof typeof METHODS

/** Of a method of a namespace or of the node. Throws RZ_OPTION_UNKNOWN. */
export function checkOptions(method: Method, options: object): void {
  check(method, options, METHODS[method])
}

/** Of `subscribe`. Throws RZ_OPTION_UNKNOWN. */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  checkOptions('subscribe', options)
  if (options.retry !== undefined) check('"retry"', options.retry, RETRY)
}

/** Of `openNode`. Throws RZ_OPTION_UNKNOWN. */
export function checkNodeOptions(options: NodeOptions): void {
  check('openNode', options, NODE)
  const { network, detector } = options
  if (typeof network === 'object') check('"network"', network, NETWORK)
  // What is no kind is told by the one who reads the detector.
  if (typeof detector !== 'object' || !Object.hasOwn(DETECTOR, detector.kind)) return
  check('"detector"', detector, DETECTOR[detector.kind])
}

function check(where: string, options: object, keys: { readonly [key: string]: true }): void {
  for (const key in options) {
    if (Object.hasOwn(keys, key)) continue
    const known = Object.keys(keys)
    const guess = nearest(key, known)
    const hint = guess === undefined ? `it takes ${known.join(', ')}` : `did you mean "${guess}"?`
    throw new RhizomeError('RZ_OPTION_UNKNOWN', `${where} has no option "${key}"; ${hint}`)
  }
}
