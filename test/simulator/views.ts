/** All that a node shows of a namespace, as text that compares: lossless, lossy, in each context. */

import { toJson } from '../../src/delta/json.ts'
import type { Namespace } from '../../src/node/namespace.ts'
import type { ViewOptions } from '../../src/node/views.ts'

/** Ids of the contexts that histories write. */
export const CONTEXTS = ['x', 'y'] as const

export interface AllViews {
  readonly lossless: string
  readonly lossy: string
  /** By context; undefined where it is not defined. */
  readonly contexts: readonly (string | undefined)[]
}

export function allViews(namespace: Namespace, options: Pick<ViewOptions, 'asOf'> = {}): AllViews {
  return {
    lossless: textOf([...namespace.losslessAll(options)]),
    lossy: textOf([...namespace.viewAll(options)]),
    contexts: CONTEXTS.map((context) => {
      const isDefined = namespace.view('context', context, { ...options, context: false }) !== undefined
      return isDefined ? textOf([...namespace.viewAll({ ...options, context })]) : undefined
    }),
  }
}

function textOf(views: readonly unknown[]): string {
  return JSON.stringify(views, (_, value: unknown) => (value instanceof Uint8Array ? toJson(value) : value))
}
