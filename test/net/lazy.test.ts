/** Parts of libp2p that only few nodes need are loaded by those alone: the others start as fast and stay as small as without. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Opens a network in a process of its own, and tells which packages it has loaded. */
function packagesOf(options: string): readonly string[] {
  const script = `
    import { registerHooks } from 'node:module'
    const packages = new Set()
    registerHooks({ load(url, context, next) { packages.add(url.split('/node_modules/').at(-1)); return next(url, context) } })
    const { openLibp2pNet } = await import(${JSON.stringify(new URL('../../src/net/libp2p.ts', import.meta.url).href)})
    const identity = { privateKey: new Uint8Array(32).fill(1) }
    const net = await openLibp2pNet({ identity, listen: [], mdns: false, ...${options} })
    console.log(JSON.stringify([...packages]))
    await net.close()
  `
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  return JSON.parse(output) as string[]
}

const FAR = /^@libp2p\/(circuit-relay-v2|dcutr|kad-dht|websockets)\//

test.each([
  ['{}', []],
  ['{ relay: true }', ['circuit-relay-v2']],
  ["{ via: ['127.0.0.1:1'] }", ['circuit-relay-v2', 'dcutr']],
  ['{ dht: true }', ['circuit-relay-v2', 'dcutr', 'kad-dht']],
  ["{ peers: ['ws://127.0.0.1:1'] }", ['websockets']],
])('a network of %s has loaded no more than %j of them', (options, expected) => {
  const loaded = packagesOf(options).flatMap((path) => FAR.exec(path)?.[1] ?? [])
  expect([...new Set(loaded)].toSorted()).toEqual(expected)
})
