import { chmod, cp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openNode } from '../../src/index.ts'
import { addIdentity, exportIdentity, importIdentity, loadIdentities, makeIdentity } from '../../src/node/identity.ts'
import { repairDirectory } from '../../src/node/repair.ts'
import { openLoopbackNode, openTestNode, temporaryFolder, until } from '../support/nodes.ts'

describe('identity', () => {
  it('is made at the first start, kept, and readable by its owner alone', async () => {
    const data = await temporaryFolder()
    const first = await openTestNode({ data })
    await first.close()
    const again = await openTestNode({ data })
    expect(again.peerId).toBe(first.peerId)
    expect((await stat(join(data, 'identities', 'default.json'))).mode & 0o777).toBe(0o600)
  })

  it('can be several on one node, each the creator of what it writes', async () => {
    const data = await temporaryFolder()
    await loadIdentities(data)
    const bot = await addIdentity(data, 'bot')
    const node = await openTestNode({ data })
    const { deltas } = await node.namespace('users').put('user', 'a', { p: 1 }, { as: 'bot' })
    const delta = node.namespace('users').delta(deltas[0] as string)
    expect(delta?.creator).toBe(bot.signer.id)
    expect(delta?.host).toBe(node.peerId)
    await expect(node.namespace('users').put('user', 'a', { p: 1 }, { as: 'nobody' })).rejects.toMatchObject({
      code: 'RZ_IDENTITY_UNKNOWN',
    })
  })

  it('moves by export and import, and never replaces another by accident', async () => {
    const data = await temporaryFolder()
    const [own] = await loadIdentities(data)
    const elsewhere = await temporaryFolder()
    const moved = await importIdentity(elsewhere, exportIdentity(own))
    expect(moved.signer.id).toBe(own.signer.id)
    await expect(importIdentity(elsewhere, exportIdentity(makeIdentity()))).rejects.toMatchObject({
      code: 'RZ_IDENTITY_EXISTS',
    })
    await importIdentity(elsewhere, exportIdentity(makeIdentity()), { replace: true })
    expect((await loadIdentities(elsewhere))[0].signer.id).not.toBe(own.signer.id)
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['another format', '{"format":"x"}'],
    ['a key that is too short', '{"format":"rhizome-identity/1","id":"x","seed":"AAAA"}'],
    ['a key of somebody else', exportIdentity({ ...makeIdentity(), signer: makeIdentity().signer })],
  ])('that holds %s is refused, and left as it is', async (_, text) => {
    const data = await temporaryFolder()
    await loadIdentities(data)
    await writeFile(join(data, 'identities', 'default.json'), text)
    await expect(openNode({ topics: ['users'], data, network: false })).rejects.toMatchObject({
      code: 'RZ_IDENTITY_INVALID',
    })
  })
})

describe('directories', () => {
  it('without one given, the same command takes the same, and a second node at the same time another', async () => {
    const home = await temporaryFolder()
    const first = await openTestNode({ home })
    const second = await openTestNode({ home })
    expect(second.directory).not.toBe(first.directory)
    expect(second.peerId).not.toBe(first.peerId)
    await first.close()
    const third = await openTestNode({ home })
    expect(third.directory).toBe(first.directory)
    expect(third.peerId).toBe(first.peerId)
    expect(await readdir(join(home, 'nodes'))).toHaveLength(2)
  })

  it('says what it holds to its owner alone: the mark of a secret among it lets others try words', async () => {
    const data = await temporaryFolder()
    await chmod(data, 0o755)
    await openTestNode({ data })
    expect((await stat(join(data, 'node.json'))).mode & 0o777).toBe(0o600)
  })

  it('lie under RHIZOME_HOME, for the library as for the command', async () => {
    const home = await temporaryFolder()
    vi.stubEnv('RHIZOME_HOME', home)
    onTestFinished(() => void vi.unstubAllEnvs())
    const node = await openNode({ topics: ['users'], network: false })
    expect(node.directory).toBe(join(home, 'nodes', 'users'))
    await node.close()
  })

  it('another topic has a directory of its own', async () => {
    const home = await temporaryFolder()
    const users = await openTestNode({ home })
    const orders = await openTestNode({ home, topics: ['orders'] })
    expect(users.directory).not.toBe(orders.directory)
  })

  it('given, a directory that somebody holds is an error that names the holder', async () => {
    const data = await temporaryFolder()
    await openTestNode({ data })
    const second = openNode({ topics: ['users'], data, network: false })
    await expect(second).rejects.toMatchObject({ code: 'RZ_STORE_LOCKED' })
    await expect(second).rejects.toThrow(String(process.pid))
  })
})

