/**
 * A line of the key-value commands taken apart: words between white space, as the original does it, on bytes. White space is
 * Unicode's, but for the spaces that do not break (U+00A0, U+2007, U+202F). Quotes are bytes like any other.
 */

/** The parts of a line between white space; empty for a blank line. They share the line's memory. */
export function wordsOf(line: Buffer): readonly Buffer[] {
  const words: Buffer[] = []
  let start = -1
  for (let at = 0; at < line.length;) {
    const width = spaceAt(line, at)
    if (width === 0) {
      if (start < 0) start = at
      at++
      continue
    }
    if (start >= 0) words.push(line.subarray(start, at))
    start = -1
    at += width
  }
  if (start >= 0) words.push(line.subarray(start))
  return words
}

/** Bytes of the white space that begins at `at`; 0 when none does. */
function spaceAt(line: Buffer, at: number): number {
  const byte = line[at] as number
  if (byte < 0x80) return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) ? 1 : 0
  if (byte === 0xc2) return line[at + 1] === 0x85 ? 2 : 0
  if (byte < 0xe1 || byte > 0xe3) return 0
  const [second, third] = [line[at + 1] ?? 0, line[at + 2] ?? 0]
  return isWideSpace(byte, second, third) ? 3 : 0
}

/** U+1680, U+2000 to U+200A but U+2007, U+2028, U+2029, U+205F, U+3000. */
function isWideSpace(first: number, second: number, third: number): boolean {
  if (first === 0xe1) return second === 0x9a && third === 0x80
  if (first === 0xe3) return second === 0x80 && third === 0x80
  if (second === 0x81) return third === 0x9f
  if (second !== 0x80) return false
  return (third >= 0x80 && third <= 0x8a && third !== 0x87) || third === 0xa8 || third === 0xa9
}
