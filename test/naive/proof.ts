/**
 * Proofs of version 0 once more, checked as src/log/README.md tells them, for clarity and not for speed. Imports NOTHING of
 * src: the two are held against each other. Throws a plain Error for whatever does not hold.
 */

import {
  base32,
  decodeCbor,
  decodeDelta,
  decodeHeaderFields,
  encodeCbor,
  hashOfHeader,
  type HeaderFields,
  hex,
  type Item,
  list,
  peerId,
  sha256,
  verifySignature,
  withinBlock,
} from './format.ts'
import type { NaiveDelta, NaivePointer } from './lossless.ts'
import { type NaiveContext, naiveLossy } from './lossy.ts'

export interface NaiveProof {
  readonly peer: string
  readonly entity: string
  readonly deltas: readonly NaiveDelta[]
  /** Of each property that the proof is about, computed from the deltas. */
  readonly values: { readonly [property: string]: unknown }
}

type Fields = { readonly [key: string]: unknown }

export function naiveVerify(text: string): NaiveProof {
  const file = JSON.parse(text) as Fields
  must(`${JSON.stringify(file, null, 2)}\n` === text, 'two spaces, no key twice, a line end at the end')
  const { says, chains, forks } = exactly(file, ['format', 'says', 'statement', 'signature', 'chains', 'forks'])
  must(file['format'] === 'rhizome-proof/0', 'format')
  const bytes = base64(file['statement'])
  const stated = readStatement(bytes)
  must(
    verifySignature(stated.peer, sha256('rhizome/proof/0\0', bytes), base64(file['signature'])),
    'the signature of the statement',
  )
  same(says, saysOf(stated), 'says')
  must(hex(stated.namespace) === hex(sha256(`rhizome/namespace/open/${stated.name}`)), 'the name of the namespace')

  const read = array(chains).map((chain) => readChain(chain, stated))
  must(read.length > 0, 'a claim')
  for (const [index, chain] of read.entries()) {
    const before = read[index - 1]
    if (before === undefined || before.log < chain.log) continue
    must(before.log === chain.log, 'chains by log')
    must(chain.first.seq > before.last.seq, 'chains by seq')
    must(isLater(chain.first, before.last), 'later times')
    if (chain.first.seq === before.last.seq + 1)
      must(chain.first.previous !== null && hex(chain.first.previous) === hex(before.lastHash), 'no fork')
  }
  const deltas = read.flatMap((chain) => chain.deltas).sort(inTotalOrder)
  must(deltas.length === stated.count, 'the count of deltas')
  const ids = deltas.map(({ id, index }) => [bytesOfHash(id, read), index])
  must(hex(sha256(encodeCbor(ids))) === hex(stated.deltasDigest), 'the digest of deltas')
  checkHeads(stated, read, array(forks).map(base64))
  checkMoment(stated, deltas)
  checkBearing(stated, deltas)
  return { peer: peerId(stated.peer), entity: stated.entity, deltas, values: checkValues(stated, deltas) }
}

// ---------------------------------------------------------------------------------------------------- the statement

interface Head {
  readonly log: string
  readonly seq: number
  readonly hash: string
  readonly cut: number | null
}

function readStatement(bytes: Uint8Array) {
  const fields = list(decodeCbor(bytes))
  must(fields.length === 14 && fields[0] === 0, 'a statement of version 0')
  const [, peer, timeMs, namespace, name, entity, property, context, asOf, records, frontier, heads, deltas, values] =
    fields
  const [frontierDigest, logs] = list(frontier)
  const [deltasDigest, count] = list(deltas)
  return {
    peer: peer as Uint8Array,
    timeMs,
    namespace: namespace as Uint8Array,
    name: name as string,
    entity: entity as string,
    property: property as string | null,
    context: context as string | null,
    asOf: asOf as string | number | null,
    records: list(records) as readonly string[],
    frontierDigest: frontierDigest as Uint8Array,
    logs,
    heads: list(heads).map((head): Head => {
      const [key, logId, seq, hash, cut] = list(head) as readonly [
        Uint8Array,
        Uint8Array,
        number,
        Uint8Array,
        number | null,
      ]
      return { log: `${peerId(key)}/${hex(logId)}`, seq, hash: base32(hash), cut }
    }),
    deltasDigest: deltasDigest as Uint8Array,
    count: count as number,
    values: values as { readonly [property: string]: Item },
  }
}

type Stated = ReturnType<typeof readStatement>

