/**
 * Patterns as ECMA-262 writes them (with the u flag), read into a program for `pattern.ts`. Everything that a machine
 * without memory of what it matched can do: no backreferences, no lookaround. Captures are groups, and lazy repetition is
 * repetition, since only whether a text has a match is asked.
 */

import { RhizomeError } from '../../errors.ts'
import { PATTERN_STEPS_MAX, PATTERN_UNITS_MAX } from './limits.ts'

type Takes = (codePoint: number) => boolean

/** `fork` goes on at both; `edge` goes on if the place in the text is one. */
export type Step =
  | { readonly kind: 'take'; readonly takes: Takes }
  | { readonly kind: 'fork'; first: number; second: number }
  | { readonly kind: 'edge'; readonly edge: 'start' | 'end' | 'word' | 'inside' }
  | { readonly kind: 'match' }

/** Emits its steps behind those that are there. */
type Part = (program: Step[]) => void

/** Throws RZ_SCHEMA_PATTERN. */
export function parsePattern(source: string): readonly Step[] {
  if (source.length > PATTERN_UNITS_MAX) throw bad(source, `it is longer than ${PATTERN_UNITS_MAX} characters`)
  const part = new PatternParser(source).whole()
  const program: Step[] = []
  part(program)
  program.push({ kind: 'match' })
  return program
}

export const isWord: Takes = (code) =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
const isDigit: Takes = (code) => code >= 48 && code <= 57
const isSpace: Takes = (code) =>
  (code >= 9 && code <= 13) ||
  code === 0x20 ||
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && code <= 0x200a) ||
  [0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff].includes(code)
const isLineEnd: Takes = (code) => [0x0a, 0x0d, 0x2028, 0x2029].includes(code)
const not =
  (takes: Takes): Takes =>
  (code) =>
    !takes(code)

const CLASSES: { readonly [letter: string]: Takes } = {
  d: isDigit,
  D: not(isDigit),
  s: isSpace,
  S: not(isSpace),
  w: isWord,
  W: not(isWord),
}
const CONTROLS: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13 }

class PatternParser {
  readonly #source: string
  readonly #units: readonly string[]
  #at = 0

  constructor(source: string) {
    this.#source = source
    this.#units = Array.from(source)
  }

