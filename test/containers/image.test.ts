/** What the image is and what compose.yaml lets a container do, looked at from inside and from outside. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { report } from '../support/cluster.ts'
import { type ContainerNode, eventually, TOKEN } from '../support/container-node.ts'
import { Containers } from '../support/containers.ts'
import { call, docker } from '../support/docker.ts'

const STOPS = 3
/** Promised by the command line, for Ctrl-C and SIGTERM alike. */
const STOP_MS_MAX = 2_000

async function one(): Promise<{ containers: Containers; node: ContainerNode }> {
  const containers = await Containers.up(1)
  const [node] = await containers.ready()
  if (node === undefined) throw new Error('one node was started')
  return { containers, node }
}

describe('the image', () => {
  test('holds what runs in production alone, and nothing that could be left out', async () => {
    const inside = (...words: string[]) => docker('run', '--rm', '--entrypoint', 'sh', 'rhizome-node', '-c', ...words)
    const packages = (await inside('ls node_modules; ls node_modules/@*')).split(/\s+/)
    expect(packages).toEqual(expect.arrayContaining(['libp2p', 'fastify']))
    expect(packages.filter((name) => ['typescript', 'vitest', 'oxlint', 'knip'].includes(name))).toEqual([])
    expect(await inside("find . -name '*.map' -o -name '*.ts' | head -3")).toBe('')
    expect(await docker('run', '--rm', 'rhizome-node', '--version')).toMatch(/^\d+\.\d+\.\d+$/)
    const bytes = async (image: string) => Number(await docker('image', 'inspect', '--format', '{{.Size}}', image))
    const ownBytes = (await bytes('rhizome-node')) - (await bytes('node:24-bookworm-slim'))
    report(`the image adds ${(ownBytes / 1e6).toFixed(1)} MB to its base`)
    expect(ownBytes).toBeLessThan(40e6)
  })

  test('installs packages before it takes sources, so that a change of these leaves the packages cached', async () => {
    const file = await readFile(new URL('../../deploy/Dockerfile', import.meta.url), 'utf8')
    const installing = file.split(/^FROM /m).filter((stage) => stage.includes('npm ci --'))
    expect(installing.length).toBe(2)
    for (const stage of installing) {
      const copied = stage.slice(0, stage.indexOf('RUN npm ci')).match(/^COPY .*$/gm)
      expect(copied).toEqual(['COPY package.json package-lock.json .npmrc ./'])
    }
  })
})

describe('a container of compose.yaml', () => {
  test('is no root, writes to its data alone, and can gain no rights', async () => {
    const { containers, node } = await one()
    await using _ = containers
    const status = await node.exec('cat', '/proc/1/status')
    expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1)).toEqual(['1000', '1000'])
    expect(/^CapBnd:\s+(\w+)$/m.exec(status)?.[1]).toBe('0000000000000000')
    expect(/^NoNewPrivs:\s+(\d)$/m.exec(status)?.[1]).toBe('1')
    const tryTo = (words: string) => node.exec('sh', '-c', `${words} 2>&1 && echo done || true`)
    for (const path of ['/x', '/app/x', '/app/dist/bin.js', '/etc/x', '/usr/x'])
      expect(await tryTo(`touch ${path}`)).toContain('Read-only file system')
    expect(await tryTo('touch /data/x')).toBe('done')
    expect(await tryTo('ls -ld /data')).toMatch(/^drwx------/)
  })

  test('publishes HTTP to this machine alone, behind the token, which is shown nowhere', async () => {
    const { containers, node } = await one()
    await using _ = containers
    const published = await docker('port', node.id, '3000')
    expect(published).toMatch(/^127\.0\.0\.1:\d+$/)
    const statusWith = async (headers: Record<string, string>) =>
      (await fetch(`http://${published}/api/status`, { headers })).status
    expect(await statusWith({})).toBe(401)
    expect(await statusWith({ authorization: 'Bearer rz_some-other-token' })).toBe(401)
    expect(await statusWith({ authorization: `Bearer ${TOKEN}` })).toBe(200)
    expect(await node.logs()).toContain('needs the token')
    expect(await docker('logs', node.id)).not.toContain(TOKEN)
    const commandLines = await node.exec(
      'sh',
      '-c',
      "for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $each; echo; done",
    )
    expect(commandLines).toContain('bin.js')
    expect(commandLines).not.toContain(TOKEN)
  })

  test('without a token in the environment has none until one is made, inside', async () => {
    await using containers = await Containers.up(1, { env: { RHIZOME_HTTP_TOKEN: '' } })
    const [node] = await containers.ready()
    const statusWith = async (token: string) =>
      (await fetch(`http://${node?.address}:3000/api/status`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await statusWith(TOKEN)).toBe(401)
    const made = (await node?.exec('rhizome-node', 'token')) ?? ''
    expect(made).toMatch(/^rz_/)
    expect(await statusWith(made)).toBe(200)
  })

  test('is healthy while its node answers, and not when that stands still', async () => {
    const { containers, node } = await one()
    await using _ = containers
    const healthOf = () => docker('inspect', '--format', '{{.State.Health.Status}}', node.id)
    await eventually('it is healthy', async () => (await healthOf()) === 'healthy')
    const check = () => node.exec('node', '/app/deploy/healthy.mjs').then(() => 'healthy', String)
    expect(await check()).toBe('healthy')
    const pid = (await node.exec('cat', '/proc/1/task/1/children')).trim()
    await node.exec('kill', '-STOP', pid)
    expect(await check()).toContain('the node does not answer')
    await node.exec('kill', '-CONT', pid)
    await eventually('it answers again', async () => (await check()) === 'healthy')
  })
})

describe('docker stop', () => {
  for (const [title, words] of [
    ['under docker-init', ['--init']],
    ['as process 1', []],
  ] as const) {
    test(`ends a node within two seconds, cleanly, ${title}`, async () => {
      const tookMs: number[] = []
      for (let round = 0; round < STOPS; round++) {
        const id = await docker('run', '--detach', '--read-only', ...words, 'rhizome-node', '--topic', 'users')
        await eventually('it runs', async () => (await call('docker', ['logs', id])).includes('Ctrl-C stops'))
        const startedMs = performance.now()
        await docker('stop', '--time', '10', id)
        tookMs.push(Math.round(performance.now() - startedMs))
        expect(await docker('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('0')
        expect(await call('docker', ['logs', id])).toContain('stopped; 0 deltas in /data')
        await docker('rm', '--volumes', id)
      }
      report(`docker stop ${title} took ${tookMs.join(', ')} ms`)
      expect(Math.min(...tookMs)).toBeLessThan(STOP_MS_MAX)
    })
  }
})
