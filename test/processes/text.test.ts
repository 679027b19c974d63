/** The line protocol of several processes: containers that all of them tell, buckets that are split over four of them. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { report } from '../support/cluster.ts'
import { type Command, type CommandOptions, startRhizome } from '../support/command.ts'
import { temporaryFolder, until } from '../support/nodes.ts'
import { type Client, openClient } from '../text/client.ts'

interface Node {
  readonly command: Command
  readonly client: Client
  readonly port: number
}

async function place(): Promise<CommandOptions> {
  const directory = await temporaryFolder()
  const home = join(directory, 'home')
  await mkdir(home)
  return { directory, home }
}

async function start(at: CommandOptions, topic: string, name: string): Promise<Node> {
  const words = ['--topic', topic, '--name', name, '--no-http', '--text-port', '0']
  const command = startRhizome(words, at)
  const [, port = ''] = await command.printed(/nc 127\.0\.0\.1 (\d+)/)
  return { command, client: await openClient(Number(port)), port: Number(port) }
}

async function rows(client: Client, line: string): Promise<readonly Record<string, unknown>[]> {
  const lines = await client.ask(line)
  if (lines.at(-1) !== 'OK') throw new Error(`${line}: ${lines.at(-1) ?? ''}`)
  return lines.slice(0, -1).map((text) => JSON.parse(text) as Record<string, unknown>)
}

describe('a new container', () => {
  test('shows in the tags of three nodes, and in the log of those that did not make it', async () => {
    const at = await place()
    const nodes: Node[] = []
    for (const name of ['a', 'b', 'c']) nodes.push(await start(at, 'users', name))
    const [first, ...others] = nodes as [Node, Node, Node]
    await until(
      'all know all',
      async () => {
        const counts = await Promise.all(nodes.map(async ({ client }) => (await rows(client, 'tags')).length))
        return counts.every((count) => count === 3)
      },
      60_000,
    )
    const startedMs = performance.now()
    expect(await first.client.ask('insert [0] into dog')).toEqual([expect.stringMatching(/^{"id":/), 'OK'])
    await until(
      'all tell it of all',
      async () => {
        const told = await Promise.all(nodes.map(({ client }) => rows(client, 'tags')))
        return told.flat().every(({ tags }) => JSON.stringify(tags) === '["dog"]')
      },
      60_000,
    )
    const tookMs = Math.round(performance.now() - startedMs)
    for (const { command } of others) await command.printed(/message from \S+: tags: \["dog"\]/)
    report(`a container made on one of three nodes was in the tags of all, on all, after ${tookMs} ms`)
    for (const { client } of nodes) {
      expect(await rows(client, 'select value from dog')).toEqual([{ value: { $bytes: 'AA==' } }])
    }
  })
})

describe('buckets that are split over four processes', () => {
  const RANGES = ['*:a-g', '*:h-n', '*:o-u', '*:v-z'] as const
  const BUCKETS = ['apple', 'house', 'order', 'zebra'] as const

  async function startAll(at: CommandOptions): Promise<Node[]> {
    const nodes: Node[] = []
    for (const [index, range] of RANGES.entries()) nodes.push(await start(at, `shop:${range}`, `node-${index}`))
    nodes.push(await start(at, 'shop:none', 'client'))
    return nodes
  }

  /** Until the bucket can be made: every node knows who holds what. */
  async function untilAnswered({ client }: Node, line: string, wanted: readonly string[]): Promise<void> {
    await until(
      `${line} is answered`,
      async () => JSON.stringify(await client.ask(line)) === JSON.stringify(wanted),
      60_000,
    )
  }

  test('are written and read through every one, and through one that holds nothing', async () => {
    const at = await place()
    const nodes = await startAll(at)
    for (const [index, bucket] of BUCKETS.entries()) {
      const maker = nodes[(index + 2) % nodes.length] as Node
      await untilAnswered(maker, `CREATE ${bucket}`, ['OK'])
    }
    for (const [writer, node] of nodes.entries()) {
      for (const bucket of BUCKETS) await untilAnswered(node, `PUT ${bucket} by-${writer} ${writer}`, ['OK'])
    }
    for (const node of nodes) {
      for (const bucket of BUCKETS) {
        for (const writer of nodes.keys()) await untilAnswered(node, `GET ${bucket} by-${writer}`, [`${writer}`, 'OK'])
        await untilAnswered(node, `GET ${bucket} nothing`, ['', 'OK'])
        expect(await node.client.ask(`KEYS ${bucket}`)).toEqual(
          [...nodes.keys()].map((writer) => `by-${writer}`).concat('OK'),
        )
        expect(await rows(node.client, `select value from ${bucket} order by value`)).toHaveLength(nodes.length)
      }
      // What is placed where is a record as well.
      expect(await node.client.ask('BUCKETS')).toEqual(expect.arrayContaining([...BUCKETS, 'OK']))
      expect(await node.client.ask('GET pantry milk')).toEqual(['NOT FOUND'])
    }
    // Many at once, each of another bucket: the answers are in their order all the same.
    const { client } = nodes[4] as Node
    const keys = Array.from({ length: 400 }, (_, index) => `${BUCKETS[index % 4] ?? ''} k${index}`)
    client.send(
      keys.map((key, index) => `PUT ${key} v${index}\n`).join('') + keys.map((key) => `GET ${key}\n`).join(''),
    )
    for (const _ of keys) expect(await client.line()).toBe('OK')
    for (const index of keys.keys()) expect([await client.line(), await client.line()]).toEqual([`v${index}`, 'OK'])
    expect(await rows(client, 'delete from order where {"in":["by-",{"var":"id"}]}')).toEqual([
      { deleted: nodes.length },
    ])
    await untilAnswered(nodes[0] as Node, 'GET order by-0', ['', 'OK'])
  })

  test('answer a query whose holder is killed in the middle by another holder: nothing doubled, nothing missing', async () => {
    const at = await place()
    const nodes = await startAll(at)
    nodes.push(await start(at, 'shop:*:o-u', 'second'))
    const [, , holder, , asking, second] = nodes as [Node, Node, Node, Node, Node, Node]
    await untilAnswered(holder, 'CREATE order', ['OK'])
    const count = 6_000
    // More than a connection that is not read takes.
    const value = 'x'.repeat(6_000)
    holder.client.send(Array.from({ length: count }, (_, index) => `PUT order ${100_000 + index} ${value}\n`).join(''))
    for (let index = 0; index < count; index++) expect(await holder.client.line()).toBe('OK')
    const wanted = Array.from({ length: count }, (_, index) => `${100_000 + index}`)
    await until(
      'both hold all',
      async () => {
        const counts = await Promise.all(
          [holder, second].map(async ({ client }) => (await client.ask('KEYS order')).length),
        )
        return counts.every((each) => each === count + 1)
      },
      60_000,
    )
    // Whoever is asked first, the one that stands still does not answer; the other is killed when it has answered in part.
    second.command.signal('SIGSTOP')
    asking.client.send('select id, value from order\n')
    const seen = [JSON.parse(await asking.client.line()) as { id: string }]
    asking.client.socket.pause()
    second.command.signal('SIGCONT')
    const beside = await openClient(asking.port)
    await until(
      'the other is there again',
      async () => {
        const peers = await rows(beside, 'peers')
        return peers.some(
          ({ name, member, connected }) => name === 'second' && member === 'alive' && connected === true,
        )
      },
      60_000,
    )
    holder.command.signal('SIGKILL')
    await holder.command.finished()
    asking.client.socket.resume()
    while (seen.length < count) seen.push(JSON.parse(await asking.client.line()) as { id: string })
    expect(await asking.client.line()).toBe('OK')
    expect(seen.map(({ id }) => id)).toEqual(wanted)
    expect(await asking.client.ask('GET order 100000')).toEqual([value, 'OK'])
    second.command.signal('SIGKILL')
    await until(
      'nobody is left',
      async () => {
        const [answer = ''] = await asking.client.ask('GET order 100000')
        return answer.startsWith('ERROR RZ_SHARD_UNHELD 1 ')
      },
      60_000,
    )
    expect(await asking.client.ask('PUT order late 1')).toEqual(['OK'])
  })
})
