/**
 * Addresses as people type them, and which of a node's own addresses others are told.
 * Refuses what cannot be dialled over TCP or WebSocket, with RZ_NET_ADDRESS_INVALID and a message that names the forms that work.
 */
import { isIP, isIPv6 } from 'node:net'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { RhizomeError } from '../errors.ts'
import { DEFAULT_PORT } from './limits.ts'

export interface PeerAddress {
  /** A multiaddr in text form, without the peer id. */
  readonly address: string
  /** The id that must answer there; absent when any may. */
  readonly peer?: string
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i

/** Reads a multiaddr (`/ip4/…/tcp/…[/p2p/…]`, `/dns/…`), `host[:port]` or `ws://host[:port]`; an IPv6 host with a port stands in brackets. */
export function parsePeerAddress(text: string): PeerAddress {
  const trimmed = text.trim()
  const web = /^(wss?):\/\/(.*?)\/?$/.exec(trimmed)
  if (web !== null) return parseWeb(trimmed, web[1] === 'wss' ? 'wss' : 'ws', web[2] ?? '')
  return trimmed.startsWith('/') ? parseMultiaddr(trimmed) : parseHostPort(trimmed)
}

interface Part {
  readonly name: string
  readonly value?: string
}

function parseMultiaddr(text: string): PeerAddress {
  let parts: readonly Part[]
  try {
    parts = multiaddr(text).getComponents()
  } catch (error) {
    throw invalid(text, 'it is not a multiaddr', error)
  }
  const circuit = parts.findLastIndex(({ name }) => name === 'p2p-circuit')
  if (circuit >= 0) return parseRelayed(text, parts.slice(0, circuit), parts.slice(circuit + 1))
  const [host, transport, ...more] = parts
  if (host === undefined || !['ip4', 'ip6', 'dns', 'dns4', 'dns6'].includes(host.name)) throw invalid(text, 'no host')
  if (host.name.startsWith('dns') && !HOST_NAME.test(host.value ?? ''))
    throw invalid(text, 'the host name is malformed')
  if (transport?.name !== 'tcp') throw invalid(text, 'only tcp is spoken here')
  if (transport.value === '0') throw invalid(text, 'port 0 cannot be dialled')
  // `/tls/ws` is another way to write `/wss`.
  const isTls = more[0]?.name === 'tls'
  const web = isTls ? more[1]?.name : more[0]?.name
  const hasWeb = web === 'ws' || (web === 'wss' && !isTls)
  const [id, ...rest] = hasWeb ? more.slice(isTls ? 2 : 1) : more
  if (rest.length > 0 || (id !== undefined && id.name !== 'p2p')) throw invalid(text, 'it goes on after the port')
  if (id?.value !== undefined) assertPeerId(text, id.value)
  const end = hasWeb ? `/${isTls ? 'wss' : web}` : ''
  const address = `/${host.name}/${host.value}/tcp/${transport.value}${end}`
  return id?.value === undefined ? { address } : { address, peer: id.value }
}

/** `ws://host[:port]`, `wss://host[:port]`: the ports are those of the web. */
function parseWeb(text: string, protocol: 'ws' | 'wss', rest: string): PeerAddress {
  if (/[/?#]/.test(rest)) throw invalid(text, 'a path is not spoken here: give the node a host name of its own')
  const hasPort = /:\d+$/.test(rest) && !isIPv6(rest)
  const host = isIPv6(rest) ? `[${rest}]` : rest
  const { address } = parseHostPort(hasPort ? rest : `${host}:${protocol === 'ws' ? 80 : 443}`)
  return { address: `${address}/${protocol}` }
}

export function isWeb(address: string): boolean {
  return /\/wss?(\/|$)/.test(address)
}

/** `<address of the relay>/p2p/<its id>/p2p-circuit/p2p/<id>`: nobody can be reached through a relay without an id. */
function parseRelayed(text: string, relay: readonly Part[], [id, ...rest]: readonly Part[]): PeerAddress {
  const { address, peer } = parseMultiaddr(
    relay.map(({ name, value }) => (value === undefined ? `/${name}` : `/${name}/${value}`)).join(''),
  )
  if (peer === undefined) throw invalid(text, 'the relay has no id')
  if (id?.name !== 'p2p' || id.value === undefined || rest.length > 0)
    throw invalid(text, 'one id follows /p2p-circuit')
  assertPeerId(text, id.value)
  return { address: `${address}/p2p/${peer}/p2p-circuit`, peer: id.value }
}

export function isRelayed(address: string): boolean {
  return address.includes('/p2p-circuit')
}

/** The relay of a relayed address, its id included. */
export function relayOf(address: string): string {
  return address.slice(0, address.indexOf('/p2p-circuit'))
}

function assertPeerId(text: string, id: string): void {
  try {
    peerIdFromString(id)
  } catch (error) {
    throw invalid(text, 'what follows /p2p/ is no peer id', error)
  }
}

function parseHostPort(text: string): PeerAddress {
  const match = isIPv6(text) ? [text, text, undefined] : /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text)
  if (match === null) throw invalid(text, 'it is neither host nor host:port')
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  const port = match[2] === undefined ? DEFAULT_PORT : Number(match[2])
  if (port < 1 || port > 65_535) throw invalid(text, 'a port is 1 to 65535')
  if (isIP(host) === 0 && (!HOST_NAME.test(host) || /^[\d.]+$/.test(host)))
    throw invalid(text, 'the host name is malformed')
  return { address: tcpAddress(host, port) }
}

/** `host` is an IP address, or a name. */
export function tcpAddress(host: string, port: number): string {
  const family = isIP(host)
  return `/${family === 4 ? 'ip4' : family === 6 ? 'ip6' : 'dns'}/${host}/tcp/${port}`
}

/** RZ_NET_ADDRESS_INVALID, with the forms that work. */
export function invalid(text: string, why: string, cause?: unknown): RhizomeError {
  const message =
    `cannot dial '${text}': ${why}. Write host, host:port, [ipv6]:port, wss://host or a multiaddr such as ` +
    `/ip4/192.168.1.5/tcp/${DEFAULT_PORT}`
  return new RhizomeError('RZ_NET_ADDRESS_INVALID', message, { cause })
}

/** Host and port of a multiaddr of IP or a name over TCP; undefined for any other. */
export function multiaddrHostPort(address: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/[^/]+)?$/.exec(address)
  return match === null ? undefined : { host: match[1] ?? '', port: Number(match[2]) }
}

export function isLoopback(address: string): boolean {
  return /^\/ip4\/127\.|^\/ip6\/(::1|0:0:0:0:0:0:0:1)\//.test(address)
}

/** What others are told: loopback only when nothing else is there, or another host would dial its own 127.0.0.1. */
export function announced<T>(addresses: readonly T[], textOf: (address: T) => string): T[] {
  const routable = addresses.filter((address) => !isLoopback(textOf(address)))
  return routable.length > 0 ? routable : [...addresses]
}
