/** A namespace "app" of a node in memory, closed when the test is done with it. */

import type { Namespace } from '../../src/node/namespace.ts'
import { openNode, type RhizomeNode } from '../../src/node/node.ts'

export async function withApp<Result>(
  work: (app: Namespace, node: RhizomeNode) => Promise<Result>,
  options: { readonly keep?: boolean } = {},
): Promise<Result> {
  await using node = await openNode({ topics: ['app'], memory: true, network: false, ...options })
  return await work(node.namespace('app'), node)
}

/** Hands all that one namespace holds to another, in one go. */
export async function copyDeltas(from: Namespace, to: Namespace): Promise<void> {
  for await (const { delta } of from.deltas({ live: false })) await to.append(delta.pointers)
}

/** The code with which it is refused. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error)
  }
  throw new Error('it was not refused')
}
