/** Laws of the parser, and what completion is told. The hundred thousand inputs are `npm run fuzz:text`. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileLine } from '../../src/text/compile.ts'
import { expectedNext } from '../../src/text/completion.ts'
import { LineSplitter } from '../../src/text/line-splitter.ts'
import { expectedAfter } from '../../src/text/parse.ts'
import { wordsOf } from '../../src/text/words.ts'
import { anyLine, fuzzOne, nearStatement } from './lines.ts'

describe('any line', () => {
  it('is a statement or a fault within it, whatever it holds', () => {
    fc.assert(
      fc.property(anyLine, (line) => fuzzOne(line)),
      { numRuns: 3_000 },
    )
  })

  it('that is nearly a statement, too', () => {
    fc.assert(
      fc.property(nearStatement, (line) => fuzzOne(line)),
      { numRuns: 3_000 },
    )
  })

  it('as long as one may be takes time in proportion to its length', () => {
    for (const unit of ['[', '{"a":', '"', 'a,', 'a=', ' ', '[],', 'join b on ', '\\', '1', 'é']) {
      for (const head of ['', 'select ', 'insert ', 'insert [', 'insert "', 'select from a ']) {
        const line = head + unit.repeat(Math.floor(1_048_576 / unit.length) - head.length)
        expect(() => fuzzOne(line)).not.toThrow()
      }
    }
  })
})

describe('lines in a stream of bytes', () => {
  it('are the same however the stream is cut', () => {
    const bytes = fc
      .uint8Array({ maxLength: 200 })
      .map((array) => array.map((byte) => (byte % 5 === 0 ? 10 : byte % 7 === 0 ? 13 : byte)))
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (stream, sizes) => {
        const whole = split([stream])
        const parts: Uint8Array[] = []
        for (let at = 0, part = 0; at < stream.length; part++) {
          const size = sizes[part % sizes.length] ?? 1
          parts.push(stream.subarray(at, at + size))
          at += size
        }
        expect(split(parts)).toEqual(whole)
      }),
    )
  })

  it('hold no longer line than is allowed', () => {
    expect(split([Buffer.from('12345678\r\n123456789\n12345678\n')], 8)).toEqual(['12345678', 'too long', '12345678'])
    expect(
      split(
        [Buffer.from('1234'), Buffer.from('5678\r'), Buffer.from('\n9'), Buffer.from('12345678'), Buffer.from('\nx\n')],
        8,
      ),
    ).toEqual(['12345678', 'too long', 'x'])
  })
})

describe('words', () => {
  it('are what stands between white space', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', '"', 'é', '\u00A0', '\u2007', '\u202F', '😀', '\u0000'),
      minLength: 1,
    })
    const space = fc.string({
      unit: fc.constantFrom(' ', '\t', '\u000B', '\u0085', '\u1680', '\u2003', '\u2028', '\u205F', '\u3000'),
      minLength: 1,
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(space, word)), fc.oneof(space, fc.constant('')), (pairs, last) => {
        const line = Buffer.from(pairs.map(([before, text]) => before + text).join('') + last)
        expect(wordsOf(line).map(String)).toEqual(pairs.map(([, text]) => text))
      }),
    )
  })
})

describe('what may follow', () => {
  const after = (line: string) =>
    expectedAfter(line).map((each) => (each.kind === 'word' ? each.word : `<${each.name}>`))

  it.each([
    ['', ['insert', 'select', 'delete', 'query', 'tags', 'peers', 'topics', 'use']],
    ['select ', ['from', '*', '<column>']],
    ['select name ', ['as', ',', 'from']],
    ['select from ', ['<container>']],
    ['select from dog ', ['as', 'entity', 'left', 'semi', 'anti', 'join', 'where', 'order', 'limit']],
    ['select from dog where ', ['<rule>']],
    ['select from dog order by age ', ['descending', 'desc', ',', 'limit']],
    ['select from dog join owner on dog.owner ', ['=']],
    ['insert [0] into ', ['<container>']],
    ['insert [0] ', ['into']],
    ['delete ', ['from', '<record>']],
    ['use ', ['<topic>']],
    ['tags ', []],
    ['nonsense ', []],
    ['insert [0] dog ', []],
  ] as const)('%j', (line, wanted) => {
    expect(after(line)).toEqual(wanted)
  })
})

describe('what a shell offers next', () => {
  it.each([
    ['', ['insert', 'PUT', 'WATCH']],
    ['GET ', ['container']],
    ['GET shopping ', ['key of shopping']],
    ['PUT shopping milk ', []],
    ['CREATE ', []],
    ['delete ', ['from', 'record']],
    ['select ', ['from', 'column of ']],
    ['select from dog join owner on ', ['column of dog, owner']],
    ['select from "dog" order by ', ['column of dog']],
    ['insert "into } ', []],
  ] as const)('behind %j', (line, wanted) => {
    const offered = expectedNext(line).map((each) => {
      if (each.kind === 'word') return each.word
      if (each.kind === 'key') return `key of ${each.container}`
      return each.kind === 'column' ? `column of ${each.containers.join(', ')}` : each.kind
    })
    expect(offered).toEqual(expect.arrayContaining([...wanted]))
    if (wanted.length === 0) expect(offered).toEqual([])
  })
})

describe('a statement', () => {
  it('becomes the JSON form of a query', () => {
    const line =
      'select d.name, o.name as owner from dog as d entity who join owner as o on d.owner = o.id where {"==":[1,1]} order by name descending, o.name limit 3'
    expect(compileLine(line)).toMatchObject({
      statement: {
        kind: 'rows',
        rowsMax: 3,
        query: {
          order: {
            project: {
              select: {
                join: [
                  { collection: 'dog', as: 'd', entity: 'who' },
                  { collection: 'owner', as: 'o' },
                ],
                on: [['d.owner', 'o.id']],
              },
              where: { '==': [1, 1] },
            },
            columns: { name: { var: 'd.name' }, owner: { var: 'o.name' } },
          },
          by: [{ descending: 'name' }, 'owner'],
        },
      },
    })
  })
})

function split(parts: readonly Uint8Array[], lineBytesMax = 1_000): readonly string[] {
  const splitter = new LineSplitter()
  const lines: string[] = []
  for (const part of parts) {
    splitter.push(Buffer.from(part))
    for (let line = splitter.next(lineBytesMax); line !== undefined; line = splitter.next(lineBytesMax)) {
      lines.push(line === 'too long' ? line : line.toString('latin1'))
    }
  }
  return lines
}
