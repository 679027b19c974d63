/** JSON bodies as their text says them; what is no JSON is told with the place where it stops being so. */

import { RhizomeError } from '../errors.ts'

/** Throws RZ_HTTP_INPUT. Members may have any name: they are only ever copied as own keys. */
export function parseBody(text: string): unknown {
  if (text === '') throw new RhizomeError('RZ_HTTP_INPUT', 'the body is empty, and this route takes JSON')
  try {
    return JSON.parse(text)
  } catch (cause) {
    const why = String(cause)
      .replace(/^SyntaxError: /, '')
      .replace(/ \((line \d+ column \d+)\)$/, ', $1')
    throw new RhizomeError('RZ_HTTP_INPUT', `the body is not JSON: ${why}`, { cause })
  }
}
