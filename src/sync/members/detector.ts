/**
 * What a failure detector can be told, and presets for the networks that there are. The detector decides nothing but what
 * `members()` shows and whom deliveries wait for: no data depends on it.
 *
 * In a network without a bound on delays no detector is right at all times. `phi` is an eventually perfect one (◇P:
 * Cachin, Guerraoui, Rodrigues, "Introduction to Reliable and Secure Distributed Programming", 2.6.4): a crashed member is
 * held down by all in the end, and a false suspicion is withdrawn as soon as it is heard of. `fixed` is perfect (P: 2.6.2)
 * if, and only if, every message and every timer comes within its bound.
 *
 * Sources: Hayashibara et al., "The φ Accrual Failure Detector" (2004); Das, Gupta, Motivala, "SWIM" (2002); Dadgar,
 * Phillips, Currey, "Lifeguard" (2018).
 */

import { RhizomeError } from '../../errors.ts'
import type { PhiParameters } from './phi.ts'

export type DetectorOptions = PhiOptions | FixedOptions | OffOptions

export type DetectorPreset = 'lan' | 'wan' | 'local' | 'synchronous' | 'off'

interface PresenceOptions {
  /**
   * A member tells its presence to all at least this often, milliseconds, 1,000 to 3,600,000: those that are not connected to it
   * learn by three of them missing that it is gone, if nobody who was connected has told them before. With many members it
   * is told less often: every `max(presenceMs, members × 1,000 / presencesPerSecond)`. Shorter finds what gossip lost sooner,
   * and costs every member `members / presenceMs` messages.
   */
  readonly presenceMs: number
  /**
   * Presences that a node receives per second at most when nothing changes, however many members there are, 0.1 to 1,000. More
   * notices sooner who is gone unnoticed by its neighbours, and costs that many signature checks (60 µs each).
   */
  readonly presencesPerSecond: number
}

interface HeartbeatOptions extends PresenceOptions {
  /**
   * To each connected peer a heartbeat goes this often, milliseconds, 50 to 60,000. A node sends `neighbours / heartbeatMs`, of
   * 30 bytes each, and receives as many; neighbours are all up to 12 nodes, and about 12 of any more. Shorter detects
   * sooner by as much, and costs that many packets.
   */
  readonly heartbeatMs: number
}

/** Suspects by how unlikely a silence is, and lets the suspect refute it. */
export interface PhiOptions extends HeartbeatOptions {
  readonly kind: 'phi'
  /**
   * Suspects where φ = −log10 P(a heartbeat comes later than now) reaches this, 1 to 16: about one wrong suspicion in
   * `10^phi` heartbeats if their intervals were normal. Higher suspects later: each by about a third of a deviation.
   */
  readonly phi: number
  /** Intervals that mean and deviation are taken of, 8 to 1,000. More is steadier, and slower to learn of a changed network. */
  readonly windowCount: number
  /** The least standard deviation that is reckoned with, milliseconds: a very even network would make any hiccup a death. */
  readonly deviationMsMin: number
  /**
   * Silence that is forgiven before φ counts, milliseconds: a collection of garbage, a retransmission. A silence is
   * suspicious after `mean + pauseMs + q(phi) × deviation`, where q(8) is 5.2. Longer detects later by as much.
   */
  readonly pauseMs: number
  /**
   * From suspicion to `down`, milliseconds, if nobody else suspects the member too. With `c` others who do it is
   * `max(min, max − (max − min) × log(c + 1) / log(confirmationsMax + 1))` (Lifeguard): a suspect that many miss has less to
   * say for itself. It must be time for an accusation to reach the suspect, and for its answer to come back.
   */
  readonly suspicionMsMax: number
  readonly suspicionMsMin: number
  /** So many others make the time the shortest, and nobody accuses a member that so many have accused, 1 to 10. */
  readonly confirmationsMax: number
  /**
   * How far this node stretches all of that, at most, when it is slow itself: times `1 + score`, where the score rises with
   * each timer that fires late by half a heartbeat and with each suspicion of itself that it must refute, and falls with
   * every fifth that is on time. 0 trusts the own clock blindly; 8 is Lifeguard's. Until it has caught up it suspects nobody at all.
   */
  readonly slownessMax: number
}

/**
 * Holds down whoever was not heard for `timeoutMs`, at once and without asking (exclude on timeout). Right for machines with
 * reserved processors and a network with bounded delays; elsewhere a pause makes a member `down` that lives.
 */
export interface FixedOptions extends HeartbeatOptions {
  readonly kind: 'fixed'
  /** More than `heartbeatMs` + the longest delay of a message + the longest pause of a process, milliseconds. */
  readonly timeoutMs: number
}

/** Sends no heartbeats and suspects nobody: members are those who told of themselves and did not take leave. */
export interface OffOptions extends PresenceOptions {
  readonly kind: 'off'
}

/**
 * Machines of one network that answer within milliseconds. After its last heartbeat a process is `down` in
 * `heartbeatMs + pauseMs + 5.2 × deviation + suspicion`, and two turns of half a heartbeat: with the least deviation
 * 0.4 + 0.4 + 0.4 + 1.0 + 0.4 = 2.6 s at the most, where nobody else confirms it.
 */
