/** A node that nobody reaches but through a proxy of the web. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Cluster, eventually, expectEqual, report } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'

const PROXY = fileURLToPath(new URL('../support/web-proxy-child.ts', import.meta.url))

test.each([undefined, 'correct horse'])(
  'nodes sync through a proxy that lets nothing but WebSockets through (secret: %s)',
  async (secret) => {
    using lan = new Lan(['a', 'b', 'proxy'])
    lan.dropBetween('a', 'b')
    await using cluster = await Cluster.open(lan)
    const closed = secret === undefined ? {} : { secret }
    const a = await cluster.start('a', { network: { mdns: false, listen: ['/ip4/0.0.0.0/tcp/4000/ws'], ...closed } })
    const b = await cluster.start('b', {
      network: { mdns: false, peers: [`ws://${lan.host('proxy').address}`], ...closed },
    })
    await Promise.all([a.putMany('a', 50, 'x'.repeat(10_000)), b.putMany('b', 50)])
    const failed = await eventually('b is told that nobody is there', () => b.networkEvents('dial-failed')[0])
    expect(failed).toMatchObject({ address: `/ip4/${lan.host('proxy').address}/tcp/80/ws`, code: 'unreachable' })

    const [program, ...args] = [...lan.host('proxy').enter, process.execPath, PROXY, lan.host('a').address, '4000']
    const proxy = spawn(program ?? '', args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    try {
      await once(proxy, 'message')
      report(`two nodes with a proxy between were equal in ${await expectEqual([a, b], cluster.acknowledged())} ms`)
    } finally {
      proxy.kill('SIGKILL')
    }
  },
)
