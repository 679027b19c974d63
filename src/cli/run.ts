/**
 * The default command: a node that runs until it is told to stop. Says once who it is and what it holds, then a line per
 * event that matters; as JSON the same, one object a line. Leaves a note for `invite` in its directory while it runs.
 */

import { homedir } from 'node:os'
import { RhizomeError } from '../errors.ts'
import { defaultHome, type DirectoryCard, listDirectories } from '../node/home.ts'
import type { RhizomeNode } from '../node/node.ts'
import { DEFAULT_PORT, type NodeOptions } from '../node/options.ts'
import { mayShare } from '../node/overlay.ts'
import { bannerLines, type Facts } from './banner.ts'
import { flagsTo } from './choice.ts'
import type { Config } from './config.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { Faces, Served, ServeOptions } from './faces.ts'
import { shortAddress, shortPath, shortTyped } from './paths.ts'
import { type LineContext, reportLines } from './report-lines.ts'
import type { Report } from './report.ts'
import { Reports } from './reports.ts'
import { leaveNote } from './running.ts'
import { counted, type Terminal, visible, wrapped } from './terminal.ts'

export interface RunParts {
  readonly config: Config
  readonly faces: Faces
  readonly terminal: Terminal
  /** Stops the node. */
  readonly signal: AbortSignal
}

const TICK_MS = 250
const TIME_COLUMNS = 8
const INDENT_COLUMNS = TIME_COLUMNS + 2

export async function run({ config, faces, terminal, signal }: RunParts): Promise<ExitCode> {
  if (config.topics.length === 0) {
    throw new RhizomeError('RZ_CLI_USAGE', 'say what to share, such as: npx rhizome-node --topic users (see --help)')
  }
  await using opening = new AsyncDisposableStack()
  const { openNode } = await import('../node/node.ts')
  const node = opening.use(await openNode(nodeOptions(config, terminal, signal)))
  // Before the banner: what happens while it is put together is told below it.
  const reporter = report(node, config, terminal)
  const served = opening.use(await faces.serve(node, serveOptions(config, terminal)))
  if (node.directory !== undefined) opening.use(await leaveNote(node.directory, { ...noteOf(node, config, served) }))
  const cards = node.directory === undefined ? [] : await listDirectories(config.home ?? defaultHome())
  const notices = [...config.notices, ...closedElsewhere(cards, config)]
  tellStart(node, served, { config: { ...config, notices }, cards, terminal })
  reporter.start()
  await aborted(signal)
  reporter.stop()
  const deltas = node.namespaces().reduce((sum, namespace) => sum + namespace.counts().deltas, 0)
  await opening.disposeAsync()
  tellStop({ directory: node.directory, deltas }, config, terminal)
  return EXIT.ok
}

/** What a node is opened with. */
export function nodeOptions(config: Config, terminal: Terminal, signal: AbortSignal): NodeOptions {
  const { holds, data, home, name, listen, secret } = config
  return {
    topics: holds,
    memory: config.memory,
    keep: config.keep,
    functions: config.functions,
    durability: config.durability,
    detector: config.detector,
    ...(config.members === undefined ? {} : { members: config.members }),
    contexts: config.contexts,
    ...(config.context === undefined || config.context === '' ? {} : { context: config.context }),
    signal,
    ...(data === undefined ? {} : { data }),
    ...(home === undefined ? {} : { home }),
    ...(name === undefined ? {} : { name }),
    network: {
      peers: config.peers,
      seeds: config.seeds,
      via: config.via,
      relay: config.relay,
      dht: config.dht,
      upnp: config.upnp,
      announce: config.announce,
      mdns: config.mdns,
      ...(listen === undefined ? {} : { listen }),
      ...(secret === undefined ? {} : { secret }),
      ...(config.verbose ? { log: (line: string) => terminal.err(line) } : {}),
    },
  }
}

function serveOptions(config: Config, terminal: Terminal): ServeOptions {
  const { http, httpHost, httpPort, httpToken, allowHosts, allowOrigins, secret, textPort, textHost } = config
  const port = httpPort === undefined ? {} : { port: httpPort }
  const token = httpToken === undefined ? {} : { token: httpToken }
  return {
    tcp: http && { host: httpHost, allowHosts, allowOrigins, ...port, ...token },
    ...(textPort !== undefined && { text: { host: textHost, port: textPort, ...token } }),
    overlay: secret === undefined ? 'open' : 'secret',
    onError: (error) =>
      terminal.err(
        `HTTP or text: ${visible(config.verbose && error instanceof Error ? (error.stack ?? '') : String(error))}`,
      ),
  }
}

/** Tells one who forgot the secret why the data is not there. */
function closedElsewhere(cards: readonly DirectoryCard[], { data, topics, secret }: Config): readonly string[] {
  if (data !== undefined) return []
  return cards
    .filter((card) => card.topics.some((topic) => topic === topics[0]) && !mayShare(card.overlay, secret))
    .map(
      (card) =>
        `${shortPath(card.directory)} holds ${topics[0] ?? ''} under ${secret === undefined ? 'a' : 'another'} --secret`,
    )
}

