/**
 * A namespace to prove things of, the same at every run: three creators, a run that is signed at its end alone, negations of
 * negations, rules, a context, and a log that forked. And the proofs of it that stand in fixtures/proof-0/.
 */

import type { Value } from '../../src/delta/delta.ts'
import { deltaIdOf } from '../../src/delta/identifiers.ts'
import type { Run } from '../../src/log/block.ts'
import { frontierText } from '../../src/log/frontier-text.ts'
import { DefinitionRecords } from '../../src/node/definitions.ts'
import { momentOf } from '../../src/node/moment.ts'
import { makeProof, type ProofOptions } from '../../src/node/proof.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { OPEN_CONTEXT } from '../../src/view/contexts/context.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, negation, runOf, signer, START_MS, TestLog, logId } from './blocks.ts'

/** Signs the statements: no creator of anything. */
export const ANSWERING = signer(9)

export interface ProofOf extends ProofOptions {
  readonly entity: string
}

/** A proof from `store` as a node makes it, by a clock that stands. */
export function proofFrom(store: Store, { entity, ...options }: ProofOf): string | undefined {
  const { context: id, asOf } = options
  const moment = asOf === undefined ? undefined : momentOf(asOf, store, NAMESPACE)
  const definitions = new DefinitionRecords(store, NAMESPACE).at(moment)
  const context = id === undefined ? OPEN_CONTEXT : definitions.records.context.get(id)?.definition
  if (context === undefined) throw new Error(`no context ${id}`)
  const frame = { context, resolvers: definitions.resolversIn(context), moment }
  const prover = {
    store,
    namespace: NAMESPACE,
    name: NAMESPACE_NAME,
    signer: ANSWERING,
    nowMs: () => START_MS + 60_000,
  }
  return makeProof(prover, entity, options, frame)
}

/** The text of `proofFrom`, where there must be one. */
export function textFrom(store: Store, of: ProofOf): string {
  const text = proofFrom(store, of)
  if (text === undefined) throw new Error(`nothing is claimed about ${of.entity}`)
  return text
}

export function definition(collection: string, property: string, rule: Value): Value {
  return { collection, property, rule, semantics: 1 }
}

/** A store with all of it, and a frontier before the rules and the negations came. */
export function provenStore(): { readonly store: Store; readonly before: string; readonly end: () => Promise<void> } {
  const store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const [ann, ben, eve] = [1, 2, 3].map((number) => new TestLog({ signer: signer(number), logId: logId(number) })) as [
    TestLog,
    TestLog,
    TestLog,
  ]
  const about = (property: string, value: Value) => claim('user', 'ann', property, value)
  const first = ann.append([about('name', 'Ann'), about('age', 3), claim('user', 'ben', 'name', 'Ben')])
  commit(store, runOf(first))
  // Ben's three blocks come as a run: only the last is signed.
  const second = ben.append([about('age', 4)], { time: at(10) })
  ben.append([claim('user', 'ben', 'age', 40)], { time: at(11) })
  ben.append([about('bytes', Uint8Array.of(1, 2, 3)), about('name', 'Anna')], { time: at(12) })
  commit(store, ben.run())
  const before = frontierText(store.frontier(NAMESPACE))

  // Ben takes Ann's age back, which Ann takes back; Ann takes back Ben's name for her.
  const back = ben.append([negation(deltaIdOf(first.hash, 1))], { time: at(20) })
  commit(store, runOf(back))
  const [, , third] = ben.blocks
  commit(
    store,
    ann.write([negation(deltaIdOf(back.hash, 0)), negation(deltaIdOf(third?.hash ?? '', 1))], { time: at(30) }),
  )
  const sum = {
    reduce: [
      { map: [{ var: 'candidates' }, { var: 'value' }] },
      { '+': [{ var: 'accumulator' }, { var: 'current' }] },
      0,
    ],
  }
  const label = { cat: [{ property: 'name' }, ', ', { property: 'age' }] }
  commit(store, ann.write([claim('resolver', 'age', 'definition', definition('user', 'age', sum))], { time: at(31) }))
  commit(
    store,
    ben.write([claim('resolver', 'label', 'definition', definition('user', 'label', label))], { time: at(32) }),
  )
  const trusted = { filter: { '===': [{ var: 'creator' }, ann.signer.id] }, negations: 'author', semantics: 1 }
  commit(store, ann.write([claim('context', 'own', 'definition', trusted)], { time: at(33) }))

  // Eve's log forks at block 2, whose signature block 0 had stood under.
  const before2 = [eve.append([about('rank', 1)], { time: at(40) }), eve.append([], { time: at(41) })]
  const other = eve.fork(before2.length)
  eve.append([about('rank', 2)], { time: at(42) })
  other.append([about('rank', 3)], { time: at(43) })
  commit(store, eve.run())
  store.commit(other.run(before2.length))
  commit(store, ben.write([negation(deltaIdOf(second.hash, 0))], { time: at(50) }))
  return { store, before, end: () => store.close() }
}

function at(ms: number) {
  return { ms: START_MS + ms, counter: 0 }
}

function commit(store: Store, run: Run): void {
  const { kind } = store.commit(run)
  if (kind !== 'committed') throw new Error(`the run was ${kind}`)
}

export const PROOFS_PATH = 'fixtures/proof-0'

/** The golden proofs by the names of their files. */
export async function goldenProofs(): Promise<ReadonlyMap<string, string>> {
  const { store, before, end } = provenStore()
  const entity = 'user/ann'
  const proofs = new Map<string, ProofOf>([
    ['entity.json', { entity }],
    ['property.json', { entity, property: 'label' }],
    ['property-of-a-run.json', { entity: 'user/ben', property: 'age' }],
    ['context.json', { entity, context: 'own' }],
    ['as-of-a-frontier.json', { entity, asOf: before }],
    ['as-of-a-time.json', { entity, property: 'age', asOf: START_MS + 29 }],
    ['rule.json', { entity: 'resolver/age' }],
    ['fork.json', { entity, property: 'rank' }],
  ])
  const texts = new Map([...proofs].map(([name, of]) => [name, textFrom(store, of)]))
  await end()
  return texts
}
