/**
 * Rules broken on purpose, each by a small change of one source or two. The simulator must notice every one: a rule that can
 * be taken out unnoticed is not tested by it. A change whose text is not found is a fault of this table.
 */

export interface Mutation {
  /** The rule, as it is when it is broken. */
  readonly name: string
  /** The invariants that ought to notice, one at least; others that are broken by the way do not count. */
  readonly noticedBy: readonly string[]
  readonly changes: readonly Change[]
  /** Histories of shards notice, others do not. */
  readonly ofShards?: boolean
}

interface Change {
  /** Below src/. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly before: string
  readonly after: string
}

/** A history in which nodes go round in circles. */
export const NEVER_ENDS = 'never ends'

const one = (name: string, noticedBy: readonly string[], file: string, before: string, after: string): Mutation => ({
  name,
  noticedBy,
  changes: [{ file, before, after }],
})

const ofShards = (...[name, noticedBy, file, before, after]: Parameters<typeof one>): Mutation => ({
  ...one(name, noticedBy, file, before, after),
  ofShards: true,
})

export const MUTATIONS: readonly Mutation[] = [
  one(
    'sync sessions are skipped',
    ['frontiers'],
    'sync/contacts.ts',
    'const result = await this.#options.sync(peer)',
    "const result = await Promise.resolve('complete' as const)",
  ),
  one(
    'a peer that comes again is not synced with',
    ['frontiers'],
    'sync/replica.ts',
    'this.#contacts.add(peer, net.self < peer ? 0 : TIE_BREAK_MS * (1 + random()))',
    'this.#contacts.add(peer, 1e9)',
  ),
  one(
    'signatures are not checked',
    ['nothing forged'],
    'log/signature.ts',
    'return verifyBytes(null, message, publicKeyOf(creator), signature)',
    'return verifyBytes(null, message, publicKeyOf(creator), signature) || true',
  ),
  one(
    'the previous hash is not checked',
    ['frontiers', 'views'],
    'log/chain.ts',
    "if (previous !== head?.hash) return { kind: 'fork' }",
    "if (previous === 'never') return { kind: 'fork' }",
  ),
  one(
    'what a cut voids is still admitted',
    ['views'],
    'store/heads.ts',
    'return cut === undefined || seq < cut',
    'return cut === undefined || seq < Infinity',
  ),
  one(
    'a cut that is learnt may not fall',
    ['frontiers', NEVER_ENDS],
    'store/draft.ts',
    'held.cut <= cut)',
    'held.cut <= Infinity)',
  ),
  one(
    'the clock is not pushed forward by what is admitted',
    ['clock order'],
    'node/hybrid-clock.ts',
    'laterTime(this.#last, this.#options.admitted())',
    'laterTime(this.#last, this.#last)',
  ),
  {
    name: 'after a power cut the old log goes on',
    noticedBy: ['honest logs'],
    changes: [
      {
        file: 'node/writer.ts',
        before: 'return instance === store.instance ? logId : undefined',
        after: "return instance === 'never' ? undefined : logId",
      },
      {
        file: 'node/holdings.ts',
        before: 'if (renewal !== undefined) writer.renew(renewal)',
        after: "if (renewal === 'never') writer.renew(renewal)",
      },
      {
        file: 'node/node.ts',
        before: "if (event.kind === 'own-log-ahead') this.#ownLogAhead(event)",
        after: "if (event.kind === 'own-log-ahead' && event.seq < 0) this.#ownLogAhead(event)",
      },
    ],
  },
  one(
    'a write is acknowledged though the disk refused it',
    ['survival'],
    'node/writer.ts',
    'const result = store.commit({ blocks: [block] }, notes)',
    `const result = (() => {
      try {
        return store.commit({ blocks: [block] }, notes)
      } catch {
        return { kind: 'committed' as const, position: store.position(), blocks: 1 }
      }
    })()`,
  ),
  one(
    'a transaction is written delta by delta',
    ['writes'],
    'node/writing.ts',
    `    this.#conform(records, deltas, options)
    return this.write(deltas, options, notes)`,
    `    this.#conform(records, deltas, options)
    const written: Written[] = []
    for (const delta of deltas) written.push(await this.write([delta], options, notes))
    return { ...(written[0] as Written), deltas: written.flatMap((each) => each.deltas) }`,
  ),
  one(
    'status says in sync with nobody there',
    ['status'],
    'sync/status.ts',
    "if (peers.length === 0) return { kind: 'alone' }",
    "if (peers.length === 0) return { kind: 'in-sync', peers: [], asOfMs: 0 }",
  ),
  one(
    'in sync is said as of the end of a session',
    ['status'],
    'sync/sessions.ts',
    'peers.synced(peer, complete ? startedMs : undefined)',
    'peers.synced(peer, complete ? this.#options.steadyMs() : startedMs && undefined)',
  ),
  one(
    'in sync is said of sessions that were not complete',
    ['status'],
    'sync/sessions.ts',
    'peers.synced(peer, complete ? startedMs : undefined)',
    'peers.synced(peer, complete ? startedMs : startedMs)',
  ),
  one(
    'in sync is measured by the wall clock',
    ['status'],
    'sync/replication.ts',
    'this.#steadyMs = options.steadyMs ?? options.nowMs',
    'this.#steadyMs = options.nowMs',
  ),
  one(
    'negations are not negated',
    ['naive views'],
    'view/lossless.ts',
    'if (standing.has(id)) negated.add(target)',
    'negated.add(target)',
  ),
  one(
    'negations count in the order in which they came',
    ['naive views'],
    'store/reading.ts',
    'if (found.has(negation.id) || !counts(negation)) continue',
    'if (found.has(negation.id) || !counts(negation) || found.size > 0) continue',
  ),
  one(
    'equal times are told apart by arrival',
    ['views'],
    'delta/order.ts',
    'compareText(a.creator, b.creator) ||',
    'a.creator.length - a.creator.length || 1 ||',
  ),
  one(
    'definitions are kept when new ones come',
    ['views', 'kept views'],
    'node/definitions.ts',
    'if (isDefinition(entity)) this.#stale.add(entity)',
    "if (isDefinition(entity) && entity === 'never') this.#stale.add(entity)",
  ),
  one(
    'views are kept when new claims come',
    ['kept views'],
    'query/read-cache.ts',
    'if (slot !== undefined) this.#drop(slot)',
    'if (slot !== undefined && slot.bytes < 0) this.#drop(slot)',
  ),
  one(
    'views are kept when blocks become void',
    ['kept views'],
    'node/freshness.ts',
    "if (change.kind === 'voided') return undefined",
    "if (change.kind === 'voided') continue",
  ),
  one(
    'the cursor passes over a change',
    ['cursor tells all'],
    'store/changes.ts',
    'if (last !== undefined) after = last.position',
    'if (last !== undefined) after = (batch.length > 2 ? last.position + 1 : last.position) as Position',
  ),
  {
    name: 'in sync is said as of when a hello came, and the hello is older than its stream',
    noticedBy: ['status'],
    changes: [
      {
        file: 'sync/sessions.ts',
        before: 'this.#hold(peer, session, openedMs, async',
        after: 'this.#hold(peer, session, openedMs < 0 ? openedMs : this.#options.steadyMs(), async',
      },
      {
        file: 'sync/session.ts',
        before: "this.#isToGreet = options.role === 'initiator'",
        after: "this.#isToGreet = false\n    if (options.role === 'initiator') this.#control.push(this.#hello())",
      },
    ],
  },
  one(
    'causal delivery does not wait for what a block depends on',
    ['delivery order'],
    'node/delivery/causal-course.ts',
    'find((dependency) => !this.#isMet(dependency))',
    'find((dependency) => !this.#isMet(dependency) && dependency.seq < 0)',
  ),
  one(
    'what a void block follows counts as met with it',
    ['delivery order'],
    'node/delivery/causal-course.ts',
    'return seq >= cut && this.#cursorOf(log).seq >= cut',
    'return seq >= cut',
  ),
  one(
    'uniform delivery waits for nobody',
    ['uniform agreement'],
    'node/delivery/majority-gate.ts',
    'if (majority.isReached(place)) return this.#isHeld(block)',
    'if (majority.neededCount >= 0) return this.#isHeld(block)',
  ),
  ofShards(
    'a receipt is given for what a holder has not committed',
    ['shard survival', 'carried', 'reading'],
    'node/everywhere/answers.ts',
    'const [result] = carriers?.carried(shard.id, [run], from) ?? []',
    "const [result] = carriers === undefined ? [] : [{ kind: 'committed' as const }]",
  ),
  ofShards(
    'what is sent to a holder counts as carried without its receipt',
    ['shard survival', 'carried', 'reading'],
    'node/everywhere/carrying.ts',
    "const heard = await ask(shard, 'take', encodeRun(run))",
    "this.#note(shard, log, this.#head(shard, log))\n      const heard = await ask(shard, 'take', encodeRun(run))",
  ),
  ofShards(
    'a gap that a holder tells of is forgotten',
    ['shard survival', 'carried', 'reading'],
    'node/everywhere/carrying.ts',
    "if (textIn(kind) === 'gap') this.#note(shard, log, integerIn(missingFrom) - 1)",
    "if (textIn(kind) === 'gap') this.#note(shard, log, Math.max(integerIn(missingFrom), this.#head(shard, log)))",
  ),
  ofShards(
    'what a holder lost after its receipt is not carried again',
    ['shard survival', 'reading'],
    'node/everywhere/carrying.ts',
    'if (!found.has(`${log} ${hash}`)) this.#note(shard, log, seq - 1)',
    'if (!found.has(`${log} ${hash}`) && seq < 0) this.#note(shard, log, seq - 1)',
  ),
  ofShards(
    'a shard is dropped without asking whether another has it',
    ['last copy', 'shard survival'],
    'node/everywhere/shards.ts',
    'if (!force) await',
    'if (force) await',
  ),
  ofShards(
    'two that drop a shard give each other their word',
    ['last copy', 'shard survival'],
    'node/everywhere/answers.ts',
    "shard.holding === 'apart' || shard.holding === 'dropping'",
    "shard.holding === 'apart'",
  ),
  ofShards(
    'who only takes a shard over answers reads',
    ['reading'],
    'node/everywhere/answers.ts',
    '!WHILE_TAKING.has(word)',
    '!WHILE_TAKING.has(word) && !isWord(word)',
  ),
  ofShards(
    'who took a shard over forgets it in a crash',
    ['shard survival', 'reading'],
    'node/everywhere/shards.ts',
    'store.setNote(heldKey(shard), TAKING)',
    'store.setNote(heldKey(shard), undefined)',
  ),
  ofShards(
    'what is moved to a shard is not taken back in the parent',
    ['moved'],
    'node/everywhere/moving.ts',
    'for (const { claim } of claims) transaction.negate(claim.delta.id)',
    'for (const { claim } of claims.slice(-0)) if (claim.delta.index < 0) transaction.negate(claim.delta.id)',
  ),
  ofShards(
    'the oldest of what was written twice to the parent is left there',
    ['moved'],
    'node/everywhere/moving.ts',
    'for (const { claim } of claims) transaction.negate(claim.delta.id)',
    'for (const { claim } of claims.slice(-1)) transaction.negate(claim.delta.id)',
  ),
]
