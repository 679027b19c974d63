/** Files that are imported: formats found out, types inferred, and for each line that does not parse its number and why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'

import { Columns } from '../../src/cli/columns.ts'
import { type BadLine, type Format, formatOf, parseJson, readRows, type Row } from '../../src/cli/input.ts'

const folder = mkdtempSync(join(tmpdir(), 'rhizome-input-'))
afterAll(() => rmSync(folder, { recursive: true }))
let fileCount = 0

function fileWith(content: string | Uint8Array, extension = ''): string {
  const path = join(folder, `file-${fileCount++}${extension}`)
  writeFileSync(path, content)
  return path
}

async function rowsOf(format: Format, content: string | Uint8Array): Promise<readonly (Row | BadLine)[]> {
  const rows: (Row | BadLine)[] = []
  for await (const row of readRows(fileWith(content), format)) rows.push(row)
  return rows
}

const good = (rows: readonly (Row | BadLine)[]) => rows.flatMap((row) => (row.kind === 'row' ? [row.properties] : []))
const bad = (rows: readonly (Row | BadLine)[]) =>
  rows.flatMap((row) => (row.kind === 'bad' ? [[row.line, row.why] as const] : []))

describe('the format', () => {
  const cases: readonly [content: string, extension: string, format: Format][] = [
    ['x', '.csv', 'csv'],
    ['x', '.TSV', 'csv'],
    ['x', '.jsonl', 'ndjson'],
    ['x', '.ndjson', 'ndjson'],
    ['[{"a":1}]', '', 'json'],
    ['{"a":1}\n{"a":2}\n', '', 'ndjson'],
    ['{"a":1}\n{"a":2}\n', '.json', 'ndjson'],
    ['{\n "a": 1\n}\n', '', 'json'],
    ['{"a":1}\n', '.json', 'json'],
    ['a,b\n1,2\n', '', 'csv'],
    ['\uFEFF[1]', '.txt', 'json'],
  ]
  for (const [content, extension, format] of cases) {
    it(`of ${JSON.stringify(content)} ${extension} is ${format}`, async () => {
      expect(await formatOf(fileWith(content, extension))).toBe(format)
    })
  }

  const noText: readonly [what: string, content: Uint8Array][] = [
    ['random bytes', Uint8Array.of(0x81, 0xfe, 0x13, 0x99)],
    ['zeros', new Uint8Array(8)],
    ['UTF-16', Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le')],
    ['Latin-1', Buffer.from('Größe,b\n1,2\n', 'latin1')],
  ]
  for (const [what, content] of noText) {
    it(`of ${what} is none, whatever the name says`, async () => {
      const message = expect.stringContaining('is not text in UTF-8') as string
      for (const extension of ['', '.csv', '.ndjson', '.json'])
        await expect(formatOf(fileWith(content, extension))).rejects.toMatchObject({ code: 'RZ_CLI_INPUT', message })
    })
  }

  it('is found out where the first line is longer than what is looked at, wherever that ends', async () => {
    for (const lead of ['', 'x', 'xx']) expect(await formatOf(fileWith(`[${lead}${'€'.repeat(30_000)}]`))).toBe('json')
  })

  it('of no file is an error that says so', async () => {
    const message = expect.stringContaining('there is no file') as string
    await expect(formatOf(join(folder, 'none'))).rejects.toMatchObject({ code: 'RZ_CLI_INPUT', message })
    await expect(formatOf(folder)).rejects.toMatchObject({
      message: expect.stringContaining('is a directory') as string,
    })
  })
})

describe('NDJSON', () => {
  it('gives an object a line, nested values kept, blank lines passed over', async () => {
    const rows = await rowsOf('ndjson', '\uFEFF{"a":1,"b":{"c":[null]}}\r\n\n{"a":"é"}')
    expect(good(rows)).toEqual([{ a: 1, b: { c: [null] } }, { a: 'é' }])
    expect(rows.map(({ line }) => line)).toEqual([1, 3])
  })

  it('tells each line that does not parse by its number, and reads the rest', async () => {
    const rows = await rowsOf('ndjson', '{"a":1}\n{"a":\n[1]\n"x"\n{"a":2}\n')
    expect(good(rows)).toEqual([{ a: 1 }, { a: 2 }])
    expect(bad(rows)).toEqual([
      [2, expect.stringMatching(/^not JSON: /)],
      [3, 'not an object'],
      [4, 'not an object'],
    ])
  })

  it('and CSV tell a line that is not UTF-8, which would change as it is read', async () => {
    const latin = (text: string) => Buffer.from(text, 'latin1')
    expect(bad(await rowsOf('ndjson', latin('{"a":1}\n{"a":"é"}\n{"a":2}\n')))).toEqual([[2, 'not UTF-8']])
    const rows = await rowsOf('csv', latin('a,b\n1,é\n2,x\n'))
    expect([bad(rows), good(rows)]).toEqual([[[2, 'not UTF-8']], [{ a: '2', b: 'x' }]])
    await expect(rowsOf('json', latin('[\n{"a":"é"}]'))).rejects.toMatchObject({ code: 'RZ_CLI_INPUT' })
  })

  it('passes over a line beyond 1 MiB, wherever the reads cut it', async () => {
    const rows = await rowsOf('ndjson', `{"a":1}\n{"a":"${'x'.repeat(3 * 1_048_576)}"}\n{"a":2}\n`)
    expect(good(rows)).toEqual([{ a: 1 }, { a: 2 }])
    expect(bad(rows)).toEqual([[2, 'longer than 1048576 bytes']])
  })

  it('reads back whatever was written, wherever the reads cut it', async () => {
    const values = fc.array(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }), {
      maxLength: 9,
    })
    await fc.assert(
      fc.asyncProperty(values, async (objects) => {
        const lines = objects.map((object) => JSON.stringify(object))
        const rows = await rowsOf('ndjson', `${lines.join('\n')}\n`)
        expect(good(rows)).toEqual(lines.map((line) => JSON.parse(line) as unknown))
      }),
      { numRuns: 30 },
    )
  })
})

describe('CSV', () => {
  it('gives an object a record: quotes, line breaks in quotes, other delimiters', async () => {
    expect(good(await rowsOf('csv', '\uFEFFa,b\r\n1,"x, ""y""\nz"\r\n\r\n2,\r\n'))).toEqual([
      { a: '1', b: 'x, "y"\nz' },
      { a: '2', b: '' },
    ])
    expect(good(await rowsOf('csv', 'a;b\n1;2,5\n'))).toEqual([{ a: '1', b: '2,5' }])
    expect(good(await rowsOf('csv', 'a\tb\n1\t2\n'))).toEqual([{ a: '1', b: '2' }])
  })

  it('tells records of the wrong width and with broken quotes by their line, and reads the rest', async () => {
    const rows = await rowsOf('csv', 'a,b\n1,2\n3\n4,5,6\n7,"x"y\n8,9"\n')
    expect(good(rows)).toEqual([
      { a: '1', b: '2' },
      { a: '8', b: '9"' },
    ])
    expect(bad(rows).map(([line]) => line)).toEqual([3, 4, 5])
    expect(bad(rows)[0]?.[1]).toBe('1 cells where the header has 2')
  })

  it('tells a quote that never ends', async () => {
    const rows = await rowsOf('csv', 'a,b\n1,2\n3,"x\n4,5\n')
    expect(good(rows)).toEqual([
      { a: '1', b: '2' },
      { a: '4', b: '5' },
    ])
    expect(bad(rows)).toEqual([[3, 'a quote that never ends']])
  })

  it('reads back what was written by the rules', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'é'), maxLength: 8 })
    const records = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(records, fc.constantFrom('\n', '\r\n'), async (written, lineBreak) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
        const text = [['x', 'y'], ...written].map((cells) => cells.map(quoted).join(',')).join(lineBreak)
        expect(good(await rowsOf('csv', text))).toEqual(written.map(([x, y]) => ({ x, y })))
      }),
      { numRuns: 50 },
    )
  })

  for (const [header, message] of [
    ['a,,c', 'column 2 of the header has no name'],
    ['a,b,a', 'the header has two columns "a"'],
  ] as const) {
    it(`refuses the header ${header}`, async () => {
      await expect(rowsOf('csv', `${header}\n1,2,3\n`)).rejects.toThrow(message)
    })
  }
})

describe('JSON', () => {
  it('is a list of objects, told by their place where they are none', async () => {
    const rows = await rowsOf('json', '[{"a":1}, 2, {"a":[3]}]')
    expect(good(rows)).toEqual([{ a: 1 }, { a: [3] }])
    expect(bad(rows)).toEqual([[2, 'not an object']])
  })

  it('is an object of objects by their ids, or one record', async () => {
    const byId = await rowsOf('json', '{"x":{"a":1},"y":{"a":2}}')
    expect(byId.map((row) => (row.kind === 'row' ? row.key : ''))).toEqual(['x', 'y'])
    expect(good(await rowsOf('json', '{"a":1,"b":{}}'))).toEqual([{ a: 1, b: {} }])
  })

  for (const text of ['[1', '3', '"x"', '']) {
    it(`is refused whole: ${JSON.stringify(text)}`, async () => {
      await expect(rowsOf('json', text)).rejects.toMatchObject({ code: 'RZ_CLI_INPUT' })
    })
  }

  it('keeps an integer that a number cannot hold as its text', () => {
    expect(parseJson('{"a":12345678901234567890,"b":9007199254740991,"c":0.1234567890123456789}')).toEqual({
      a: '12345678901234567890',
      b: 9_007_199_254_740_991,
      c: 0.123_456_789_012_345_68,
    })
  })
})

describe('columns of text', () => {
  const read = (cells: readonly string[]) => {
    const columns = new Columns(true)
    for (const cell of cells) columns.add({ x: cell })
    return { types: columns.summaries()[0]?.types, values: cells.map((cell) => columns.convert({ x: cell })['x']) }
  }

  const cases: readonly [cells: readonly string[], types: string, values: readonly unknown[]][] = [
    [['1', '-2', '0.50', ''], 'number', [1, -2, 0.5, undefined]],
    [['true', 'false'], 'boolean', [true, false]],
    [['true', '1'], 'text', ['true', '1']],
    [['01', '2'], 'text', ['01', '2']],
    [['+1', '2'], 'text', ['+1', '2']],
    [['1e5'], 'text', ['1e5']],
    [['-0', '-0.0'], 'text', ['-0', '-0.0']],
    [['1,5'], 'text', ['1,5']],
    [['9007199254740993'], 'text', ['9007199254740993']],
    [['Infinity'], 'text', ['Infinity']],
    [['TRUE'], 'text', ['TRUE']],
    [[' 1'], 'text', [' 1']],
    [['', ''], 'empty', [undefined, undefined]],
  ]
  for (const [cells, types, values] of cases) {
    it(`${JSON.stringify(cells)} are ${types}`, () => expect(read(cells)).toEqual({ types, values }))
  }

  it('lose nothing: a number is what was written, but for zeros at the end of a fraction', () => {
    const numbers = fc.oneof(
      fc.maxSafeInteger().map(String),
      fc.double({ noNaN: true }).map(String),
      fc.stringMatching(/^-?\d{1,18}(\.\d{1,6})?$/),
    )
    fc.assert(
      fc.property(numbers, (cell) => {
        const [value] = read([cell]).values
        if (typeof value !== 'number') return
        const plain = cell.includes('.') ? cell.replace(/\.?0+$/, '') : cell
        if (!cell.includes('.')) expect(String(value)).toBe(plain)
      }),
    )
  })
})

it('columns of JSON keep their types, and say which they have', () => {
  const columns = new Columns(false)
  for (const row of [{ a: 1, b: null }, { a: '1', b: [2] }, { c: { d: 1 } }]) columns.add(row)
  expect(columns.summaries().map(({ name, types, filledCount }) => [name, types, filledCount])).toEqual([
    ['a', 'number or text', 2],
    ['b', 'list or null', 2],
    ['c', 'object', 1],
  ])
  expect(columns.convert({ a: '1', b: '' })).toEqual({ a: '1', b: '' })
})
