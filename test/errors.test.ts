/** Error codes are API: the table of src/errors.ts, the page src/ERRORS.md and the tests must agree. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { assert, ERROR_CODES, RhizomeError } from '../src/errors.ts'
import { readTable } from './support/house.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const documented = readTable(readFileSync(join(root, 'src', 'ERRORS.md'), 'utf8'))

describe('error codes', () => {
  it('are told apart', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length)
  })

  it('are each documented in src/ERRORS.md, once, and no others are', () => {
    const codes = documented.map(([code = '']) => code)
    expect(codes.sort()).toEqual([...ERROR_CODES].sort())
  })

  it('say in src/ERRORS.md what happened, why, and what to do', () => {
    const incomplete = documented.filter((cells) => cells.length !== 4 || cells.includes(''))
    expect(incomplete.map(([code]) => code)).toEqual([])
  })

  it('are each named by a test of the room that raises them', () => {
    const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && path !== 'errors.test.ts')
      .map((path) => readFileSync(join(root, 'test', path), 'utf8'))
    const untested = ERROR_CODES.filter((code) => !tests.some((text) => new RegExp(String.raw`\b${code}\b`).test(text)))
    expect(untested).toEqual([])
  })
})

describe('a RhizomeError', () => {
  it('carries its code, its message and its cause', () => {
    const cause = new Error('the disk said no')
    const error = new RhizomeError(ERROR_CODES[0], 'say it again', { cause })
    expect(error).toMatchObject({ name: 'RhizomeError', code: ERROR_CODES[0], message: 'say it again', cause })
  })
})

describe('assert', () => {
  it('passes what holds and names the bug otherwise', () => {
    expect(() => assert(true, 'it holds')).not.toThrow()
    expect(() => assert(0, 'the sum is positive')).toThrow('bug: the sum is positive')
  })
})
