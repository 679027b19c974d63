import { setImmediate } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { describe, expect, test } from 'vitest'
import { FRAME_BYTES_MAX, type NetStream } from '../../src/net/net.ts'
import { frameStream } from '../../src/net/streams.ts'
import { until, within } from './until.ts'

const BROKEN = expect.objectContaining({ code: 'RZ_NET_STREAM_CLOSED' })

/** A framed end, and the raw end of somebody who does not keep to the format. */
async function framedAndRaw(): Promise<[NetStream, Stream]> {
  const [outbound, inbound] = await streamPair()
  return [frameStream(outbound, { peer: 'x', stallMs: 100 }), inbound]
}

async function collect(stream: NetStream): Promise<string[]> {
  const frames: string[] = []
  for await (const frame of stream.frames()) frames.push(Buffer.from(frame).toString())
  return frames
}

const END = Buffer.from('ffffffff', 'hex')
const frame = (text: string): Buffer =>
  Buffer.from(`${text.length.toString(16).padStart(8, '0')}${Buffer.from(text).toString('hex')}`, 'hex')

describe('frames', () => {
  test('are cut out of whatever pieces arrive', async () => {
    const [stream, raw] = await framedAndRaw()
    const reading = collect(stream)
    for (const byte of Buffer.concat([frame('hello'), frame(''), frame('world'), END])) raw.send(Uint8Array.of(byte))
    expect(await within('the end', reading)).toEqual(['hello', '', 'world'])
  })

  test('may all arrive in one piece, before anybody reads', async () => {
    const [stream, raw] = await framedAndRaw()
    raw.send(Buffer.concat([frame('hello'), frame('world'), END]))
    await raw.close()
    for (let turn = 0; turn < 20; turn += 1) await setImmediate()
    expect(await within('the end', collect(stream))).toEqual(['hello', 'world'])
  })

  test('are written as length and bytes, with a mark at the end', async () => {
    const [stream, raw] = await framedAndRaw()
    const bytes: Uint8Array[] = []
    raw.addEventListener('message', ({ data }) => bytes.push(data.slice()))
    await stream.send(Buffer.from('hello'))
    await stream.close()
    await until('the end', () => raw.remoteWriteStatus === 'closed')
    expect(Buffer.concat(bytes)).toEqual(Buffer.concat([frame('hello'), END]))
  })

  test('are iterated once', async () => {
    const [stream] = await framedAndRaw()
    stream.frames()
    expect(() => stream.frames()).toThrow(/once/)
  })

  test.each([FRAME_BYTES_MAX + 1, 0x7fff_ffff, 0xffff_fffe])(
    'a length of %i is refused before anything is read',
    async (length) => {
      const [stream, raw] = await framedAndRaw()
      const reading = collect(stream)
      const prefix = Buffer.alloc(4)
      prefix.writeUInt32BE(length)
      raw.send(prefix)
      await expect(within('the refusal', reading)).rejects.toThrow(
        expect.objectContaining({ code: 'RZ_NET_FRAME_TOO_LARGE' }),
      )
      await until('the other side is reset', () => raw.status === 'reset')
    },
  )

  test.each([
    ['nothing', ''],
    ['half a length', '0000'],
    ['half a frame', '00000005aabb'],
    ['a whole frame', '0000000168'],
  ])('an end after %s, without the mark, is a break', async (_, hex) => {
    const [stream, raw] = await framedAndRaw()
    const reading = collect(stream)
    if (hex !== '') raw.send(Buffer.from(hex, 'hex'))
    await raw.close()
    await expect(within('the break', reading)).rejects.toThrow(BROKEN)
  })

  test('a reset is a break', async () => {
    const [stream, raw] = await framedAndRaw()
    const reading = collect(stream)
    raw.abort(new Error('a test'))
    await expect(within('the break', reading)).rejects.toThrow(BROKEN)
  })

  test('a stream that broke before it was taken over is a break too', async () => {
    const [outbound, inbound] = await streamPair()
    inbound.abort(new Error('a test'))
    await within('it is reset', new Promise((resolve) => outbound.addEventListener('close', resolve)))
    const stream = frameStream(outbound, { peer: 'x' })
    await expect(within('the break', collect(stream))).rejects.toThrow(BROKEN)
    await expect(stream.send(Buffer.from('x'))).rejects.toThrow(BROKEN)
  })

  test('closing a broken stream, or one that is closed, is harmless', async () => {
    const [stream, raw] = await framedAndRaw()
    raw.abort(new Error('a test'))
    await expect(within('the break', collect(stream))).rejects.toThrow(BROKEN)
    await stream.close()
    await stream.close()
    stream.abort('again')
  })

  test('a sender whose peer never reads gives up after a while', async () => {
    const [outbound] = await streamPair()
    // A transport that takes no more and never drains.
    Object.defineProperty(outbound, 'writableNeedsDrain', { value: true })
    const stream = frameStream(outbound, { peer: 'x', stallMs: 50 })
    await expect(within('the sender gives up', stream.send(Buffer.from('x')))).rejects.toThrow(BROKEN)
  })
})
