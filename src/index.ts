/**
 * The public SDK of rhizome-node, and the only barrel: everything that applications may rely on is named here.
 *
 * ```ts
 * import { openNode } from 'rhizome-node'
 *
 * await using node = await openNode({ topics: ['users'] })
 * const users = node.namespace('users')
 * await users.put('user', 'alice', { name: 'Alice', age: 3 })
 * ```
 */

export { COUNTER_MAX, FUTURE_MS_MAX, type Time } from './delta/clock.ts'
export {
  CONTEXT_BYTES_MAX,
  type Delta,
  DELTA_BYTES_MAX,
  type DeltaId,
  ID_BYTES_MAX,
  isReference,
  type PeerId,
  type Pointer,
  POINTERS_MAX,
  type ReferencePointer,
  type Value,
  VALUE_DEPTH_MAX,
  type ValuePointer,
} from './delta/delta.ts'
export { parseDeltaId, parsePeerId } from './delta/identifiers.ts'
export { fromJson, type Json, toJson } from './delta/json.ts'
export { compareDeltas } from './delta/order.ts'
export { EntityReference, entityIdOf, parseEntityId, type PropertyInput, ref } from './delta/record.ts'
export { ERROR_CODES, type ErrorCode, RhizomeError } from './errors.ts'
export { BLOCK_BYTES_MAX, BLOCK_DELTAS_MAX, type BlockHash, type LogKey } from './log/block.ts'
export type { NamespaceId } from './log/namespace.ts'
export type { StatedOutcome } from './log/proof-statement.ts'
export type { NetEvent } from './net/net.ts'
export type { NodeEvent } from './node/events.ts'
export type { Told } from './node/functions/cause.ts'
export { DeltaFunction, type FunctionStatus } from './node/functions/function.ts'
export type { Failure } from './node/functions/memory.ts'
export type {
  Emit,
  FunctionOptions,
  Handler,
  Occasion,
  StandingChange,
  StandingHandler,
} from './node/functions/options.ts'
export type { FunctionEvent } from './node/functions/performer.ts'
export { concurrent, happenedBefore } from './node/causality.ts'
export type { Overdue } from './node/delivery/course.ts'
export type {
  Delivery,
  DeliveryHandler,
  DeliveryOccasion,
  RetryOptions,
  SubscribeOptions,
} from './node/delivery/options.ts'
export { Subscription, type SubscriptionEvent, type SubscriptionStatus } from './node/delivery/subscription.ts'
export type { HeldResult, Until, UntilOptions } from './node/delivery/until.ts'
export { diagnose } from './node/diagnosis/diagnose.ts'
export {
  type Check,
  CHECKS,
  type Finding,
  type FoundInterface,
  type FoundTry,
  type HeardNode,
  type PeerFound,
  type Verdict,
} from './node/diagnosis/finding.ts'
export type { DiagnoseOptions, RunningNode, RunningPeer } from './node/diagnosis/options.ts'
export type { Answer, Answered, AnsweredBy, PartlyAnswered } from './node/everywhere/answered.ts'
export type { Everywhere } from './node/everywhere/everywhere.ts'
export type { ShardStatus } from './node/everywhere/shard.ts'
export type { DropOptions } from './node/everywhere/shards.ts'
export type { FollowedView, FollowedViews, WatchEverywhereOptions } from './node/everywhere/watching.ts'
export type { IdentitySummary } from './node/identity.ts'
export {
  Collection,
  type CollectionOptions,
  type PropertiesInput,
  type TypedEntity,
  type WatchedEntity,
} from './node/collection.ts'
export type { ContextInput, FunctionInput, ResolverInput, SchemaInput } from './node/definition-input.ts'
export type { ReferredRecord, References } from './node/expand.ts'
export type { MemberEvent, MemberListener, Pinged, PingOptions } from './node/members.ts'
export type { BroadcastOptions, BroadcastResult, MessageListener } from './node/messages.ts'
export type { AsOfInput } from './node/moment.ts'
export type { DeltasOptions, PlacedDelta } from './node/delta-stream.ts'
export { Namespace } from './node/namespace.ts'
export { openNode, RhizomeNode } from './node/node.ts'
export { DETECTOR_PRESETS, type Durability, type NetworkOptions, type NodeOptions, TOPICS_MAX } from './node/options.ts'
export type { PeersOptions, PeerSummary } from './node/peers.ts'
export { type OwnDelta, Transaction } from './node/transaction.ts'
export type { ProofOptions } from './node/proof.ts'
export type { QueryInput, RowsOptions, StoredQueryInput } from './node/queries.ts'
export {
  type Completeness,
  type ProofReport,
  type ProvenCreator,
  type ProvenRule,
  type ProvenValue,
  verifyProof,
} from './node/verify-proof.ts'
export type { Entity, GetOptions, IdsOptions, PutOptions, PutResult, WriteOptions } from './node/records.ts'
export { VERSION } from './node/version.ts'
export type { Violation, ViolationFault, ViolationPage, ViolationsOptions } from './node/violations.ts'
export type { ContextOptions, DefinitionProblem, DiffOptions, HistoryOptions, View, ViewOptions } from './node/views.ts'
export type { EntityRange, ManyOptions, ViewSequence } from './node/view-sequence.ts'
export type { WatchedView, WatchOptions } from './node/watch.ts'
export type { LiveRows, WatchQueryOptions } from './node/watch-query.ts'
export type { Written } from './node/writer.ts'
export type { QueryJson } from './query/algebra.ts'
export { Fluent, from, fromPointers, fromView, type RecordOf } from './query/from.ts'
export type { Row } from './query/row.ts'
export type { Explanation as QueryExplanation, QueryPage } from './query/run.ts'
export type { NamespaceCounts, Position } from './store/store.ts'
export type { Holder } from './sync/delivery/holdings.ts'
export type { HeldDurability } from './sync/delivery/message.ts'
export type { ReplicationEvent } from './sync/events.ts'
export type { DetectorOptions, DetectorPreset, FixedOptions, OffOptions, PhiOptions } from './sync/members/detector.ts'
export type { Member, MemberChange, MemberState } from './sync/members/member.ts'
export type { Message } from './sync/messages/message.ts'
export type { OwnClock } from './sync/members/own-clock.ts'
export type { SyncStatus } from './sync/status.ts'
export type { Candidate } from './view/candidates.ts'
export { composeLossless, decomposeLossless } from './view/compose.ts'
export { type ContextDefinition, trustOnly } from './view/contexts/context.ts'
export type { DeltaFilterInput } from './view/contexts/narrow.ts'
export type { Change, Outcome } from './view/diff.ts'
export type { ExplainedResolver, Explanation } from './view/explain.ts'
export type { Fault } from './view/fault.ts'
export type { DeltaTemplate, PutTemplate } from './view/functions/function-definition.ts'
export type { History, Moment } from './view/history.ts'
export type { LossyView } from './view/latest.ts'
export type { Claim, LosslessView, NegatedBy, Negation } from './view/lossless.ts'
export { compileJsonSchema, type JsonSchema } from './view/schemas/json-schema.ts'
export type { FromSchema, JsonSchemaInput } from './view/schemas/infer.ts'
export type { SchemaFault } from './view/schemas/run.ts'
export { concatenateWith, fromTrustedFirst, SHIPPED_RESOLVERS } from './view/resolvers/shipped.ts'