function saysOf(stated: Stated): unknown {
  const { peer, timeMs, name, entity, property, context, asOf, records, frontierDigest, logs, heads } = stated
  return {
    peer: peerId(peer),
    timeMs,
    namespace: name,
    entity,
    ...(property === null ? {} : { property }),
    ...(context === null ? {} : { context }),
    ...(asOf === null ? {} : { asOf }),
    records,
    frontier: { digest: hex(frontierDigest), logs },
    heads: heads.map(({ log, seq, hash, cut }) => ({ log, seq, hash, ...(cut === null ? {} : { cut }) })),
    deltas: { digest: hex(stated.deltasDigest), count: stated.count },
    values: Object.fromEntries(
      Object.entries(stated.values).map(([of, outcome]) => {
        const [kind, content] = list(outcome)
        return [of, kind === 0 ? { value: jsonOf(content) } : { error: content }]
      }),
    ),
  }
}

// ---------------------------------------------------------------------------------------------------- chains

interface Chain {
  readonly log: string
  readonly first: HeaderFields
  readonly last: HeaderFields
  readonly lastHash: Uint8Array
  readonly hashes: ReadonlyMap<number, Uint8Array>
  readonly deltas: readonly NaiveDelta[]
}

function readChain(json: unknown, stated: Stated): Chain {
  const { blocks, signature } = exactly(json, ['blocks', 'signature'])
  must(array(blocks).length > 0 && array(blocks).length <= 1_024, 'a run of headers')
  const headers: HeaderFields[] = []
  const hashes = new Map<number, Uint8Array>()
  const deltas: NaiveDelta[] = []
  let before: Uint8Array | undefined
  for (const block of array(blocks)) {
    const bytes = base64((block as Fields)['header'])
    const header = decodeHeaderFields(bytes)
    const hash = hashOfHeader(bytes)
    must(hex(header.namespace) === hex(stated.namespace), 'one namespace')
    const last = headers.at(-1)
    if (last !== undefined) {
      must(header.previous !== null && hex(header.previous) === hex(before ?? new Uint8Array()), 'a chain of hashes')
      must(header.seq === last.seq + 1 && logOf(header) === logOf(last) && isLater(header, last), 'a chain of headers')
    }
    const own = readDeltas(block, header, hash)
    must(headers.length > 0 || own.length > 0, 'a delta in the first block')
    deltas.push(...own)
    headers.push(header)
    hashes.set(header.seq, hash)
    before = hash
  }
  const [first, last] = [headers[0] as HeaderFields, headers.at(-1) as HeaderFields]
  const lastHash = before ?? new Uint8Array()
  must(verifySignature(last.creator, lastHash, base64(signature)), "a creator's signature")
  return { log: logOf(first), first, last, lastHash, hashes, deltas }
}

function readDeltas(block: unknown, header: HeaderFields, hash: Uint8Array): readonly NaiveDelta[] {
  if (Object.keys(block as Fields).length === 1) return []
  const { creator, log, seq, time, deltas } = exactly(block, ['creator', 'log', 'seq', 'time', 'header', 'deltas'])
  same(
    { creator, log, seq, time },
    {
      creator: peerId(header.creator),
      log: hex(header.logId),
      seq: header.seq,
      time: { ms: header.ms, counter: header.counter },
    },
    'a block in plain words',
  )
  must(
    header.kind === 0 && !Object.keys(header.extensions as object).some((key) => key.startsWith('!')),
    'a plain block',
  )
  const indexes = array(deltas).map((delta) => (delta as Fields)['index'] as number)
  must(indexes.length > 0 && indexes.every((index, at) => at === 0 || index > (indexes[at - 1] ?? 0)), 'rising indexes')
  return array(deltas).map((json) => {
    const delta = exactly(json, ['id', 'pointers', 'index', 'salt', 'bytes', 'path'])
    const index = delta['index'] as number
    const [salt, bytes, path] = [base64(delta['salt']), base64(delta['bytes']), array(delta['path']).map(base64)]
    must(salt.length === 16, 'a salt')
    must(index >= 0 && index < header.count, 'an index in the block')
    must(hex(rootFrom(sha256(salt, bytes), index, header.count, path)) === hex(header.root), 'the root')
    const pointers = decodeDelta(bytes).map((pointer) => withinBlock(pointer, base32(hash), index))
    const id = `${base32(hash)}/${index}`
    same(
      { id: delta['id'], pointers: delta['pointers'] },
      { id, pointers: pointers.map(pointerJson) },
      'a delta in words',
    )
    return {
      id,
      time: { ms: header.ms, counter: header.counter },
      creator: peerId(header.creator),
      host: peerId(header.host),
      log: hex(header.logId),
      seq: header.seq,
      index,
      pointers,
    }
  })
}