  whole(): Part {
    const part = this.#alternatives()
    if (this.#at < this.#units.length) throw this.#bad('there is a ")" too many')
    return part
  }

  #alternatives(): Part {
    const parts = [this.#sequence()]
    while (this.#accept('|')) parts.push(this.#sequence())
    return parts.reduceRight((second, first) => either(first, second))
  }

  #sequence(): Part {
    const parts: Part[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      parts.push(this.#repeated())
    }
    return (program) => {
      for (const part of parts) part(program)
    }
  }

  #repeated(): Part {
    const begin = this.#at
    const part = this.#atom()
    const bounds = this.#bounds()
    if (bounds === undefined) return part
    const isEdge =
      ['^', '$'].includes(this.#units[begin] ?? '') || /^\\[bB]$/.test(this.#units.slice(begin, begin + 2).join(''))
    if (isEdge) throw this.#bad('an edge cannot be repeated')
    this.#accept('?')
    return repeat(part, ...bounds, (program) => this.#checkSize(program))
  }

  #bounds(): readonly [min: number, max: number] | undefined {
    if (this.#accept('*')) return [0, Infinity]
    if (this.#accept('+')) return [1, Infinity]
    if (this.#accept('?')) return [0, 1]
    if (!this.#accept('{')) return undefined
    const [, least, comma, most] = this.#until('}').match(/^(\d{1,6})(,?)(\d{0,6})$/) ?? []
    if (least === undefined) throw this.#bad('"{" begins how often something repeats: {2}, {2,} or {2,5}')
    const min = Number(least)
    const max = most !== '' ? Number(most) : comma === '' ? min : Infinity
    if (max < min) throw this.#bad('a repetition has its bounds the wrong way round')
    return [min, max]
  }

  #atom(): Part {
    const unit = this.#next()
    switch (unit) {
      case '^':
        return edge('start')
      case '$':
        return edge('end')
      case '.':
        return take(not(isLineEnd))
      case '[':
        return take(this.#class())
      case '(':
        return this.#group()
      case '\\':
        return this.#accept('b') ? edge('word') : this.#accept('B') ? edge('inside') : take(this.#escape(false))
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        throw this.#bad(`"${unit}" stands for itself only behind a backslash`)
      default:
        return take(only(codeOf(unit)))
    }
  }

  #group(): Part {
    if (this.#accept('?') && !this.#accept(':')) {
      if (!this.#accept('<') || this.#peek() === '=' || this.#peek() === '!') {
        throw this.#bad('looking ahead and behind takes more than linear time')
      }
      if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(this.#until('>'))) throw this.#bad('a group has a name that is none')
    }
    const part = this.#alternatives()
    if (!this.#accept(')')) throw this.#bad('a "(" is not closed')
    return part
  }

  #class(): Takes {
    const isNegated = this.#accept('^')
    const members: Takes[] = []
    while (!this.#accept(']')) {
      const low = this.#member()
      if (this.#peek() !== '-' || this.#units[this.#at + 1] === ']') {
        members.push(typeof low === 'number' ? only(low) : low)
        continue
      }
      this.#next()
      const high = this.#member()
      if (typeof low !== 'number' || typeof high !== 'number' || high < low) throw this.#bad('a range in [ ] is none')
      members.push((code) => code >= low && code <= high)
    }
    const isMember: Takes = (code) => members.some((member) => member(code))
    return isNegated ? not(isMember) : isMember
  }

  #member(): number | Takes {
    const unit = this.#next()
    if (unit !== '\\') return codeOf(unit)
    if (this.#accept('b')) return 8
    const from = this.#at
    const takes = this.#escape(true)
    // A class of characters is no end of a range.
    const letter = this.#units[from] ?? ''
    return letter in CLASSES || letter === 'p' || letter === 'P' ? takes : this.#lastCode
  }

  #lastCode = 0

  /** What follows a backslash, in or outside of a class. */
  #escape(inClass: boolean): Takes {
    const letter = this.#next()
    const known = Object.hasOwn(CLASSES, letter) ? CLASSES[letter] : undefined
    if (known !== undefined) return known
    if (letter === 'p' || letter === 'P') return this.#property(letter === 'P')
    this.#lastCode = this.#escapedCode(letter, inClass)
    return only(this.#lastCode)
  }

  #escapedCode(letter: string, inClass: boolean): number {
    const control = Object.hasOwn(CONTROLS, letter) ? CONTROLS[letter] : undefined
    if (control !== undefined) return control
    if (letter === 'c') return this.#match(/^[A-Za-z]$/, 1).charCodeAt(0) % 32
    if (letter === 'x') return Number.parseInt(this.#match(/^[0-9A-Fa-f]{2}$/, 2), 16)
    if (letter === 'u') return this.#unicode()
    if (letter === '0' && !/^\d/.test(this.#peek() ?? '')) return 0
    if (/^\d$/.test(letter)) throw this.#bad('references to what was matched take more than linear time')
    if (letter === 'k' && !inClass) throw this.#bad('references to what was matched take more than linear time')
    if (/^[A-Za-z]$/.test(letter)) throw this.#bad(`"\\${letter}" has no meaning`)
    return codeOf(letter)
  }

  #unicode(): number {
    if (this.#accept('{')) {
      const digits = this.#until('}')
      const code = /^[0-9A-Fa-f]{1,8}$/.test(digits) ? Number.parseInt(digits, 16) : Infinity
      if (code > 0x10ffff) throw this.#bad(`"\\u{${digits}}" is no character`)
      return code
    }
    const high = Number.parseInt(this.#match(/^[0-9A-Fa-f]{4}$/, 4), 16)
    const next = this.#units.slice(this.#at, this.#at + 6).join('')
    const low = /^\\u[dD][c-fC-F][0-9A-Fa-f]{2}$/.test(next) ? Number.parseInt(next.slice(2), 16) : undefined
    if (high < 0xd800 || high > 0xdbff || low === undefined) return high
    this.#at += 6
    return (high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000
  }

  /** A Unicode property. The engine's own table of it is asked about one character at a time. */
  #property(isNegated: boolean): Takes {
    const name = this.#accept('{') ? this.#until('}') : ''
    if (!/^\w{1,40}(=\w{1,40})?$/.test(name)) throw this.#bad('"\\p" takes the name of a property in braces')
    let table: RegExp
    try {
      table = new RegExp(`^\\p{${name}}$`, 'u')
    } catch {
      throw this.#bad(`Unicode has no property "${name}"`)
    }
    return (code) => table.test(String.fromCodePoint(code)) !== isNegated
  }

  #match(form: RegExp, count: number): string {
    const text = this.#units.slice(this.#at, this.#at + count).join('')
    if (!form.test(text)) throw this.#bad('an escape is not complete')
    this.#at += count
    return text
  }

  #until(end: string): string {
    const close = this.#units.indexOf(end, this.#at)
    if (close < 0) throw this.#bad(`a "${end}" is missing`)
    const text = this.#units.slice(this.#at, close).join('')
    this.#at = close + 1
    return text
  }

  #peek(): string | undefined {
    return this.#units[this.#at]
  }

  #next(): string {
    const unit = this.#units[this.#at++]
    if (unit === undefined) throw this.#bad('it ends too early')
    return unit
  }

  #accept(unit: string): boolean {
    const isNext = this.#peek() === unit
    if (isNext) this.#at++
    return isNext
  }

  #checkSize(program: readonly Step[]): void {
    if (program.length > PATTERN_STEPS_MAX) throw this.#bad(`it repeats too much: more than ${PATTERN_STEPS_MAX} steps`)
  }

  #bad(why: string): RhizomeError {
    return bad(this.#source, why)
  }
}

function codeOf(unit: string): number {
  return unit.codePointAt(0) ?? 0
}

function only(code: number): Takes {
  return (other) => other === code
}

function take(takes: Takes): Part {
  return (program) => void program.push({ kind: 'take', takes })
}

function edge(kind: Extract<Step, { readonly kind: 'edge' }>['edge']): Part {
  return (program) => void program.push({ kind: 'edge', edge: kind })
}

function either(first: Part, second: Part): Part {
  return (program) => {
    const fork = forkAt(program)
    first(program)
    // Over the second: a fork whose both ways are the same.
    const over = forkAt(program)
    fork.second = program.length
    second(program)
    over.first = over.second = program.length
  }
}

function repeat(part: Part, min: number, max: number, check: (program: readonly Step[]) => void): Part {
  return (program) => {
    for (let count = 0; count < min; count++) {
      const before = program.length
      part(program)
      check(program)
      // What takes nothing takes nothing, however often.
      if (program.length === before) break
    }
    if (max === Infinity) {
      const loop = program.length
      const fork = forkAt(program)
      part(program)
      const back = forkAt(program)
      back.first = back.second = loop
      fork.second = program.length
    } else {
      const forks: Fork[] = []
      for (let count = min; count < max; count++) {
        forks.push(forkAt(program))
        part(program)
        check(program)
      }
      for (const fork of forks) fork.second = program.length
    }
    check(program)
  }
}

type Fork = Extract<Step, { readonly kind: 'fork' }>

/** A fork that goes on behind itself; its other way is set once it is known. */
function forkAt(program: Step[]): Fork {
  const fork: Fork = { kind: 'fork', first: program.length + 1, second: program.length + 1 }
  program.push(fork)
  return fork
}

function bad(source: string, why: string): RhizomeError {
  const shown = source.length > 60 ? `${source.slice(0, 60).toWellFormed()}…` : source.toWellFormed()
  return new RhizomeError('RZ_SCHEMA_PATTERN', `the pattern ${JSON.stringify(shown)} cannot be used: ${why}`)
}
