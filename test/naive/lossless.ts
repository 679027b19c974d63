/**
 * The lossless view once more, as plainly as it can be said, over all deltas of a list of blocks. Imports nothing of src:
 * it is what the real one is held against. Quadratic and recursive on purpose.
 */

export interface NaivePointer {
  readonly localContext: string
  readonly target: unknown
  readonly targetContext?: string
}

export interface NaiveDelta {
  readonly id: string
  readonly time: { readonly ms: number; readonly counter: number }
  readonly creator: string
  readonly host: string
  readonly log: string
  readonly seq: number
  readonly index: number
  readonly pointers: readonly NaivePointer[]
}

type Counts = (negation: NaiveDelta, target: NaiveDelta) => boolean

export function naiveLossless(
  entity: string,
  blocks: readonly { readonly deltas: readonly NaiveDelta[] }[],
  counts: Counts = () => true,
): unknown {
  const all: NaiveDelta[] = []
  for (const block of blocks) {
    for (const delta of block.deltas) if (!all.some((other) => other.id === delta.id)) all.push(delta)
  }
  all.sort(inTotalOrder)

  const negationsOf = (target: NaiveDelta) => all.filter((delta) => negates(delta, target.id))
  const stands = (delta: NaiveDelta): boolean =>
    !negationsOf(delta).some((negation) => counts(negation, delta) && stands(negation))
  const against = (delta: NaiveDelta) => ({
    negatedBy: negationsOf(delta).map((negation) => ({ id: negation.id, counted: counts(negation, delta) })),
    standing: stands(delta),
  })

  const pointersAtEntity = all.flatMap((delta) =>
    delta.pointers
      .filter((pointer) => pointer.targetContext !== undefined && pointer.target === entity)
      .map((pointer) => ({ delta, pointer })),
  )
  const properties: [string, unknown][] = distinct(
    pointersAtEntity.map(({ pointer }) => pointer.targetContext ?? ''),
  ).map((property) => {
    const speaking = all.filter((delta) => firstPointer(delta, entity, property) !== undefined)
    const claims = speaking.map((delta) => ({
      delta,
      value: valueOf(delta, firstPointer(delta, entity, property)),
      ...against(delta),
    }))
    return [property, claims]
  })

  const bearing = distinct(pointersAtEntity.map(({ delta }) => delta))
  const bearingNegations = new Set<NaiveDelta>()
  for (let before = -1; before !== bearingNegations.size;) {
    before = bearingNegations.size
    for (const target of [...bearing, ...bearingNegations]) {
      for (const negation of negationsOf(target)) bearingNegations.add(negation)
    }
  }
  return {
    id: entity,
    referencedAs: distinct(pointersAtEntity.map(({ pointer }) => pointer.localContext)).sort(byUtf8),
    properties: Object.fromEntries(properties),
    negations: all.filter((delta) => bearingNegations.has(delta)).map((delta) => ({ delta, ...against(delta) })),
  }
}

function negates(delta: NaiveDelta, id: string): boolean {
  return delta.pointers.some(
    (pointer) => pointer.localContext === 'negates' && pointer.targetContext === 'negated_by' && pointer.target === id,
  )
}

function firstPointer(delta: NaiveDelta, entity: string, property: string): NaivePointer | undefined {
  return delta.pointers.find((pointer) => pointer.targetContext === property && pointer.target === entity)
}

function valueOf(delta: NaiveDelta, about: NaivePointer | undefined): unknown {
  const others = delta.pointers.filter(
    (pointer) => pointer !== about && !(pointer.localContext === '_transaction' && pointer.targetContext === 'deltas'),
  )
  if (others.length === 0) return null
  if (others.length === 1) return others[0]?.target
  return Object.fromEntries(
    distinct(others.map((pointer) => pointer.localContext)).map((context) => {
      const targets = others.filter((pointer) => pointer.localContext === context).map((pointer) => pointer.target)
      return [context, targets.length === 1 ? targets[0] : targets]
    }),
  )
}

function inTotalOrder(a: NaiveDelta, b: NaiveDelta): number {
  return (
    a.time.ms - b.time.ms ||
    a.time.counter - b.time.counter ||
    byUtf8(a.creator, b.creator) ||
    byUtf8(a.log, b.log) ||
    a.seq - b.seq ||
    a.index - b.index ||
    byUtf8(a.id, b.id)
  )
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function distinct<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)]
}
