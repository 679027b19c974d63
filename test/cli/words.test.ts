/** The small words of the command line: properties of `put`, the nearest name, addresses and paths, unseen characters. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseAssignments, parseRecordName } from '../../src/cli/assignment.ts'
import { shellWord, shortAddress, shortId, shortPath, shortTyped, withoutPeer } from '../../src/cli/paths.ts'
import { editDistance, nearest } from '../../src/node/nearest.ts'
import { type DeltaJson, deltaLine } from '../../src/cli/tail.ts'
import { counted, visible, wrapped } from '../../src/cli/terminal.ts'

describe('a property', () => {
  const forms: readonly [word: string, properties: object][] = [
    ['name=Alice', { name: 'Alice' }],
    ['name=', { name: '' }],
    ['age=3', { age: '3' }],
    ['age:=3', { age: 3 }],
    ['nothing:=null', { nothing: null }],
    ['tags:=["a",{"b":1}]', { tags: ['a', { b: 1 }] }],
    ['url=http://x/?a=b:=c', { url: 'http://x/?a=b:=c' }],
    ['a:b=c', { 'a:b': 'c' }],
    ['__proto__=x', Object.fromEntries([['__proto__', 'x']])],
  ]
  for (const [word, properties] of forms) it(word, () => expect(parseAssignments([word])).toEqual(properties))

  const faults: readonly [words: readonly string[], message: string][] = [
    [[], 'give at least one property'],
    [['name'], '"name" is no property: write name=Alice'],
    [['=x'], '"=x" is no property'],
    [[':=3'], '":=3" is no property'],
    [['age:=three'], 'age:=three is not JSON: for a text write age=three'],
    [['a=1', 'a=2'], '"a" is given twice'],
  ]
  for (const [words, message] of faults) {
    it(`is refused: ${words.join(' ') || 'none'}`, () => expect(() => parseAssignments(words)).toThrow(message))
  }
})

describe('a record', () => {
  it('has its id behind the first slash', () => {
    expect(parseRecordName('user/a/b')).toEqual({ collection: 'user', id: 'a/b' })
  })
  for (const text of ['user', '/alice', 'user/', '']) {
    it(`is not ${JSON.stringify(text)}`, () => expect(() => parseRecordName(text)).toThrow('write collection/id'))
  }
})

describe('the nearest word', () => {
  it('is found over insertions, deletions, substitutions and swaps', () => {
    for (const typed of ['topicc', 'topc', 'tobic', 'tpoic', 'TOPIC'])
      expect(nearest(typed, ['peer', 'topic'])).toBe('topic')
  })
  it('is none when nothing is near', () => expect(nearest('zzzzzz', ['peer', 'topic'])).toBeUndefined())
  it('is by a distance that is symmetric, and zero exactly for the same word', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })
})

describe('what people read', () => {
  it('addresses are host and port where that says it all', () => {
    expect(shortAddress('/ip4/10.0.0.1/tcp/4000/p2p/12D3KooWx')).toBe('10.0.0.1:4000')
    expect(shortAddress('/ip6/::1/tcp/4000')).toBe('[::1]:4000')
    expect(shortAddress('/dns4/example.org/tcp/1')).toBe('example.org:1')
    expect(shortAddress('/dns/example.org/tcp/443/wss/p2p/12D3KooWx')).toBe('wss://example.org:443')
    expect(shortTyped('wss://example.org', 4_000)).toBe('wss://example.org:443')
    expect(shortAddress('/ip4/10.0.0.1/tcp/1/p2p/12D3KooWx/p2p-circuit/p2p/12D3KooWy')).toBe('relay 10.0.0.1:1')
    expect(shortAddress('/ip4/10.0.0.1/udp/1/quic-v1')).toBe('/ip4/10.0.0.1/udp/1/quic-v1')
    expect(withoutPeer('/ip4/10.0.0.1/tcp/4000/p2p/12D3KooWx')).toBe('/ip4/10.0.0.1/tcp/4000')
  })

  it('paths in the home folder begin with ~, others do not', () => {
    expect(shortPath('/h/me/x', '/h/me')).toBe('~/x')
    expect(shortPath('/h/mechanic', '/h/me')).toBe('/h/mechanic')
  })

  it('words for a shell are quoted when they must be', () => {
    expect(['a-b/c:4000', "it's a", '$x'].map(shellWord)).toEqual(['a-b/c:4000', `'it'\\''s a'`, "'$x'"])
  })

  it('ids are told by their end, for the beginning is the same for all', () => {
    expect(shortId(`12D3KooW${'x'.repeat(36)}abcdefgh`)).toBe('…abcdefgh')
  })

  it('long lines break between words, and what cannot be broken stays whole', () => {
    expect(wrapped('one two three four', 9, 2)).toEqual(['one two', '  three', '  four'])
    expect(wrapped('a http://very.long/word b', 8, 2)).toEqual(['a', '  http://very.long/word', '  b'])
    expect(wrapped('\u001B[32mone\u001B[39m two', 7, 2)).toEqual(['\u001B[32mone\u001B[39m two'])
  })

  it('counts are grouped, and one is one', () => {
    expect([counted(0, 'row'), counted(1, 'row'), counted(1_234_567, 'row')]).toEqual([
      '0 rows',
      '1 row',
      '1,234,567 rows',
    ])
  })

  it('nothing that a peer says can move the cursor, colour the screen or turn the text', () => {
    expect(visible('a\u001B[31mb\r\n\tc\u009B1m\u202Ed')).toBe('a\\u001b[31mb\\u000d\\n\\tc\\u009b1m\\u202ed')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/)
      }),
    )
  })
})

describe('a delta in tail', () => {
  const line = (...pointers: DeltaJson['pointers']) => {
    const creator = `12D3KooW${'x'.repeat(36)}abcdefgh`
    const delta = { cursor: '', id: '', time: { ms: 0, counter: 0 }, creator, pointers }
    return deltaLine(delta, (_style, text) => text)
      .split('  ')
      .slice(2)
      .join('  ')
  }
  const about = { localContext: 'user', target: 'user/alice', targetContext: 'age' }
  const cases: readonly [pointers: DeltaJson['pointers'], text: string][] = [
    [[about, { localContext: 'age', target: 3 }], 'user/alice age := 3'],
    [[about, { localContext: 'age', target: 'three' }], 'user/alice age = three'],
    [[{ localContext: 'negates', target: 'x/0', targetContext: 'negated_by' }], 'negates x/0'],
    [[{ localContext: 'a', target: 'b' }], 'a = b'],
    [[about, { localContext: 'salary', target: 1 }], 'user → user/alice (age), salary := 1'],
  ]
  for (const [pointers, text] of cases) it(`is told as ${text}`, () => expect(line(...pointers)).toBe(text))
})
