/** What a node says when it starts: who it is, where, what it holds and who can get at that. Pure: facts in, lines out. */

import { isLoopback } from '../node/loopback.ts'
import { isLocal, shellWord, shortAddress, shortPath } from './paths.ts'
import { columnsOf, counted, type Style, visible, wrapped } from './terminal.ts'

export interface Facts {
  readonly version: string
  readonly name: string
  readonly peerId: string
  /** Multiaddrs. */
  readonly addresses: readonly string[]
  readonly topics: readonly { readonly name: string; readonly deltas: number }[]
  readonly access: 'open' | 'secret'
  readonly mdns: boolean
  /** Undefined for a node that keeps nothing. */
  readonly directory: string | undefined
  readonly isKeeper: boolean
  readonly isRelay: boolean
  readonly http: readonly string[]
  /** Where the line protocol answers, as `host:port`. */
  readonly text?: string
  readonly token:
    | { readonly kind: 'none' }
    | { readonly kind: 'stored' }
    | { readonly kind: 'given' }
    | { readonly kind: 'shown'; readonly token: string }
  readonly notices: readonly string[]
}

export interface BannerOptions {
  readonly style: (style: Style, text: string) => string
  /** The user's home folder. */
  readonly home: string
  /** What a command in another terminal needs to find this node, such as ` --topic users`; empty where nothing is needed. */
  readonly flags: string
  /** Lines are broken between words to fit; what is copied (ids, addresses, paths, commands) stays whole. */
  readonly columns: number
}

const LABEL_COLUMNS = 8
const ADDRESSES_SHOWN_MAX = 4
const TOPICS_SHOWN_MAX = 8

export function bannerLines(facts: Facts, { style, home, flags, columns }: BannerOptions): readonly string[] {
  const block = (label: string, lines: readonly string[]) =>
    lines
      .flatMap((line) => wrapped(line, columns - LABEL_COLUMNS - 2, 0))
      .map((line, index) => `  ${style('dim', (index === 0 ? label : '').padEnd(LABEL_COLUMNS))}${line}`)
  return [
    `${style('bold', 'rhizome-node')} ${facts.version}`,
    '',
    ...block('node', [style('bold', visible(facts.name)), style('dim', facts.peerId)]),
    ...block('at', shown(facts.addresses.map(shortAddress), ADDRESSES_SHOWN_MAX, 'nowhere: it can only dial')),
    ...block('holds', [...topicLines(facts), ...accessLines(facts)]),
    ...block('data', dataLines(facts, home)),
    ...block('http', httpLines(facts, style)),
    ...block('text', textLines(facts, style)),
    ...facts.notices.flatMap((notice) => block('note', [notice])),
    '',
    ...closing(hint(facts, flags), columns).map((line) => style('dim', line)),
    '',
  ]
}

/** A command that does not fit behind the words stands on a line of its own. */
function closing(command: string, columns: number): readonly string[] {
  if (command === '') return ['  Ctrl-C stops.']
  const words = '  Ctrl-C stops. In another terminal:'
  const whole = `${words} ${command}`
  return whole.length <= columns ? [whole] : [words, `    ${command}`]
}

/** A node in memory has no place where commands would find it. */
function hint({ directory, isKeeper }: Facts, flags: string): string {
  if (directory === undefined) return ''
  return `npx rhizome-node ${isKeeper ? 'status' : 'put user/alice name=Alice'}${flags}`
}

function topicLines({ topics }: Facts): readonly string[] {
  const columns = Math.max(...topics.map(({ name }) => columnsOf(name)))
  const lines = topics.map(({ name, deltas }) => `${name.padEnd(columns)}  ${counted(deltas, 'delta')}`)
  return shown(lines, TOPICS_SHOWN_MAX, 'nothing')
}

function accessLines({ access, mdns, isKeeper, isRelay, addresses }: Facts): readonly string[] {
  const who = accessOf(access, mdns, addresses.every(isLocal))
  return [
    who,
    ...(isKeeper ? ['a keeper: it writes nothing of its own'] : []),
    ...(isRelay ? ['a relay: it carries for others what it cannot read'] : []),
  ]
}

function accessOf(access: Facts['access'], mdns: boolean, isLocalOnly: boolean): string {
  if (access === 'secret') return 'closed: only nodes with the same secret can read and write it'
  if (isLocalOnly) return 'open: anyone on this machine who types the same can read and write it'
  return mdns
    ? 'open: anyone on this network who types the same can read and write it'
    : 'open: anyone who can reach this address can read and write it'
}

function dataLines({ directory }: Facts, home: string): readonly string[] {
  if (directory === undefined) return ['in memory: nothing is kept, the identity included']
  const path = shellWord(shortPath(directory, home))
  const line = `${path}  (--data <this> pins it)`
  return [line]
}

function httpLines({ http, token, directory }: Facts, style: BannerOptions['style']): readonly string[] {
  const [url] = http
  if (url === undefined) return [directory === undefined ? 'off' : 'off: commands still reach this node']
  const lines = http.map((each) => style('cyan', `${each}/api/docs`))
  if (token.kind !== 'given' && http.every((each) => isLoopback(new URL(each).hostname))) return lines
  return [...lines, ...tokenLines(token)]
}

function textLines({ text, token }: Facts, style: BannerOptions['style']): readonly string[] {
  if (text === undefined) return []
  const at = text.lastIndexOf(':')
  const host = text.slice(0, at).replace(/^\[(.*)\]$/, '$1')
  const line = `${style('cyan', `nc ${host} ${text.slice(at + 1)}`)}  (HELP says what to type)`
  if (token.kind !== 'given' && isLoopback(host)) return [line]
  return [line, ...tokenLines(token, ', behind AUTH on the first line')]
}

function tokenLines(token: Facts['token'], how = ''): readonly string[] {
  switch (token.kind) {
    case 'none':
      return []
    case 'stored':
      return [`needs a token${how}: npx rhizome-node token makes and shows one`]
    case 'given':
      return [`needs the token that it was started with${how}`]
    case 'shown':
      return [`needs the token ${token.token}${how}`]
  }
}

function shown(lines: readonly string[], countMax: number, none: string): readonly string[] {
  if (lines.length === 0) return [none]
  if (lines.length <= countMax) return lines
  return [...lines.slice(0, countMax - 1), `and ${lines.length - countMax + 1} more: npx rhizome-node status`]
}
