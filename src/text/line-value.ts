/**
 * Values as the words and lines of the protocol: a word that is UTF-8 is a text, any other is bytes, and both come back as
 * they were put, byte for byte. Whatever no PUT can have written is shown as JSON, so that an answer is one line always.
 */

import { isUtf8 } from 'node:buffer'
import type { Value } from '../delta/delta.ts'
import { toJson } from '../delta/json.ts'

const LF = 0x0a
const CR = 0x0d

export function valueOf(word: Buffer): Value {
  return isUtf8(word) ? word.toString('utf8') : new Uint8Array(word)
}

/** Text, or bytes that are none; without an end of line in either. */
export function lineOf(value: Value): string | Buffer {
  if (typeof value === 'string') return textLine(value)
  if (value instanceof Uint8Array && !isUtf8(value) && !value.includes(LF) && !value.includes(CR)) {
    return Buffer.from(value.buffer, value.byteOffset, value.length)
  }
  return JSON.stringify(toJson(value))
}

/** A text as it is, or as JSON where it would be more than a line. */
export function textLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? JSON.stringify(text) : text
}
