/** Splits a stream of bytes into lines of text, in bounded memory whatever it holds. */

import { LINE_BYTES_MAX } from './options.ts'

/** One line, or why it cannot be read; numbered from 1, blank ones included. */
export type Line =
  | { readonly kind: 'text'; readonly number: number; readonly text: string; readonly sizeBytes: number }
  | { readonly kind: 'too large' | 'not UTF-8'; readonly number: number }

const NEWLINE = 0x0a

/** The lines of each chunk together, so that a long stream costs one turn per chunk. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  sizeBytesMax: number = LINE_BYTES_MAX,
): AsyncGenerator<readonly Line[]> {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let parts: Uint8Array[] = []
  let sizeBytes = 0
  let number = 0
  const add = (part: Uint8Array) => {
    sizeBytes += part.length
    // Of a line that is too large, only its end matters.
    if (sizeBytes > sizeBytesMax) parts = []
    else parts.push(part)
  }
  const finish = (): Line => {
    const [only] = parts
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
    const isTooLarge = sizeBytes > sizeBytesMax
    parts = []
    sizeBytes = 0
    number++
    if (isTooLarge) return { kind: 'too large', number }
    try {
      return { kind: 'text', number, text: utf8.decode(bytes), sizeBytes: bytes.length }
    } catch (error) {
      if (error instanceof TypeError) return { kind: 'not UTF-8', number }
      throw error
    }
  }
  for await (const chunk of chunks) {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end))
      lines.push(finish())
      start = end + 1
    }
    if (start < chunk.length) add(chunk.subarray(start))
    if (lines.length > 0) yield lines
  }
  if (sizeBytes > 0) yield [finish()]
}
