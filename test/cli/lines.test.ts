import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linesIn } from '../../src/cli/lines.ts'

function read(chunks: readonly (string | Uint8Array)[]): Promise<string[]> {
  return Array.fromAsync(linesIn(Readable.from(chunks)))
}

it('lines end in LF or CRLF, and the last one may lack its end', async () => {
  expect(await read(['a\nb\r\n', '\nc'])).toEqual(['a', 'b', '', 'c'])
  expect(await read(['a\r', '\n', 'b\n'])).toEqual(['a', 'b'])
  expect(await read([])).toEqual([])
})

it('a text of JSON may hold whatever ends a line elsewhere', async () => {
  const text = JSON.stringify({ value: 'one\u2028two\u2029three\u0085four\u000bfive' })
  expect((await read([`${text}\n`])).map((line) => JSON.parse(line) as unknown)).toEqual([JSON.parse(text)])
})

it('lines are the same however the bytes are cut', async () => {
  const line = fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text))
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 5 }), fc.integer({ min: 1, max: 7 }), async (lines, size) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''))
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      expect(await read(chunks)).toEqual(lines)
    }),
  )
})

it('a stream that breaks off throws what it does', async () => {
  const broken = Readable.from(
    (async function* () {
      yield 'a\nb'
      await Promise.resolve()
      throw new Error('gone')
    })(),
  )
  await expect(Array.fromAsync(linesIn(broken))).rejects.toThrow('gone')
})
