/** Functions in tests: started to be closed after the test, and waited for. */

import { onTestFinished } from 'vitest'
import {
  type Delta,
  type DeltaFunction,
  type FunctionEvent,
  type FunctionOptions,
  type Handler,
  isReference,
  type Namespace,
  type RhizomeNode,
} from '../../src/index.ts'
import { until } from './nodes.ts'

/** Entity, property and value of a delta that `put` wrote. */
export function said({ pointers: [about, value] }: Delta): readonly unknown[] {
  return about !== undefined && isReference(about) ? [about.target, about.targetContext, value?.target] : []
}

/** Starts a function that is closed after the test. */
export function start(users: Namespace, options: Partial<FunctionOptions>, handler: Handler): DeltaFunction {
  const started = users.on({ name: 'f', retryMs: 1, ...options }, handler)
  onTestFinished(() => started.close())
  return started
}

/** Resolves once a function has dealt with all that there is. */
export function caughtUp(started: DeltaFunction): Promise<unknown> {
  return until('the function has caught up', () => started.status().lag === 0)
}

/** What is told of functions from now on. */
export function functionEvents(node: RhizomeNode): readonly (FunctionEvent & { readonly name: string })[] {
  const events: (FunctionEvent & { readonly name: string })[] = []
  node.onEvent((event) => {
    if (event.kind === 'function') events.push({ ...event.event, name: event.name })
  })
  return events
}
