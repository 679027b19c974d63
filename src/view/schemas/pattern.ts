/**
 * Whether a text has a match of a pattern, in time linear in the text: all ways through the program are followed at once
 * (K. Thompson, "Regular expression search algorithm", 1968), so no pattern makes it go back.
 */

import { GAS_PATTERN_STATES } from './limits.ts'
import { isWord, parsePattern, type Step } from './pattern-parse.ts'
import type { Run } from './run.ts'

export interface Pattern {
  /** Steps of its program. */
  readonly stepsCount: number
  /** Throws RZ_SCHEMA_GAS. */
  readonly isIn: (text: string, run: Run) => boolean
}

/** Throws RZ_SCHEMA_PATTERN. */
export function compilePattern(source: string): Pattern {
  const program = parsePattern(source)
  return { stepsCount: program.length, isIn: (text, run) => new Search(program, run).isIn(Array.from(text, codeOf)) }
}

const codeOf = (unit: string) => unit.codePointAt(0) ?? 0

class Search {
  readonly #program: readonly Step[]
  readonly #run: Run
  /** For each step the last place in the text at which it was reached: each is followed once for each place. */
  readonly #reachedAt: Int32Array
  #visited = 0

  constructor(program: readonly Step[], run: Run) {
    this.#program = program
    this.#run = run
    this.#reachedAt = new Int32Array(program.length).fill(-1)
  }

  isIn(codes: readonly number[]): boolean {
    let taking: number[] = []
    for (let at = 0; at <= codes.length; at++) {
      const next: number[] = []
      // A match may begin anywhere.
      const begins = [...taking, 0]
      for (const step of begins) if (this.#follow(step, at, codes, next)) return true
      this.#run.spend(1 + Math.floor(this.#visited / GAS_PATTERN_STATES))
      this.#visited = 0
      const code = codes[at]
      if (code === undefined) return false
      taking = next.filter((index) => {
        const step = this.#program[index]
        return step?.kind === 'take' && step.takes(code)
      })
      taking = taking.map((index) => index + 1)
    }
    return false
  }

  /** Goes on from a step to all that take a character; true at a match. */
  #follow(from: number, at: number, codes: readonly number[], takes: number[]): boolean {
    const open = [from]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const step = this.#program[index]
      if (step === undefined || this.#reachedAt[index] === at) continue
      this.#reachedAt[index] = at
      this.#visited++
      if (step.kind === 'match') return true
      if (step.kind === 'take') takes.push(index)
      else if (step.kind === 'fork') open.push(step.first, step.second)
      else if (isEdge(step.edge, at, codes)) open.push(index + 1)
    }
    return false
  }
}

function isEdge(edge: Extract<Step, { readonly kind: 'edge' }>['edge'], at: number, codes: readonly number[]): boolean {
  if (edge === 'start') return at === 0
  if (edge === 'end') return at === codes.length
  const isBoundary = isWordAt(codes, at - 1) !== isWordAt(codes, at)
  return isBoundary === (edge === 'word')
}

function isWordAt(codes: readonly number[], at: number): boolean {
  const code = codes[at]
  return code !== undefined && isWord(code)
}
