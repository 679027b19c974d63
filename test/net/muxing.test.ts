import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { muxing } from '../../src/net/muxing.ts'

const uncaught: unknown[] = []
const hear = (error: unknown) => void uncaught.push(error)
let others: NodeJS.UncaughtExceptionListener[] = []

beforeEach(() => {
  others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', hear)
})

afterEach(() => {
  process.removeAllListeners('uncaughtException')
  for (const other of others) process.on('uncaughtException', other)
  uncaught.length = 0
})

/** A stream is asked for, and the connection closes before that was announced. */
async function askAndClose(make: typeof muxing | typeof yamux): Promise<void> {
  const [connection] = multiaddrConnectionPair()
  const muxer = make({})().createStreamMuxer(connection)
  const asked = Promise.resolve(muxer.createStream())
  const closed = connection.close()
  await asked
  await new Promise(setImmediate)
  connection.abort(new Error('the test is over'))
  await closed.catch(() => undefined)
}

it('a stream on a connection that has just closed ends no process', async () => {
  await askAndClose(muxing)
  expect(uncaught).toEqual([])
})

it('with the package as it is it would', async () => {
  await askAndClose(yamux)
  expect(String(uncaught[0])).toContain('Cannot write to a stream')
})
