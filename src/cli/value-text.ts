/** Values, outcomes and times as cells of tables. */

import type { Json } from '../delta/json.ts'

/** A value, an error, or nothing at all, as the HTTP API writes it. */
export interface OutcomeJson {
  readonly value?: Json
  readonly error?: { readonly code: string; readonly message: string }
}

/** A text as it is where that is plain to see, else JSON. */
export function valueText(value: Json): string {
  const isPlain = typeof value === 'string' && value !== '' && value.trim() === value && !isJson(value)
  return isPlain ? value : JSON.stringify(value)
}

export function outcomeText({ value, error }: OutcomeJson): string {
  if (error !== undefined) return `${error.code}: ${error.message}`
  return value === undefined ? '-' : valueText(value)
}

/** In UTC, as `--as-of` takes it back. */
export function timeText({ ms }: { readonly ms: number }): string {
  return new Date(ms).toISOString()
}

/** Texts that would be read as something else without their quotes. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