describe('opening and closing', () => {
  it.each([
    ['no topic', []],
    ['a capital', ['Users']],
    ['a slash', ['a/b']],
    ['too long', ['x'.repeat(65)]],
  ])('%s is refused', async (_, topics) => {
    await expect(openNode({ topics, memory: true, network: false })).rejects.toMatchObject({
      code: 'RZ_NAMESPACE_NAME',
    })
  })

  it('a namespace that is not held is an error that says what is', async () => {
    const node = await openTestNode({ topics: ['users', 'orders'] })
    expect(() => node.namespace('films')).toThrow(/users, orders/)
  })

  it('closes twice without harm, and refuses writes afterwards', async () => {
    const node = await openTestNode()
    await Promise.all([node.close(), node.close()])
    await expect(node.namespace('users').put('user', 'a', { p: 1 })).rejects.toMatchObject({ code: 'RZ_STORE_CLOSED' })
  })

  it('offline, it is alone, and says so when asked to wait for others', async () => {
    const node = await openTestNode()
    expect(node.namespace('users').status()).toEqual({ kind: 'alone' })
    await expect(node.namespace('users').waitForSync()).rejects.toMatchObject({ code: 'RZ_NODE_OFFLINE' })
  })
})

describe('a repair without any peer', () => {
  it('loses what is damaged alone: what stood behind it is asserted again', async () => {
    const data = await temporaryFolder()
    const before = await openTestNode({ data })
    for (const id of ['a', 'b', 'c']) await before.namespace('users').put('user', id, { p: id })
    await before.close()
    const log = join(data, 'store', 'log.db')
    const bytes = await readFile(log)
    bytes[bytes.indexOf('user/b') + 5] = 0x7a
    await writeFile(log, bytes)

    const report = repairDirectory(data)
    expect(report.repaired?.setAside).toBe(1)
    const node = await openTestNode({ data })
    const users = node.namespace('users')
    expect(users.ids('user')).toEqual(['a'])
    expect(await node.reassertSetAside()).toBe(1)
    expect(users.ids('user')).toEqual(['a', 'c'])
    expect(users.get('user', 'c')?.properties).toEqual({ p: 'c' })
  })
})

describe('two nodes', () => {
  it('put on one is read on the other, either way', async () => {
    const a = await openLoopbackNode()
    const b = await openLoopbackNode([a])
    await a.namespace('users').put('user', 'alice', { name: 'Alice' })
    await until('b has alice', () => b.namespace('users').get('user', 'alice'))
    await b.namespace('users').put('user', 'bob', { name: 'Bob' })
    await until('a has bob', () => a.namespace('users').get('user', 'bob'))
    await until('both are in sync', () => a.namespace('users').status().kind === 'in-sync')
    expect(a.peers().map(({ id }) => id)).toEqual([b.peerId])
  })

  it('a late joiner gets what was written before', async () => {
    const a = await openLoopbackNode()
    for (let index = 0; index < 50; index++) await a.namespace('users').put('user', `u${index}`, { index })
    const b = await openLoopbackNode([a])
    await b.namespace('users').waitForSync({ signal: AbortSignal.timeout(15_000) })
    expect(b.namespace('users').ids('user')).toHaveLength(50)
    expect(b.namespace('users').lossless('user/u7')).toEqual(a.namespace('users').lossless('user/u7'))
  })

  it('a copied directory is no harm: both go on, stay equal, and nothing is lost', async () => {
    const data = await temporaryFolder()
    const copy = join(await temporaryFolder(), 'copy')
    const before = await openTestNode({ data })
    await before.namespace('users').put('user', 'shared', { p: 0 })
    await before.close()
    await cp(data, copy, { recursive: true })

    const original = await openTestNode({ data })
    const copied = await openTestNode({ data: copy })
    await original.namespace('users').put('user', 'from-original', { p: 1 })
    await copied.namespace('users').put('user', 'from-copy', { p: 2 })
    await original.close()
    await copied.close()
    await importIdentity(copy, exportIdentity(makeIdentity()), { replace: true })

    const a = await openLoopbackNode([], { data })
    const b = await openLoopbackNode([a], { data: copy })
    await until('both hold everything', () => [a, b].every((node) => node.namespace('users').ids('user').length === 3))
    expect(a.namespace('users').counts()).toEqual(b.namespace('users').counts())
  })
})
