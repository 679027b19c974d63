/**
 * The one place where flags, environment and `rhizome.config.json` become settings: flags over environment over file.
 * Refuses whatever it does not know, with the nearest known name (RZ_CLI_USAGE for flags, RZ_CLI_CONFIG for the rest).
 * issue "The node runs", Flags.
 */

import { readFileSync, statSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { RhizomeError } from '../errors.ts'
import type { ContextInput } from '../node/definition-input.ts'
import { DETECTOR_PRESETS, type Durability } from '../node/options.ts'
import { nearest } from '../node/nearest.ts'
import {
  CONFIG_FILE,
  CONTEXTS_KEY,
  flagOf,
  HOME_VARIABLE,
  IGNORED_VARIABLES,
  type Setting,
  type SettingKey,
  SETTINGS,
  variableOf,
} from './settings.ts'

export interface Config {
  /** Names of namespaces. */
  readonly topics: readonly string[]
  /** The same as they were given: `shop:*:a-g` holds a shard, `shop:none` none. */
  readonly holds: readonly string[]
  readonly peers: readonly string[]
  /** Names whose DNS records are peers. */
  readonly seeds: readonly string[]
  /** Relays to be reached through. */
  readonly via: readonly string[]
  readonly relay: boolean
  /** Meets nodes of its topics in a DHT. */
  readonly dht: boolean
  readonly upnp: boolean
  readonly secret?: string
  readonly name?: string
  /** Multiaddrs; absent: the default port, or the next free one. */
  readonly listen?: readonly string[]
  /** Where others outside reach this node. */
  readonly announce: readonly string[]
  readonly mdns: boolean
  readonly data?: string
  readonly home?: string
  readonly memory: boolean
  readonly keep: boolean
  readonly functions: boolean
  readonly durability: Durability
  readonly detector: DetectorPreset
  /** The declared ones. */
  readonly members?: readonly string[]
  /** Empty: none, whatever the node was started with. */
  readonly context?: string
  /** Contexts of this node alone, as the file has them. */
  readonly contexts: Readonly<Record<string, ContextInput>>
  readonly http: boolean
  /** Absent: the default port, or the next free one. */
  readonly httpPort?: number
  readonly httpHost: string
  /** Absent: the one whose hash lies in the node's directory. */
  readonly httpToken?: string
  /** Absent: no line protocol. */
  readonly textPort?: number
  readonly textHost: string
  readonly allowHosts: readonly string[]
  readonly allowOrigins: readonly string[]
  readonly json: boolean
  readonly verbose: boolean
  /** What the user should know about where settings came from, in sentences. */
  readonly notices: readonly string[]
}

/** What was typed: lists as typed, switches as true or (by their inverse) false. */
export type Flags = Readonly<Partial<Record<SettingKey, string | boolean | readonly string[]>>>

export interface ConfigSources {
  readonly flags: Flags
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where `rhizome.config.json` is looked for. */
  readonly directory: string
}

type DetectorPreset = keyof typeof DETECTOR_PRESETS

/** Largest configuration file that is read. */
const CONFIG_BYTES_MAX = 65_536
const SECRET_BYTES_MAX = 4_096
const TOKEN_BYTES_MAX = 4_096
/** What may stand behind `Bearer` (RFC 6750, 2.1), and is not guessed soon. */
const TOKEN = /^[\w\-.~+/]{16,}=*$/
const PORT_MAX = 65_535

/** A value and the words by which its giver knows it. */
interface Given {
  readonly value: unknown
  readonly where: string
}

type Layer = ReadonlyMap<string, Given>

export function readConfig({ flags, env, directory }: ConfigSources): Config {
  const notices: string[] = []
  const environment = environmentLayer(env, notices)
  const file = fileLayer(directory, notices)
  const layers = [flagLayer(flags), environment, file]
  const find = (key: SettingKey): Given | undefined =>
    layers.map((layer) => layer.get(key)).find((given) => given !== undefined)
  const text = (key: SettingKey) => optional(find(key), readText)
  const list = (key: SettingKey) => optional(find(key), readList)
  const on = (key: SettingKey) => optional(find(key), readSwitch) ?? false
  const home = env[HOME_VARIABLE]
  return {
    topics: [...new Set((list('topic') ?? []).map((topic) => topic.split(':', 1)[0] ?? topic))],
    holds: list('topic') ?? [],
    peers: list('peer') ?? [],
    seeds: list('seed') ?? [],
    via: list('via') ?? [],
    relay: on('relay'),
    dht: on('dht'),
    upnp: on('upnp'),
    ...defined(
      'secret',
      optional(find('secret'), (given) => readSecret(given, directory)),
    ),
    ...defined('name', text('name')),
    ...defined('listen', optional(find('listen'), readListen)),
    announce: list('announce') ?? [],
    mdns: !on('noMdns'),
    ...defined('data', text('data')),
    ...defined('home', home === '' ? undefined : home),
    memory: on('memory'),
    keep: on('keep'),
    functions: on('functions'),
    durability: optional(find('durability'), readDurability) ?? 'normal',
    detector: optional(find('detector'), readDetector) ?? 'lan',
    ...defined('members', list('members')),
    ...defined('context', optional(find('context'), readContext)),
    contexts: readContexts(file.get(CONTEXTS_KEY)),
    http: !on('noHttp'),
    ...defined('httpPort', optional(find('httpPort'), readPort)),
    httpHost: text('httpHost') ?? '127.0.0.1',
    ...defined(
      'httpToken',
      optional(find('httpToken'), (given) => readToken(given, directory)),
    ),
    ...defined('textPort', optional(find('textPort'), readPort)),
    textHost: text('textHost') ?? '127.0.0.1',
    allowHosts: list('allowHost') ?? [],
    allowOrigins: list('allowOrigin') ?? [],
    json: on('json'),
    verbose: on('verbose'),
    notices,
  }
}

function flagLayer(flags: Flags): Layer {
  return new Map(Object.entries(flags).map(([key, value]) => [key, { value, where: flagOf(key) }]))
}

function environmentLayer(env: ConfigSources['env'], notices: string[]): Layer {
  const keys = new Map<string, string>()
  for (const setting of SETTINGS as readonly Setting[]) {
    for (const original of setting.originals ?? []) keys.set(original, setting.key)
    keys.set(variableOf(setting.key), setting.key)
  }
  const known = [...keys.keys(), HOME_VARIABLE, ...IGNORED_VARIABLES]
  const layer = new Map<string, Given>()
  for (const [name, value] of Object.entries(env)) {
    // An empty variable is one that compose.yaml or a script left out.
    if (!name.startsWith('RHIZOME_') || value === undefined || value === '' || name === HOME_VARIABLE) continue
    if ((IGNORED_VARIABLES as readonly string[]).includes(name)) {
      notices.push(`${name} is not needed: one port (--listen) serves both directions now`)
      continue
    }
    const key = keys.get(name)
    if (key === undefined) throw configError(`unknown variable ${name}${meant(name, known)}`)
    const own = variableOf(key)
    if (name !== own && (env[own] ?? '') !== '') notices.push(`${name} is ignored: ${own} is given, too`)
    else layer.set(key, { value, where: name })
  }
  return layer
}

function fileLayer(directory: string, notices: string[]): Layer {
  const path = join(directory, CONFIG_FILE)
  const text = readSmallFile(path, CONFIG_BYTES_MAX)
  if (text === undefined) return new Map()
  const content = parseJson(path, text)
  const known = [...SETTINGS.map(({ key }) => key as string), CONTEXTS_KEY]
  const layer = new Map<string, Given>()
  for (const [key, value] of Object.entries(content)) {
    if (key === '$schema') continue
    if (!known.includes(key)) throw configError(`unknown key "${key}" in ${CONFIG_FILE}${meant(key, known)}`)
    layer.set(key, { value, where: `"${key}" in ${CONFIG_FILE}` })
  }
  if (layer.size > 0) notices.push(`settings are taken from ${path}`)
  return layer
}

function parseJson(path: string, text: string): object {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw configError(`${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
  if (isObject(content)) return content
  throw configError(`${path} must hold one JSON object, such as { "topic": ["users"] }`)
}

/** The file's text; undefined when there is none. */
function readSmallFile(path: string, bytesMax: number): string | undefined {
  try {
    const file = statSync(path)
    if (!file.isFile()) return undefined
    if (file.size > bytesMax) throw configError(`${path} has ${file.size} bytes; at most ${bytesMax} are read`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof RhizomeError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw configError(`${path} cannot be read: ${String(error)}`, error)
  }
}

function readText({ value, where }: Given): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim()
  throw configError(`${where} must be a text that is not empty`)
}

function readContext({ value, where }: Given): string {
  if (typeof value === 'string') return value.trim()
  throw configError(`${where} must be the id of a context, or empty for none`)
}

/** What is in them is checked by the node that opens. */
function readContexts(given: Given | undefined): Readonly<Record<string, ContextInput>> {
  const { value = {}, where = '' } = given ?? {}
  const isEach = isObject(value) && Object.values(value).every(isObject)
  if (isEach) return value as Readonly<Record<string, ContextInput>>
  throw configError(`${where} must be an object of contexts by id, such as { "audit": { "negations": "author" } }`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readList({ value, where }: Given): readonly string[] {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  const items = parts.flatMap((part) => {
    if (typeof part !== 'string') throw configError(`${where} must be a text, or a list of texts`)
    return part.split(',').map((item) => item.trim())
  })
  return [...new Set(items.filter((item) => item !== ''))]
}

function readSwitch({ value, where }: Given): boolean {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  if (['0', 'false', 'no', 'off'].includes(word)) return false
  throw configError(`${where} must be true or false, not ${JSON.stringify(value)}`)
}

function readPort({ value, where }: Given): number {
  const port = typeof value === 'number' ? value : typeof value === 'string' && isDigits(value) ? Number(value) : -1
  if (Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return port
  throw configError(`${where} must be a port from 0 (any free one) to ${PORT_MAX}, not ${JSON.stringify(value)}`)
}

function readDurability({ value, where }: Given): Durability {
  if (value === 'normal' || value === 'full') return value
  throw configError(`${where} must be normal or full, not ${JSON.stringify(value)}`)
}

function readDetector({ value, where }: Given): DetectorPreset {
  const presets = Object.keys(DETECTOR_PRESETS) as DetectorPreset[]
  const preset = presets.find((each) => each === value)
  if (preset !== undefined) return preset
  throw configError(`${where} must be one of ${presets.join(', ')}, not ${JSON.stringify(value)}`)
}

function readListen(given: Given): readonly string[] {
  const { value, where } = given
  const listed = typeof value === 'number' ? [String(value)] : readList(given)
  return listed.map((text) => listenAddress(text, where))
}

/** `4001`, `127.0.0.1:4001`, `[::1]:4001` or a multiaddr, as a multiaddr. */
function listenAddress(text: string, where: string): string {
  if (text.startsWith('/')) return text
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[2] ?? -1)
  const host = (match?.[1] ?? '0.0.0.0').replace(/^\[(.*)\]$/, '$1')
  if (port >= 0 && port <= PORT_MAX) {
    if (host === 'localhost') return `/ip4/127.0.0.1/tcp/${port}`
    if (isIPv4(host)) return `/ip4/${host}/tcp/${port}`
    if (isIPv6(host) && text.startsWith('[')) return `/ip6/${host}/tcp/${port}`
  }
  throw configError(`${where} must be a port, ip:port or a multiaddr such as /ip4/0.0.0.0/tcp/4000, not "${text}"`)
}

function readSecret(given: Given, directory: string): string {
  const { text, content, isPath } = readTextOrFile(given, directory, SECRET_BYTES_MAX)
  if (content === undefined && isPath) throw configError(`${given.where}: there is no file ${text}`)
  const secret = (content ?? text).trim()
  if (secret === '') throw configError(`${given.where}: the file ${text} is empty`)
  return secret
}

/** Other than the secret of an overlay, it has no business on a command line, which every user of the machine can see. */
function readToken(given: Given, directory: string): string {
  const { text, content, isPath } = readTextOrFile(given, directory, TOKEN_BYTES_MAX)
  // It may be a token that begins with a slash: it is not shown.
  if (content === undefined && isPath) throw configError(`${given.where}: there is no file of that name`)
  if (content === undefined && given.where === flagOf('httpToken'))
    throw configError(`${given.where} must be the name of a file: a token itself goes into ${variableOf('httpToken')}`)
  const token = (content ?? text).trim()
  if (TOKEN.test(token)) return token
  throw configError(`${given.where} must hold a token of 16 characters at least: letters, digits and -._~+/=`)
}

/** A text, the content of the file if it names one, and whether it looks as if it should. */
function readTextOrFile(given: Given, directory: string, bytesMax: number) {
  const text = readText(given)
  const isPath = /^(\.{0,2}[/\\]|[A-Za-z]:[/\\])/.test(text)
  const path = isPath && !text.startsWith('.') ? text : join(directory, text)
  const content = text.includes('\0') ? undefined : readSmallFile(path, bytesMax)
  return { text, content, isPath }
}

function isDigits(text: string): boolean {
  return /^\s*\d{1,5}\s*$/.test(text)
}

function optional<T>(given: Given | undefined, read: (given: Given) => T): T | undefined {
  return given === undefined ? undefined : read(given)
}

function defined<K extends string, T>(key: K, value: T | undefined): { readonly [key in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]?: T })
}

function meant(word: string, known: readonly string[]): string {
  const guess = nearest(word, known)
  return guess === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${guess}?`
}

function configError(message: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_CLI_CONFIG', message, { cause })
}
