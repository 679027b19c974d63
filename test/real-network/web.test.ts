/** A node that nobody reaches but through a proxy of the web. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Cluster, eventually, expectEqual, report } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'

const PROXY = fileURLToPath(new URL('../support/web-proxy-child.ts', import.meta.url))

/** Hands what comes to the host `proxy` on to the host `a`, until it is disposed of. */
async function startProxy(lan: Lan, ...more: readonly string[]): Promise<Disposable> {
  const [program, ...args] = [
    ...lan.host('proxy').enter,
    process.execPath,
    PROXY,
    lan.host('a').address,
    '4000',
    ...more,
  ]
  const proxy = spawn(program ?? '', args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await once(proxy, 'message')
  return { [Symbol.dispose]: () => void proxy.kill('SIGKILL') }
}

function openLan(): Lan {
  const lan = new Lan(['a', 'b', 'proxy'])
  lan.dropBetween('a', 'b')
  return lan
}

test.each([undefined, 'correct horse'])(
  'nodes sync through a proxy that lets nothing but WebSockets through (secret: %s)',
  async (secret) => {
    using lan = openLan()
    await using cluster = await Cluster.open(lan)
    const closed = secret === undefined ? {} : { secret }
    const a = await cluster.start('a', { network: { mdns: false, listen: ['/ip4/0.0.0.0/tcp/4000/ws'], ...closed } })
    const b = await cluster.start('b', {
      network: { mdns: false, peers: [`ws://${lan.host('proxy').address}`], ...closed },
    })
    await Promise.all([a.putMany('a', 50, 'x'.repeat(10_000)), b.putMany('b', 50)])
    const failed = await eventually('b is told that nobody is there', () => b.networkEvents('dial-failed')[0])
    expect(failed).toMatchObject({ address: `/ip4/${lan.host('proxy').address}/tcp/80/ws`, code: 'unreachable' })

    using _ = await startProxy(lan)
    report(`two nodes with a proxy between were equal in ${await expectEqual([a, b], cluster.acknowledged())} ms`)
  },
)

test('a node tells where its proxy is, which speaks TLS, and is reached there by who trusts that', async () => {
  using lan = openLan()
  await using cluster = await Cluster.open(lan)
  const { address } = lan.host('proxy')
  const certificate = makeCertificate(address, cluster.folder)
  const a = await cluster.start('a', {
    network: { mdns: false, listen: ['/ip4/0.0.0.0/tcp/4000/ws'], announce: [`wss://${address}`] },
  })
  const told = `/ip4/${address}/tcp/443/wss/p2p/${a.peerId}`
  expect(await a.run('addresses')).toContain(told)
  using _ = await startProxy(lan, cluster.folder)

  const network = { mdns: false, peers: [told] }
  const stranger = await cluster.start('stranger', { host: 'b', network })
  const failed = await eventually(
    'who does not trust the proxy is told',
    () => stranger.networkEvents('dial-failed')[0],
  )
  expect(failed).toMatchObject({ address: `/ip4/${address}/tcp/443/wss`, code: 'unreachable' })

  const enter = [...lan.host('b').enter, 'env', `NODE_EXTRA_CA_CERTS=${certificate}`]
  const b = await cluster.start('b', { enter, network })
  await Promise.all([a.putMany('a', 50), b.putMany('b', 50)])
  report(`two nodes with TLS between were equal in ${await expectEqual([a, b], cluster.acknowledged())} ms`)
})

/** Of the proxy, signed by itself; answers its file. */
function makeCertificate(address: string, folder: string): string {
  const certificate = join(folder, 'cert.pem')
  const subject = ['-subj', '/CN=proxy', '-addext', `subjectAltName=IP:${address}`]
  const files = ['-keyout', join(folder, 'key.pem'), '-out', certificate]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', ...kind, ...subject, ...files], { stdio: 'ignore' })
  return certificate
}