const LAN: PhiOptions = {
  kind: 'phi',
  heartbeatMs: 400,
  phi: 8,
  windowCount: 100,
  deviationMsMin: 80,
  pauseMs: 400,
  suspicionMsMax: 1_000,
  suspicionMsMin: 600,
  confirmationsMax: 3,
  slownessMax: 8,
  presenceMs: 30_000,
  presencesPerSecond: 5,
}

/** Across the internet: delays vary by hundreds of milliseconds, and links are cut for seconds. `down` after 12 to 25 s. */
const WAN: PhiOptions = {
  ...LAN,
  heartbeatMs: 2_000,
  phi: 10,
  deviationMsMin: 500,
  pauseMs: 3_000,
  suspicionMsMax: 12_000,
  suspicionMsMin: 5_000,
  presenceMs: 60_000,
  presencesPerSecond: 2,
}

/** Processes of one machine: `down` within 1.5 s. A machine that is short of processors may see false suspicions. */
const LOCAL: PhiOptions = {
  ...LAN,
  heartbeatMs: 200,
  deviationMsMin: 40,
  pauseMs: 200,
  suspicionMsMax: 500,
  suspicionMsMin: 300,
  presenceMs: 15_000,
}

const SYNCHRONOUS: FixedOptions = {
  kind: 'fixed',
  heartbeatMs: 400,
  timeoutMs: 1_500,
  presenceMs: 30_000,
  presencesPerSecond: 5,
}

const OFF: OffOptions = { kind: 'off', presenceMs: 30_000, presencesPerSecond: 5 }

export const DETECTORS: Readonly<Record<DetectorPreset, DetectorOptions>> = {
  lan: LAN,
  wan: WAN,
  local: LOCAL,
  synchronous: SYNCHRONOUS,
  off: OFF,
}

/** How the heartbeats of one peer are kept; `fixed` asks of them only when the last one came. */
export function windowOf(detector: PhiOptions | FixedOptions): PhiParameters {
  return detector.kind === 'phi' ? detector : { windowCount: 8, deviationMsMin: 1, pauseMs: 0 }
}

interface Range {
  readonly key: string
  readonly min: number
  readonly max: number
  readonly isWhole?: boolean
}

const PRESENCE_RANGES: readonly Range[] = [
  { key: 'presenceMs', min: 1_000, max: 3_600_000 },
  { key: 'presencesPerSecond', min: 0.1, max: 1_000 },
]
const HEARTBEAT_RANGES: readonly Range[] = [
  ...PRESENCE_RANGES,
  { key: 'heartbeatMs', min: 50, max: 60_000, isWhole: true },
]
const RANGES: Readonly<Record<DetectorOptions['kind'], readonly Range[]>> = {
  phi: [
    ...HEARTBEAT_RANGES,
    { key: 'phi', min: 1, max: 16 },
    { key: 'windowCount', min: 8, max: 1_000, isWhole: true },
    { key: 'deviationMsMin', min: 1, max: 60_000 },
    { key: 'pauseMs', min: 0, max: 600_000 },
    { key: 'suspicionMsMin', min: 0, max: 600_000 },
    { key: 'suspicionMsMax', min: 0, max: 600_000 },
    { key: 'confirmationsMax', min: 1, max: 10, isWhole: true },
    { key: 'slownessMax', min: 0, max: 64, isWhole: true },
  ],
  fixed: [...HEARTBEAT_RANGES, { key: 'timeoutMs', min: 50, max: 600_000 }],
  off: PRESENCE_RANGES,
}

/** The options that a preset's name, or a caller's object, stands for. Throws RZ_DETECTOR_INVALID, which says what is wrong. */
export function parseDetector(input: DetectorPreset | DetectorOptions): DetectorOptions {
  if (typeof input === 'string') {
    if (Object.hasOwn(DETECTORS, input)) return DETECTORS[input]
    throw invalid(`there is no preset "${input}"; there is ${Object.keys(DETECTORS).join(', ')}`)
  }
  const ranges = Object.hasOwn(RANGES, input.kind) ? RANGES[input.kind] : undefined
  if (ranges === undefined) throw invalid('`kind` must be phi, fixed or off')
  const values = new Map<string, unknown>(Object.entries(input))
  for (const { key, min, max, isWhole = false } of ranges) {
    const value = values.get(key)
    const isRight = typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value))
    if (!isRight) throw invalid(`\`${key}\` must be ${isWhole ? 'an integer' : 'a number'} from ${min} to ${max}`)
  }
  if (input.kind === 'phi' && input.suspicionMsMin > input.suspicionMsMax) {
    throw invalid('`suspicionMsMin` is more than `suspicionMsMax`')
  }
  if (input.kind === 'fixed' && input.timeoutMs <= input.heartbeatMs) {
    throw invalid('`timeoutMs` must be more than `heartbeatMs`, or everybody is down between two heartbeats')
  }
  return input
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_DETECTOR_INVALID', `a failure detector that cannot be: ${why}`)
}
