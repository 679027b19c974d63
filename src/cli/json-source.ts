/** JSON as a word of the command line: itself, the name of a file that holds it (also behind @), or - for stdin. */

import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'

/** `what` names it in errors. Throws RZ_CLI_INPUT. */
export async function readJson(word: string, stdin: NodeJS.ReadableStream, what: string): Promise<Json> {
  if (word.trimStart().startsWith('{')) return parseJson(word, what)
  const path = word.startsWith('@') ? word.slice(1) : word
  return parseJson(await readSource(path, stdin), path)
}

/** Throws RZ_CLI_INPUT. */
export function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw new RhizomeError('RZ_CLI_INPUT', `${what} is not JSON: ${String(cause)}`, { cause })
  }
}

async function readSource(path: string, stdin: NodeJS.ReadableStream): Promise<string> {
  try {
    return path === '-' ? await readAll(stdin) : await readFile(path, 'utf8')
  } catch (cause) {
    throw new RhizomeError('RZ_CLI_INPUT', `${path} cannot be read: ${String(cause)}`, { cause })
  }
}
