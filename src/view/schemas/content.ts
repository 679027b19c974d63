/** Values told apart by their content: two have the same key exactly if JSON Schema holds them equal. Linear, and paid for. */

import type { Value } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { isList } from '../../delta/value.ts'
import type { Run } from './run.ts'

/** Without a run nobody pays: for values of a schema itself, whose size is bounded. */
export function contentKey(value: Value, run?: Run): string {
  switch (typeof value) {
    case 'string':
      run?.spendText(value.length)
      return JSON.stringify(value)
    case 'number':
      run?.spend(1)
      return String(value + 0)
    case 'boolean':
      run?.spend(1)
      return String(value)
    case 'object': {
      if (value === null) return 'null'
      if (value instanceof Uint8Array) {
        run?.spendText(value.length)
        return `bytes:${Buffer.from(value).toString('hex')}`
      }
      if (isList(value)) {
        run?.spend(1 + value.length)
        return `[${value.map((item) => contentKey(item, run)).join(',')}]`
      }
      const entries = Object.entries(value)
      run?.spend(1 + 8 * entries.length)
      entries.sort(([a], [b]) => compareUtf8(a, b))
      return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${contentKey(item, run)}`).join(',')}}`
    }
    default:
      return value satisfies never
  }
}

export type Type = 'null' | 'boolean' | 'number' | 'string' | 'bytes' | 'array' | 'object'

export function typeOf(value: Value): Type {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value as 'boolean' | 'number' | 'string'
  if (value instanceof Uint8Array) return 'bytes'
  return isList(value) ? 'array' : 'object'
}

/** The entries of a plain object; undefined for any other value. */
export function objectOf(value: Value): { readonly [key: string]: Value } | undefined {
  return typeOf(value) === 'object' ? (value as { readonly [key: string]: Value }) : undefined
}
