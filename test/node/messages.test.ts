/** Messages that are not data, between nodes over libp2p on loopback, and over HTTP. */
import { describe, expect, it } from 'vitest'
import { openHttp } from '../../src/http/server.ts'
import type { Message, RhizomeNode } from '../../src/index.ts'
import { openLoopbackNode, openTestNode, temporaryFolder, until } from '../support/nodes.ts'

async function two(): Promise<{ a: RhizomeNode; b: RhizomeNode; heard: Message[]; stop: () => void }> {
  const a = await openLoopbackNode([], { name: 'a' })
  const b = await openLoopbackNode([a], { name: 'b' })
  const heard: Message[] = []
  const stop = b.namespace('users').onMessage((message) => heard.push(message))
  await until('they know each other', () => a.namespace('users').members().length === 1)
  await until('one has a neighbour', async () => {
    const { neighbours } = await a.namespace('users').broadcast('?')
    return neighbours === 1
  })
  await until('it hears', () => heard.length > 0)
  heard.length = 0
  return { a, b, heard, stop }
}

describe('a message', () => {
  it('is told to those who listen, until they stop, and leaves no data', async () => {
    const { a, b, heard, stop } = await two()
    const users = a.namespace('users')
    await users.broadcast({ cursor: [1, 2] }, { delivery: 'best-effort' })
    await users.broadcast(new Uint8Array([1]), { to: b.peerId })
    await until('both are there', () => heard.length === 2)
    expect(heard.map(({ value }) => value)).toEqual(
      expect.arrayContaining([{ cursor: [1, 2] }, new Uint8Array([1])]) as unknown,
    )
    expect(heard.map(({ from }) => from)).toEqual([a.peerId, a.peerId])
    expect(b.namespace('users').counts().deltas).toBe(0)
    stop()
    const next = Promise.withResolvers<Message>()
    b.namespace('users').onMessage(next.resolve)
    await users.broadcast('after')
    expect((await next.promise).value).toBe('after')
    expect(heard).toHaveLength(2)
  })

  it('is refused with another kind of delivery, an addressee that is none, and without a network', async () => {
    const users = (await openTestNode()).namespace('users')
    users.onMessage(() => expect.unreachable('nobody is there'))()
    await expect(users.broadcast(1, { delivery: 'uniform' as 'best-effort' })).rejects.toMatchObject({
      code: 'RZ_MESSAGE_INVALID',
    })
    await expect(users.broadcast(1, { to: 'bob' })).rejects.toMatchObject({ code: 'RZ_MESSAGE_INVALID' })
    await expect(users.broadcast(1)).rejects.toMatchObject({ code: 'RZ_NODE_OFFLINE' })
  })

  it('is sent over HTTP', async () => {
    const { a, b, heard } = await two()
    const face = await openHttp(a, { port: 0, socketPath: `${await temporaryFolder()}/s`, onError: () => undefined })
    const post = async (body: object) => {
      const headers = { 'content-type': 'application/json' }
      const url = `http://127.0.0.1:${face.port}/api/ns/users/messages`
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
      return { status: answer.status, body: await answer.json() }
    }
    expect(await post({ message: { $bytes: 'AQ==' }, to: b.peerId })).toEqual({ status: 202, body: { neighbours: 1 } })
    await until('it is there', () => heard.length === 1)
    expect(heard).toMatchObject([{ value: new Uint8Array([1]), to: b.peerId }])
    const refused = (code: string, status: number) => ({ status, body: { code } })
    expect(await post({ message: 1, to: 'bob' })).toMatchObject(refused('RZ_MESSAGE_INVALID', 400))
    expect(await post({ message: 'x'.repeat(20_000) })).toMatchObject(refused('RZ_MESSAGE_TOO_LARGE', 413))
    expect(await post({})).toMatchObject(refused('RZ_HTTP_INPUT', 400))
    const flood = await Promise.all(Array.from({ length: 80 }, () => post({ message: 1 })))
    expect(flood).toContainEqual(expect.objectContaining({ status: 429 }))
    await face.close()
  })
})
