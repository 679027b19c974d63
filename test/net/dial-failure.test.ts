import { describe, expect, test } from 'vitest'
import { reasonOf } from '../../src/net/dial-failure.ts'

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name })

describe('why a dial failed', () => {
  const answered = { answered: true, hasSecret: false }

  test('a handshake that breaks off at once speaks of secrets', () => {
    for (const name of ['EncryptionFailedError', 'UnexpectedEOFError', 'StreamResetError']) {
      expect(reasonOf(named(name, 'it ended'), answered).code).toBe('secret-mismatch')
    }
  })

  test('a handshake that takes too long does not: the machine may be busy', () => {
    for (const error of [
      named('EncryptionFailedError', 'The operation was aborted due to timeout'),
      named('TimeoutError', 'The operation was aborted due to timeout'),
      named('AbortError', 'The operation was aborted'),
    ]) {
      expect(reasonOf(error, answered)).toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('too slowly') as string,
      })
      expect(reasonOf(error, { answered: false, hasSecret: true })).toMatchObject({ code: 'unreachable' })
    }
  })

  test('a WebSocket that cannot be opened tells nothing but that, and is tried again soon', () => {
    class ErrorEvent extends Event {}
    expect(reasonOf(new ErrorEvent('error'), answered)).toMatchObject({ code: 'unreachable' })
    expect(reasonOf(named('ConnectionFailedError', 'Could not connect to ws://host'), answered).code).toBe(
      'unreachable',
    )
  })

  test('of several addresses the most telling one counts', () => {
    const error = new AggregateError([named('Error', 'connect ECONNREFUSED'), named('UnexpectedEOFError', 'it ended')])
    expect(reasonOf(error, answered).code).toBe('secret-mismatch')
  })
})
