/**
 * Lines of a stream. Node's readline ends them at U+2028 and U+2029 as well, which JSON leaves as they are in texts: a value that
 * holds one would be cut in two.
 */

/** Lines that end in LF or CRLF, and nowhere else; the last one may lack its end. Throws what the stream does. */
export async function* linesIn(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  const utf8 = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : utf8.decode(chunk as Uint8Array, { stream: true })
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      yield withoutReturn(rest + text.slice(from, end))
      rest = ''
      from = end + 1
    }
    rest += text.slice(from)
  }
  rest += utf8.decode()
  if (rest !== '') yield withoutReturn(rest)
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
