/** The wiring of a LAN touches what it made, and nothing else. */

import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { bridgeName, Links, portName } from '../../deploy/cluster/links.ts'

const made: string[] = []
afterEach(() => {
  for (const name of made.splice(0)) execFileSync('ip', ['link', 'del', name])
})

/** A namespace with nothing in it, however many LANs there are beside. */
const links = new Links(['unshare', '--net', '--'])
const here = new Links()

function add(name: string, ...kind: readonly string[]): void {
  execFileSync('ip', ['link', 'add', name, ...kind])
  made.push(name)
}

describe('the wiring of a LAN', () => {
  it('stands where only loopback is', () => {
    expect(() => links.assertAlone()).not.toThrow()
  })

  it('refuses to begin where an interface is up that it did not make', () => {
    add('foreign0', 'type', 'veth', 'peer', 'name', 'foreign1')
    execFileSync('ip', ['link', 'set', 'foreign0', 'up'])
    expect(() => here.addBridge(bridgeName('aaaaaa'))).toThrow('this is no namespace of its own, it has foreign0')
    expect(here.bridges()).not.toContain(bridgeName('aaaaaa'))
  })

  it.each([
    ['another interface', 'foreign0', ['type', 'veth', 'peer', 'name', 'foreign1']],
    ['one that only has the name of a port', portName('aaaaaa', 1), ['type', 'bridge']],
  ])('puts %s on no bridge', (_what, name, kind) => {
    const bridge = bridgeName('bbbbbb')
    here.addBridge(bridge)
    made.push(bridge)
    add(name, ...kind)
    expect(() => here.plug(name, bridge)).toThrow('is left alone')
    expect(() => here.plug('none0', bridge)).toThrow('is left alone')
    expect(() => here.removeBridge(name)).toThrow('is left alone')
  })
})
