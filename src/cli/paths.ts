/** Paths and addresses as people read and type them. */

import { isIPv6 } from 'node:net'
import { homedir } from 'node:os'
import { sep } from 'node:path'

/** The path with the home folder as `~`, which shells understand. */
export function shortPath(path: string, home: string = homedir()): string {
  return home !== '' && path.startsWith(home + sep) ? `~${path.slice(home.length)}` : path
}

/** As it would be typed into a shell. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** `192.168.1.5:4000` for a multiaddr of IP and TCP, `relay 5.6.7.8:4000` for one through a relay, any other as it is. */
export function shortAddress(address: string): string {
  if (isRelayed(address)) return `relay ${shortAddress(address.slice(0, address.indexOf('/p2p-circuit')))}`
  const match = /^\/(ip4|ip6|dns4?|dns6)\/([^/]+)\/tcp\/(\d+)(?:\/(wss?))?(?:\/p2p\/[^/]+)?$/.exec(address)
  if (match === null) return address
  const [, family, host = '', port = '', web] = match
  const scheme = web === undefined ? '' : `${web}://`
  return scheme + (family === 'ip6' ? `[${host}]:${port}` : `${host}:${port}`)
}

/** `192.168.1.5:4000` for what is typed for a peer: a multiaddr or `host[:port]`. */
export function shortTyped(text: string, defaultPort: number): string {
  if (text.startsWith('/')) return shortAddress(text)
  const web = /^(wss?):\/\/(.*?)\/?$/.exec(text)
  if (web !== null) return `${web[1]}://${shortTyped(web[2] ?? '', web[1] === 'wss' ? 443 : 80)}`
  return /:\d+$/.test(text) && !isIPv6(text) ? text : `${isIPv6(text) ? `[${text}]` : text}:${defaultPort}`
}

/** The multiaddr without the peer id at its end. */
export function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}

/** True for an address through a relay. */
export function isRelayed(address: string): boolean {
  return address.includes('/p2p-circuit')
}

/** True for an address that only this machine reaches. */
export function isLocal(address: string): boolean {
  return /^\/ip4\/127\.|^\/ip6\/::1\//.test(address)
}

/** Enough of a peer id to tell it from others: the beginning is the same for all. */
export function shortId(id: string): string {
  return id.length > 16 ? `…${id.slice(-8)}` : id
}
