/** Reports as lines for people: what happened, and what to do where something is to be done. Pure. */

import { isLocal, isRelayed, shellWord, shortAddress, shortId } from './paths.ts'
import type { OwnClock, PeerName, Report } from './report.ts'
import { counted, grouped, type Style, visible } from './terminal.ts'

/** What the lines need to know of the node. */
export interface LineContext {
  readonly style: (style: Style, text: string) => string
  /** Of this node, for the command that others type. */
  readonly addresses: () => readonly string[]
  readonly topics: readonly string[]
  readonly isClosed: boolean
  /** Whether this node, or more than one peer, has that name: then the id is told with it. */
  readonly isAmbiguous: (name: string) => boolean
  readonly mdns: boolean
}

const NAMES_SHOWN_MAX = 3
const MINUTE_MS = 60_000

export function reportLines(report: Report, context: LineContext): readonly string[] {
  const { style } = context
  const who = (peer: PeerName) => nameOf(peer, context)
  const warn = (text: string) => [style('yellow', '! ') + text]
  switch (report.event) {
    case 'connected':
      return [`${style('green', '+')} ${who(report)} connected  ${style('dim', shortAddress(report.address))}`]
    case 'direct':
      return [`${style('green', '+')} ${who(report)} connected directly  ${style('dim', shortAddress(report.address))}`]
    case 'relay': {
      const relay = shortAddress(report.address)
      if (!report.reserved) return warn(`the relay at ${relay} is gone; trying again`)
      return [`${style('green', '●')} can be reached through the relay at ${relay}: npx rhizome-node invite`]
    }
    case 'upnp':
      if (!report.mapped) return warn(`nobody outside reaches this node: ${visible(report.message)}; trying again`)
      return [
        `${style('green', '●')} can be reached at ${shortAddress(report.address)}, by UPnP: npx rhizome-node invite`,
      ]
    case 'disconnected':
      return [`${style('yellow', '-')} ${who(report)} disconnected`]
    case 'deltas': {
      const from = names(report.from.map(who))
      return [
        `${style('cyan', '↓')} ${report.topic}: ${counted(report.received, 'delta')} from ${from}, ${grouped(report.total)} now`,
      ]
    }
    case 'sync':
      return [syncLine(report, names(report.peers.map(who)), style)]
    case 'alone':
      return aloneLines(report, context)
    case 'wrong-secret':
      if (report.given) return warn(secretText(shortAddress(report.address), context.isClosed))
      return [`${style('yellow', '○')} ${strangerText(report.address, context.addresses())}`]
    case 'unshared':
      return [
        `${style('yellow', '○')} ${report.topic}: nobody here holds it; ` +
          `${report.connected === 1 ? 'the node' : `the ${grouped(report.connected)} nodes`} connected ` +
          `${report.connected === 1 ? 'shares' : 'share'} other topics. Is it typed the same there?`,
      ]
    case 'dial-failed': {
      // What the system said, in brackets, is for --json and --verbose.
      const why = visible(report.message.replace(/ \(.*\)$/, ''))
      const address = shortAddress(report.address)
      if (report.given) return warn(`cannot reach ${address}: ${why}; trying again`)
      return warn(`a node was found at ${address}, and ${why}: perhaps a firewall; trying on, without further words`)
    }
    case 'records-moved':
      return [
        `${style('green', '●')} ${report.topic}: ${counted(report.records, 'record')} written before the shards were known lie there now`,
      ]
    case 'shard':
      if (report.change === 'unheld')
        return warn(`${report.shard}: nobody who is there holds it; what is written to it waits here`)
      if (report.change === 'reached') return [`${style('green', '+')} ${report.shard}: somebody holds it again`]
      return [`${style('green', '+')} ${report.shard} is held here now`]
    case 'clock':
      return warn(
        `clocks differ: ${who(report)} is ${duration(report.offsetMs)} ${report.offsetMs > 0 ? 'ahead of' : 'behind'} ` +
          'this machine; set the one that is wrong',
      )
    case 'own-clock':
      return report.isOff ? warn(ownClockText(report)) : [`${style('green', '●')} the clock here is right again`]
    case 'presence':
      return [`message from ${report.peer}: tags: ${JSON.stringify(report.tags)}`]
    case 'message':
      // In quotes, where the line of a presence has none.
      return [`message from ${who(report)}: ${visible(JSON.stringify(report.message))}`]
    case 'member':
      // A suspicion is over in a second or two: it is for --json.
      if (report.state === 'down')
        return [`${style('yellow', '-')} ${report.topic}: ${who(report)} is down: nobody hears it`]
      return report.state === 'left' ? [`${style('yellow', '-')} ${report.topic}: ${who(report)} has left`] : []
    case 'future-block':
      return warn(
        `${report.topic}: ${shortId(report.peer)} has a block dated ${duration(report.aheadMs)} ahead; it is taken when due. ` +
          'If the time here is wrong, set it',
      )
    case 'log-renewed':
      return [
        `${style('yellow', '!')} ${report.topic}: writing goes on in a new log: ${visible(report.why)}; nothing is lost`,
      ]
    case 'reasserted':
      return [
        `${style('green', '✓')} ${report.topic}: ${counted(report.deltas, 'delta')} of a forked log written again`,
      ]
    case 'function-skipped':
      return warn(
        `${report.topic}: the function ${report.name} gave up on ${report.delta}: ${visible(report.why)} (${report.code})`,
      )
    case 'function-stopped':
      return warn(`${report.topic}: the function ${report.name} has stopped: ${visible(report.why)} (${report.code})`)
    case 'forked':
      return warn(
        `${report.topic}: the log ${shortLog(report.log)} forked at block ${report.cut}; ` +
          (report.own
            ? 'what is void of it is written again'
            : 'what its owner wrote since is void until written again'),
      )
    case 'rejected':
      return warn(`${report.topic}: refused what ${who(report)} sent: ${visible(report.why)} (${report.code})`)
    case 'sync-failed':
      return warn(
        `${report.topic}: sync with ${who(report)} broke off: ${syncWhy(report)}; it goes on at the next contact`,
      )
    case 'many-logs':
      return warn(
        `${report.topic}: ${report.creator} has begun ${report.logs} logs, far more than a user needs; all are kept, and take memory`,
      )
    case 'store-refused':
      return warn(`${report.topic}: cannot store what comes in: ${visible(report.why)} (${report.code})`)
    case 'announce-failed':
      return warn(`${report.topic}: a block was not gossiped: ${visible(report.why)}; sync brings it`)
  }
}