function noteOf(node: RhizomeNode, { topics, secret, mdns, peers, seeds }: Config, { urls }: Served) {
  const addresses = node.addresses()
  return {
    topics,
    peer: node.peerId,
    addresses,
    http: urls,
    mdns,
    peers,
    seeds,
    ...(secret === undefined ? {} : { secret }),
  }
}

interface Telling {
  readonly config: Config
  /** Of the directories under the home folder. */
  readonly cards: readonly DirectoryCard[]
  readonly terminal: Terminal
}

function tellStart(node: RhizomeNode, { urls, text, token }: Served, { config, cards, terminal }: Telling): void {
  const facts: Facts = {
    version: node.version,
    name: node.name,
    peerId: node.peerId,
    addresses: node.addresses(),
    topics: node.namespaces().map((namespace) => ({ name: namespace.name, deltas: namespace.counts().deltas })),
    access: config.secret === undefined ? 'open' : 'secret',
    mdns: config.mdns,
    directory: node.directory,
    isKeeper: config.keep,
    isRelay: config.relay,
    http: urls,
    ...(text !== undefined && { text }),
    token,
    notices: config.notices,
  }
  if (config.json) {
    const { directory = null, ...rest } = facts
    tellJson(terminal, { event: 'started', ...rest, directory })
    return
  }
  const flags = node.directory === undefined ? '' : flagsTo(node.directory, config.topics, cards)
  for (const line of bannerLines(facts, { style: terminal.style, home: homedir(), flags, columns: widthOf(terminal) }))
    terminal.out(line)
}

function tellStop(
  kept: { readonly directory: string | undefined; readonly deltas: number },
  config: Config,
  terminal: Terminal,
): void {
  const { directory, deltas } = kept
  if (config.json) return tellJson(terminal, { event: 'stopped', deltas, directory: directory ?? null })
  const where = directory === undefined ? 'nothing is kept' : `${counted(deltas, 'delta')} in ${shortPath(directory)}`
  tellLine(terminal, `stopped; ${where}`)
}

/** Follows the node's events until it is stopped. What happens before `start` is told then. */
function report(node: RhizomeNode, config: Config, terminal: Terminal): { start(): void; stop(): void } {
  const context: LineContext = {
    style: terminal.style,
    addresses: () => node.addresses(),
    topics: config.topics,
    isClosed: config.secret !== undefined,
    isAmbiguous: (name) => name === node.name || node.peers().filter((peer) => peer.name === name).length > 1,
    mdns: config.mdns,
  }
  const given = new Set([...config.peers, ...config.via].map((peer) => shortTyped(peer, DEFAULT_PORT)))
  const early: Report[] = []
  let tell = (one: Report) => void early.push(one)
  const reports = new Reports(
    {
      nameOf: (peer) => node.peers().find(({ id }) => id === peer)?.name,
      addressOf: (peer) => node.peers().find(({ id }) => id === peer)?.addresses[0],
      sharesTopic: (peer) => node.peers().some(({ id, namespaces }) => id === peer && namespaces.length > 0),
      isGiven: (address) => given.has(shortAddress(address)),
      statuses: () => node.namespaces().map((namespace) => ({ topic: namespace.name, status: namespace.status() })),
      deltasOf: (topic) => node.namespace(topic).counts().deltas,
    },
    // Those who come to a relay have topics of their own.
    (one) => (one.event === 'unshared' && config.relay ? undefined : tell(one)),
  )
  const leave = node.onEvent((event) => reports.hear(event, Date.now()))
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      tell = (one) => {
        if (config.json) tellJson(terminal, one)
        else for (const line of reportLines(one, context)) tellLine(terminal, line)
      }
      for (const one of early.splice(0)) tell(one)
      timer = setInterval(() => reports.tick(Date.now()), TICK_MS)
    },
    stop() {
      clearInterval(timer)
      leave()
      reports.flush(Date.now())
    },
  }
}

function tellJson(terminal: Terminal, event: object): void {
  terminal.out(JSON.stringify({ time: new Date().toISOString(), ...event }))
}

function tellLine(terminal: Terminal, line: string): void {
  const time = terminal.style('dim', clockTime(new Date()))
  // What begins with spaces is a command to be copied, which must stay whole.
  const lines = terminal.isTty && !line.startsWith(' ') ? wrapped(line, terminal.columns - INDENT_COLUMNS, 2) : [line]
  for (const [index, part] of lines.entries()) terminal.out(`${index === 0 ? time : ' '.repeat(TIME_COLUMNS)}  ${part}`)
}

/** Where nobody looks, nothing is broken. */
function widthOf({ isTty, columns }: Terminal): number {
  return isTty ? columns : Infinity
}

/** `09:05:07`, in the local time zone. */
function clockTime(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** Resolves when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  else signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