/** The root above a leaf, by the siblings from it up: RFC 6962's shape, as `merkleRoot` in format.ts makes it. */
function rootFrom(leaf: Uint8Array, index: number, count: number, path: readonly Uint8Array[]): Uint8Array {
  if (count === 1) {
    must(path.length === 0, 'a path of the right length')
    return leaf
  }
  const sibling = path.at(-1)
  must(sibling?.length === 32, 'a path of the right length')
  let half = 1
  while (half * 2 < count) half *= 2
  const below = path.slice(0, -1)
  return index < half
    ? sha256(Uint8Array.of(1), rootFrom(leaf, index, half, below), sibling as Uint8Array)
    : sha256(Uint8Array.of(1), sibling as Uint8Array, rootFrom(leaf, index - half, count - half, below))
}

function logOf(header: HeaderFields): string {
  return `${peerId(header.creator)}/${hex(header.logId)}`
}

function isLater(header: HeaderFields, before: HeaderFields): boolean {
  return header.ms > before.ms || (header.ms === before.ms && header.counter > before.counter)
}

function bytesOfHash(id: string, chains: readonly Chain[]): Uint8Array {
  const all = chains.flatMap((chain) => [...chain.hashes.values()])
  return all.find((hash) => id.startsWith(`${base32(hash)}/`)) ?? new Uint8Array()
}

// ---------------------------------------------------------------------------------------------------- heads and forks

function checkHeads({ heads, namespace }: Stated, chains: readonly Chain[], forks: readonly Uint8Array[]): void {
  const logs = [...new Set(chains.map(({ log }) => log))]
  same(
    heads.map(({ log }) => log),
    logs,
    'a head for each log',
  )
  for (const { log, seq, hash, cut } of heads) {
    must(cut === null || seq < cut, 'a head before the cut')
    for (const chain of chains.filter((one) => one.log === log)) {
      must(
        chain.deltas.every((delta) => delta.seq <= seq),
        'deltas up to the head',
      )
      const own = chain.hashes.get(seq)
      must(own === undefined || base32(own) === hash, 'the hash of the head')
    }
  }
  const cuts = heads.filter(({ cut }) => cut !== null)
  must(cuts.length === forks.length, 'evidence for each cut')
  for (const [index, { log, cut }] of cuts.entries())
    must(cutIn(forks[index] ?? new Uint8Array(), log, hex(namespace)) === cut, 'evidence of that cut')
}

function cutIn(evidence: Uint8Array, log: string, namespace: string): number {
  const sides = list(decodeCbor(evidence)).map((side) => {
    const [headers, signature] = list(side)
    const all = list(headers).map((bytes) => ({
      header: decodeHeaderFields(bytes as Uint8Array),
      hash: hashOfHeader(bytes as Uint8Array),
    }))
    for (const [index, { header }] of all.entries()) {
      must(logOf(header) === log && hex(header.namespace) === namespace, 'evidence of that log')
      const before = all[index - 1]
      if (before === undefined) continue
      must(header.seq === before.header.seq + 1, 'evidence that is a chain')
      must(hex(header.previous ?? new Uint8Array()) === hex(before.hash), 'evidence that is a chain')
    }
    const last = all.at(-1)
    must(
      last !== undefined && verifySignature(last.header.creator, last.hash, signature as Uint8Array),
      'signed evidence',
    )
    return all[0] as (typeof all)[number]
  })
  const [a, b] = sides as [(typeof sides)[number], (typeof sides)[number]]
  const previous = ({ header }: typeof a) => (header.previous === null ? '' : hex(header.previous))
  if (a.header.seq === b.header.seq && hex(a.hash) !== hex(b.hash))
    return previous(a) === previous(b) ? a.header.seq : a.header.seq - 1
  must(b.header.seq === a.header.seq + 1 && previous(b) !== hex(a.hash), 'a contradiction')
  return a.header.seq
}

function checkMoment({ asOf }: Stated, deltas: readonly NaiveDelta[]): void {
  if (asOf === null) return
  if (typeof asOf === 'number') {
    must(
      deltas.every(({ time }) => time.ms <= asOf),
      'no delta after the moment',
    )
    return
  }
  must(asOf.startsWith('f0.'), 'a frontier')
  const heads = list(decodeCbor(Buffer.from(asOf.slice(3), 'base64url'))).map((head) => {
    const [key, logId, seq] = list(head) as readonly [Uint8Array, Uint8Array, number]
    return [`${peerId(key)}/${hex(logId)}`, seq] as const
  })
  const seqs = new Map(heads)
  must(
    deltas.every((delta) => delta.seq <= (seqs.get(`${delta.creator}/${delta.log}`) ?? -1)),
    'no delta after the frontier',
  )
}

