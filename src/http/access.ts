/**
 * Who may talk to the node over TCP: decides from a request's headers alone, before anything of it is read.
 *
 * The danger on loopback is a web page in the user's own browser. Host is checked against DNS rebinding (a name of the
 * attacker's that resolves to 127.0.0.1); Origin and Sec-Fetch-Site against pages of other sites, including the requests
 * that browsers send without asking (`<img>`, forms, `no-cors`). Bodies must be JSON or NDJSON (server side content types),
 * which no such request can claim. Sources: Fetch standard; Fetch Metadata Request Headers; RFC 9110, 7.2.
 */

import { isIPv4, isIPv6 } from 'node:net'

export interface AccessPolicy {
  readonly allowHosts: readonly string[]
  readonly allowOrigins: readonly string[]
}

/** The facts of one request. */
export interface Caller {
  readonly method: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  readonly fetchMode: string | undefined
  /** The address at which the connection arrived. */
  readonly localAddress: string | undefined
}

export type Verdict =
  /** `corsOrigin` is set when the answer may be read by a page of that other origin. */
  | { readonly kind: 'pass'; readonly corsOrigin?: string }
  | { readonly kind: 'refuse'; readonly code: 'RZ_HTTP_HOST' | 'RZ_HTTP_ORIGIN'; readonly why: string }

export function judge(caller: Caller, policy: AccessPolicy): Verdict {
  const host = parseHost(caller.host)
  if (host === undefined || !isOurs(host.hostname, caller.localAddress, policy.allowHosts)) {
    const shown = caller.host === undefined ? 'no Host header' : `the Host "${caller.host}"`
    return {
      kind: 'refuse',
      code: 'RZ_HTTP_HOST',
      why: `${shown} is none of this node's: use its address, or start it with --allow-host <name>`,
    }
  }
  if (caller.origin !== undefined) return judgeOrigin(caller.origin, host, policy)
  // A browser sends no Origin with a plain GET of another page's; this header tells those apart.
  const crossSite = caller.fetchSite === 'cross-site' || caller.fetchSite === 'same-site'
  const followsLink = caller.fetchMode === 'navigate' && caller.method === 'GET'
  if (crossSite && !followsLink) {
    return { kind: 'refuse', code: 'RZ_HTTP_ORIGIN', why: 'a page of another site may not load from this node' }
  }
  return { kind: 'pass' }
}

function judgeOrigin(origin: string, host: URL, policy: AccessPolicy): Verdict {
  const parsed = originOf(origin)
  if (parsed !== undefined && parsed.host === hostOver(parsed.protocol, host)) return { kind: 'pass' }
  if (parsed !== undefined && policy.allowOrigins.some((allowed) => originOf(allowed)?.origin === parsed.origin)) {
    return { kind: 'pass', corsOrigin: origin }
  }
  return {
    kind: 'refuse',
    code: 'RZ_HTTP_ORIGIN',
    why: `pages of "${origin}" may not talk to this node: start it with --allow-origin <origin> if they should`,
  }
}

/** True when the text can be an origin that `allowOrigins` compares: scheme and host, nothing after. */
export function isOrigin(text: string): boolean {
  return originOf(text) !== undefined
}

function isOurs(hostname: string, localAddress: string | undefined, allowHosts: readonly string[]): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  if (bare === 'localhost' || bare === '127.0.0.1' || bare === '::1') return true
  // A page cannot be rebound to an address: only names resolve.
  const arrivedAt = localAddress?.replace(/^::ffff:/, '').replace(/%.*$/, '')
  if (arrivedAt !== undefined && (isIPv4(bare) || isIPv6(bare)) && bare === arrivedAt) return true
  return allowHosts.some((allowed) => parseHost(allowed)?.hostname === hostname)
}

/** A Host header as a URL, so that case, default port and forms of an address compare equal. */
function parseHost(text: string | undefined): URL | undefined {
  if (text === undefined || text === '' || /[/?#@\\\s]/.test(text)) return undefined
  return URL.parse(`http://${text}`) ?? undefined
}

function hostOver(protocol: string, host: URL): string {
  return URL.parse(`${protocol}//${host.host}`)?.host ?? host.host
}

function originOf(text: string): URL | undefined {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  const bare =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  return bare ? url : undefined
}
