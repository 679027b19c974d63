/**
 * What is typed after `put`: `name=Alice` gives a text, `age:=3` a JSON value. Refuses everything else with RZ_CLI_USAGE.
 * The forms are those of HTTPie, which many fingers know.
 */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'

/** Records are named `collection/id`; only the first slash separates. */
export function parseRecordName(text: string): { readonly collection: string; readonly id: string } {
  const slash = text.indexOf('/')
  if (slash > 0 && slash < text.length - 1) return { collection: text.slice(0, slash), id: text.slice(slash + 1) }
  throw usage(`"${text}" is no record: write collection/id, such as user/alice`)
}

/** Properties by name. A name given twice is refused: only one of the two could be kept. */
export function parseAssignments(words: readonly string[]): Readonly<Record<string, Json>> {
  if (words.length === 0) throw usage('give at least one property: name=Alice for a text, age:=3 for JSON')
  const properties = new Map<string, Json>()
  for (const word of words) {
    const [property, value] = parseAssignment(word)
    if (properties.has(property)) throw usage(`"${property}" is given twice: for a list write ${property}:='["a","b"]'`)
    properties.set(property, value)
  }
  return Object.fromEntries(properties)
}

function parseAssignment(word: string): [string, Json] {
  const equals = word.indexOf('=')
  const isJson = word[equals - 1] === ':'
  const property = word.slice(0, isJson ? equals - 1 : equals)
  if (equals < 0 || property === '') {
    throw usage(`"${word}" is no property: write name=Alice for a text, age:=3 for a number or other JSON`)
  }
  const value = word.slice(equals + 1)
  return [property, isJson ? parseJson(property, value) : value]
}

function parseJson(property: string, text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    const message = `${property}:=${text} is not JSON: for a text write ${property}=${text}`
    throw new RhizomeError('RZ_CLI_USAGE', message, { cause })
  }
}

function usage(message: string): RhizomeError {
  return new RhizomeError('RZ_CLI_USAGE', message)
}
