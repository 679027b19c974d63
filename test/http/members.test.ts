/** Members over HTTP: who takes part, who answers, and what changes as it does. */
import { describe, expect, it } from 'vitest'

import { openHttp } from '../../src/http/server.ts'
import type { RhizomeNode } from '../../src/index.ts'
import { openLoopbackNode, openTestNode, temporaryFolder, until } from '../support/nodes.ts'

async function two(): Promise<{ a: RhizomeNode; b: RhizomeNode; at: string }> {
  const a = await openLoopbackNode([], { name: 'a' })
  const b = await openLoopbackNode([a], { name: 'b' })
  const face = await openHttp(a, { port: 0, socketPath: `${await temporaryFolder()}/s`, onError: () => undefined })
  a.onEvent(() => undefined)
  await until('they know each other', () => a.namespace('users').members().length === 1)
  await until('their clocks are known', () => a.namespace('users').members()[0]?.roundTripMs !== undefined)
  return { a, b, at: `http://127.0.0.1:${face.port}` }
}

async function json(url: string, method = 'GET'): Promise<unknown> {
  return (await fetch(url, { method })).json()
}

describe('members', () => {
  it('are listed by namespace, and with what connection and sync tell among the peers', async () => {
    const { b, at } = await two()
    const member = { peer: b.peerId, name: 'b', state: 'alive', tags: [], namespaces: ['users'], connected: true }
    expect(await json(`${at}/api/ns/users/members`)).toEqual([expect.objectContaining(member)])
    expect(await json(`${at}/api/ns/other/members`)).toMatchObject({ code: 'RZ_NAMESPACE_UNKNOWN' })
    const peers = (await json(`${at}/api/peers`)) as object[]
    expect(peers).toHaveLength(2)
    expect(peers[1]).toMatchObject({ id: b.peerId, member: 'alive', tags: [], behindBlocks: 0, version: b.version })
    expect(await json(`${at}/api/status`)).toMatchObject({ clock: { offsetMs: 0, peersCount: 1, isOff: false } })
    await b.close()
    // That it leaves is told by gossip, once: who does not hear of it finds it silent.
    await until('only the list of all has it', async () => {
      const [now, all] = await Promise.all([json(`${at}/api/peers`), json(`${at}/api/peers?all=true`)])
      return (now as object[]).length === 1 && (all as { member?: string }[])[1]?.member !== 'alive'
    })
  })

  it('answer to a ping', async () => {
    const { b, at } = await two()
    const answered = [
      { member: expect.objectContaining({ peer: b.peerId }) as object, roundTripMs: expect.any(Number) },
    ]
    expect(await json(`${at}/api/ns/users/ping?timeoutMs=5000`, 'POST')).toEqual(answered)
    expect(await json(`${at}/api/ns/users/ping?timeoutMs=0`, 'POST')).toMatchObject({ code: 'RZ_HTTP_INPUT' })
  })

  it('are followed as they change', async () => {
    const { b, at } = await two()
    const stop = new AbortController()
    const { body } = await fetch(`${at}/api/peers/events`, { signal: stop.signal })
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    const read = async (wanted: RegExp): Promise<string> => {
      for (let text = ''; ;) {
        text += Buffer.from((await reader.read()).value ?? []).toString()
        if (wanted.test(text)) return text
      }
    }
    await read(/:/)
    await b.namespace('users').put('book', 'x', { title: 'y' })
    expect(await read(/"tags":\["book"\]/)).toMatch(
      /^id: \d+\nevent: member\ndata: \{"namespace":"users","change":"tags"/,
    )
    await b.close()
    expect(await read(/"state":"left"/)).toContain('"change":"state","before":"alive"')
    stop.abort()
  })
})

it('a node tells its members to whoever listens, until that is stopped', async () => {
  const a = await openLoopbackNode([], { name: 'a' })
  const told: string[] = []
  const stop = a.namespace('users').onMember(({ member, change }) => told.push(`${member.name} ${change}`))
  const b = await openLoopbackNode([a], { name: 'b' })
  await until('it is told', () => told.length > 0)
  stop()
  await b.close()
  await until('it has left', () => a.namespace('users').members()[0]?.state === 'left')
  expect(told).toEqual(['b appeared'])
})

it('a node without a network has no members, and nobody answers', async () => {
  const node = await openTestNode()
  expect(node.namespace('users').members()).toEqual([])
  expect(await node.namespace('users').ping()).toEqual([])
  expect(node.ownClock()).toBeUndefined()
  expect(node.peers({ all: true })).toEqual([])
  node.namespace('users').onMember(() => undefined)()
})