// ---------------------------------------------------------------------------------------------------- values

function checkValues(stated: Stated, deltas: readonly NaiveDelta[]): { readonly [property: string]: unknown } {
  const { entity, property, context, records, values } = stated
  const record = `context/${context ?? ''}`
  must(context === null || records.includes(record), 'the record of the context')
  for (const name of records)
    must(
      name === record || (name.startsWith('resolver/') && 'definition' in lossyProperties(name, deltas)),
      'such a rule',
    )
  const rules = context === null ? {} : (lossyProperties(record, deltas)['definition'] as NaiveContext)
  const view = naiveLossy(entity, deltas, rules) as { properties: Fields; errors: Fields }
  const outcomes = Object.fromEntries([
    ...Object.entries(view.properties).map(([of, value]) => [of, [0, value]]),
    ...Object.entries(view.errors).map(([of, code]) => [of, [1, code]]),
  ]) as { [property: string]: unknown }
  const names = property === null ? Object.keys(outcomes) : [property].filter((of) => Object.hasOwn(outcomes, of))
  same(Object.keys(values).sort(), names.toSorted(), 'the properties that have a value')
  for (const of of names)
    must(hex(encodeCbor(outcomes[of])) === hex(encodeCbor(values[of])), `the value of ${of}, computed anew`)
  return Object.fromEntries(names.map((of) => [of, (outcomes[of] as [number, unknown])[1]]))
}

function lossyProperties(entity: string, deltas: readonly NaiveDelta[]): Fields {
  return (naiveLossy(entity, deltas) as { properties: Fields }).properties
}

/** Every delta claims something about the entity or a rule's record, or negates one that does, however many steps away. */
function checkBearing({ entity, records, property }: Stated, deltas: readonly NaiveDelta[]): void {
  const points = (delta: NaiveDelta, at: (pointer: NaivePointer) => boolean) =>
    delta.pointers.some((pointer) => pointer.targetContext !== undefined && at(pointer))
  // Which further properties a rule reads is checked by the values: here it is enough that there is a rule.
  const isOne = (pointer: NaivePointer) =>
    pointer.target === entity && (property === null || records.length > 0 || pointer.targetContext === property)
  const isRule = ({ target, targetContext }: NaivePointer) =>
    targetContext === 'definition' && records.includes(String(target))
  const bearing = new Set(deltas.filter((delta) => points(delta, (pointer) => isOne(pointer) || isRule(pointer))))
  for (let size = -1; size !== bearing.size;) {
    size = bearing.size
    const ids = new Set([...bearing].map(({ id }) => id))
    for (const delta of deltas) {
      if (
        points(
          delta,
          ({ localContext, target, targetContext }) =>
            localContext === 'negates' && targetContext === 'negated_by' && ids.has(String(target)),
        )
      )
        bearing.add(delta)
    }
  }
  must(bearing.size === deltas.length, 'nothing beside the question')
}

// ---------------------------------------------------------------------------------------------------- words

function pointerJson({ localContext, target, targetContext }: NaivePointer): unknown {
  if (targetContext === undefined) return { localContext, target: jsonOf(target) }
  return { localContext, target, targetContext }
}

/** Bytes as `{ "$bytes": … }`; an object that looks like one gets one more dollar. */
function jsonOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const escaped = entries.length === 1 && /^\$+bytes$/.test(entries[0]?.[0] ?? '')
  return Object.fromEntries(entries.map(([key, inner]) => [escaped ? `$${key}` : key, jsonOf(inner)]))
}

function exactly(json: unknown, keys: readonly string[]): Fields {
  must(typeof json === 'object' && json !== null, 'an object')
  same(Object.keys(json as Fields), keys, 'the right keys')
  return json as Fields
}

function array(json: unknown): readonly unknown[] {
  must(Array.isArray(json), 'a list')
  return json as readonly unknown[]
}

function base64(text: unknown): Uint8Array {
  const bytes = Buffer.from(text as string, 'base64')
  must(bytes.toString('base64') === text, 'base64')
  return new Uint8Array(bytes)
}

function same(a: unknown, b: unknown, what: string): void {
  must(JSON.stringify(a) === JSON.stringify(b), what)
}

function inTotalOrder(a: NaiveDelta, b: NaiveDelta): number {
  return (
    a.time.ms - b.time.ms ||
    a.time.counter - b.time.counter ||
    (a.creator < b.creator ? -1 : Number(a.creator > b.creator)) ||
    (a.log < b.log ? -1 : Number(a.log > b.log)) ||
    a.seq - b.seq ||
    a.index - b.index
  )
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the proof lacks ${what}`)
}