/** Said of this machine's clock when it is off. */
export function ownClockText({ offsetMs, peersCount, isSure }: OwnClock): string {
  const by = `${duration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} that of ${counted(peersCount, 'peer')}`
  return isSure ? `the clock here is ${by}: set it` : `the clock here is ${by}: set the one that is wrong`
}

/** What the network says of streams and protocols is for --json and --verbose. */
function syncWhy({ code, why }: { readonly code: string; readonly why: string }): string {
  return code.startsWith('RZ_NET_') ? 'no answer from there' : visible(why)
}

function syncLine(
  { topic, status }: Extract<Report, { event: 'sync' }>,
  peers: string,
  style: LineContext['style'],
): string {
  switch (status.kind) {
    case 'alone':
      return `${style('yellow', '○')} ${topic}: alone; nobody who holds it is connected`
    case 'looking':
      return `${style('yellow', '○')} ${topic}: looking; no sync is complete yet`
    case 'behind':
      return `${style('yellow', '○')} ${topic}: behind by ${counted(status.blocks, 'block')} of ${peers}`
    case 'in-sync':
      return `${style('green', '●')} ${topic}: in sync with ${peers}`
    case 'full':
      return `${style('red', '!')} ${topic}: the disk is full; free some room, reads go on`
  }
}

function aloneLines(
  { interfaces, queriesSent, answersHeard }: Extract<Report, { event: 'alone' }>,
  { style, addresses, topics, isClosed, mdns }: LineContext,
): readonly string[] {
  const on = interfaces.length === 0 ? 'no interface but loopback' : interfaces.join(', ')
  const heard = answersHeard === 0 ? 'heard nobody' : `heard ${counted(answersHeard, 'answer')}, and nobody connected`
  const account = mdns
    ? `asked ${counted(queriesSent, 'time')} by mDNS on ${on}, ${heard}`
    : 'mDNS is off here (--no-mdns)'
  const dialable = addresses().filter((address) => !isLocal(address) && !isRelayed(address))
  const [address] = dialable.length > 0 ? dialable : addresses()
  const line = `${style('yellow', '○')} alone so far: ${account}`
  if (address === undefined) return [line]
  const flags = topics.map((topic) => `--topic ${topic}`).join(' ')
  const secret = isClosed ? ' --secret <the same>' : ''
  const where = dialable.length > 0 ? 'On the other machine type' : 'It listens on this machine alone; here type'
  const command = `npx rhizome-node ${flags} --peer ${shellWord(shortAddress(address))}${secret}`
  return [`${line}. ${where}:`, `  ${style('bold', command)}`]
}

function secretText(address: string, isClosed: boolean): string {
  const what = isClosed ? 'has another one, or none' : 'has one and this node none, or is no rhizome node'
  const how = isClosed ? 'join' : 'give --secret, or join'
  return `wrong secret: ${address} ${what}; ${how} by the line that npx rhizome-node invite prints there`
}

/** Most often it is none of ours: said calmly, without the port, which is that of a moment. */
function strangerText(address: string, ownAddresses: readonly string[]): string {
  const [place, ...own] = [address, ...ownAddresses].map((each) => each.replace(/\/tcp\/.*$/, ''))
  const isHere = isLocal(address) || own.some((each) => each === place)
  const host = isHere ? 'on this machine' : `near, at ${shortAddress(address).replace(/:\d+$/, '')}`
  return (
    `a node with another secret, or none, is ${host} (ignored); if it should share this, ` +
    'join by the line that npx rhizome-node invite prints there'
  )
}

function nameOf({ peer, name }: PeerName, { isAmbiguous }: LineContext): string {
  if (name === undefined) return shortId(peer)
  return isAmbiguous(name) ? `${visible(name)} ${shortId(peer)}` : visible(name)
}

/** `a, b and 3 others`. */
function names(all: readonly string[]): string {
  if (all.length <= NAMES_SHOWN_MAX) {
    return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`
  }
  return `${all.slice(0, NAMES_SHOWN_MAX - 1).join(', ')} and ${all.length - NAMES_SHOWN_MAX + 1} others`
}

function duration(ms: number): string {
  const size = Math.abs(ms)
  if (size < 2 * MINUTE_MS) return `${Math.round(size / 1_000)} s`
  if (size < 120 * MINUTE_MS) return `${Math.round(size / MINUTE_MS)} min`
  const hours = Math.round(size / (60 * MINUTE_MS))
  return hours < 48 ? `${hours} h` : `${grouped(Math.round(hours / 24))} days`
}

/** Of `<creator>/<log id>`. */
function shortLog(log: string): string {
  const [creator = '', id = ''] = log.split('/')
  return `${shortId(creator)}/${id.slice(0, 8)}`
}
