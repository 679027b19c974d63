/** What a finding of `doctor` means, in words: what was found, and what to do about it. */

import type { Finding, FoundInterface } from '../node/diagnosis/finding.ts'
import { DEFAULT_PORT } from '../node/options.ts'
import { duration } from './status.ts'
import { roundTripText } from './peers.ts'
import { shellWord, shortAddress, shortId, shortPath, shortTyped } from './paths.ts'
import { counted } from './terminal.ts'

export interface Words {
  readonly says: string
  /** Sentences; what begins with a space is to be typed. Empty where nothing is wrong. */
  readonly todo: readonly string[]
}

const NAME_A_PEER = 'name the other node where this one starts: --peer <its address>'
const GUEST_NETWORKS =
  'guest and office Wi-Fi, VPNs, containers and clouds often carry no multicast between machines: ' + NAME_A_PEER

export function wordsOf(finding: Finding): Words {
  switch (finding.kind) {
    case 'node-version':
      return finding.verdict === 'pass'
        ? ok(`Node ${finding.version}`)
        : words(`Node ${finding.version} is too old`, `install Node ${finding.needed} or newer: https://nodejs.org`)
    case 'disk-good':
      return ok(
        `${shortPath(finding.directory)} can be written; ${size(finding.freeBytes)} free; synced in ${finding.syncMs.toFixed(1)} ms`,
      )
    case 'disk-low':
      return words(
        `only ${size(finding.freeBytes)} free at ${shortPath(finding.directory)}`,
        'free some, or give another folder: --data <directory>',
      )
    case 'disk-unwritable':
      return words(
        `${shortPath(finding.directory)} cannot be written (${finding.why})`,
        'give it to the user that runs the node, or give another folder: --data <directory>',
      )
    case 'store-whole':
      return ok(`the log is whole (${size(finding.bytes)}, quick check)`)
    case 'store-none':
      return ok('no data yet')
    case 'store-large':
      return ok(`${size(finding.bytes)}: too large for a quick check; rhizome-node repair reads it all`)
    case 'store-damaged':
      return words(
        `the log in ${shortPath(finding.directory)} is damaged: ${finding.why}`,
        'stop the node and mend it:',
        ` npx rhizome-node repair --data ${dataOf(finding.directory)}`,
      )
    case 'store-newer':
      return words(
        `the store was written by a later version (format ${finding.format})`,
        'use that version or a newer one',
      )
    case 'store-held':
      return words(
        `a process has the store open and does not answer: ${finding.holder}`,
        'stop that process, then start the node again',
      )
    case 'identity-good':
      return ok(finding.peer)
    case 'identity-none':
      return ok('none yet: it is made when a node first starts')
    case 'identity-unreadable':
      return words(
        `the key cannot be read: ${finding.why}`,
        'give the file back to this user, or bring the key back: npx rhizome-node identity import --help',
      )
    case 'identity-exposed':
      return words(
        `other users of this machine can read the private key (mode ${finding.mode})`,
        'keep it to yourself:',
        ` chmod 600 ${shellWord(finding.path)}`,
      )
    case 'identity-twin':
      return words(
        `another node has this node's identity, at ${shortTyped(finding.address, DEFAULT_PORT)}: the two can never connect`,
        'one directory was copied: remove its folder "identities" while that node is stopped, and it makes a new one. Its data stays',
      )
    case 'overlay-open':
      return ok('none: the network is open')
    case 'overlay-closed':
      return ok('given: only nodes with the same one connect')
    case 'secret-differs':
      return words(
        `the data in ${shortPath(finding.directory)} was shared under ${finding.isGiven ? 'another secret than the one given' : 'a secret, and none was given'}`,
        'start with that --secret, or with another --data',
      )
    case 'clock-good':
      return ok(`${offset(finding.offsetMs)} against ${counted(finding.peersCount, 'peer')}`)
    case 'clock-off':
      return finding.isSure
        ? words(
            `this machine's clock is ${offBy(finding.offsetMs)} by ${counted(finding.peersCount, 'peer')}: what it writes waits, or looks old`,
            'set it, best by NTP (timedatectl set-ntp true)',
          )
        : words(
            `this machine's clock and that of ${counted(finding.peersCount, 'peer')} differ by ${duration(Math.abs(finding.offsetMs))}`,
            'see which of them is wrong, and set it, best by NTP (timedatectl set-ntp true)',
          )
    case 'clock-differs':
      return words(
        `the clock of peer ${shortId(finding.peer)} is ${offBy(finding.offsetMs)}`,
        'see which of them is wrong, and set it, best by NTP (timedatectl set-ntp true)',
      )
    case 'clock-alone':
      return ok('nothing to compare with: it is compared with those of connected peers')
    case 'interfaces-good':
      return ok(interfacesText(finding.interfaces))
    case 'interfaces-loopback':
      return words(
        'nothing but loopback is up: only nodes on this machine can be reached',
        'connect the machine to a network',
      )
    case 'interfaces-virtual':
      return words(
        `only VPN, container or virtual interfaces: ${interfacesText(finding.interfaces)}`,
        `they seldom carry multicast: ${NAME_A_PEER}`,
      )
    case 'interfaces-no-ipv4':
      return words(
        `no IPv4 address: ${interfacesText(finding.interfaces)}`,
        'peers are not found by multicast over IPv6 alone: start with --listen [::]:4000, and name the other node with --peer',
      )
    case 'port-free':
      return ok(`${shortAddress(finding.address)} is free`)
    case 'port-taken':
      return taken(finding)
    case 'port-refused':
      return words(
        `${shortAddress(finding.address)} cannot be listened on: ${finding.why}`,
        "give an address of this machine's: --listen <port>, or ip:port",
      )
    case 'port-reached':
      return ok(`reached from here at ${finding.addresses.map(shortAddress).join(', ')}`)
    case 'port-unreached':
      return words(
        `the node says it listens on ${shortAddress(finding.address)}, and cannot be reached there even from here (${finding.why})`,
        'a firewall of this machine stands between: see below; else restart the node',
      )
    case 'port-closed':
      return words(
        'the node listens nowhere: nobody can dial it',
        'start it without --listen, or with a port: --listen 4000',
      )
    case 'firewall-none':
      return ok('none seen on this machine')
    case 'firewall-active':
      return words(
        `${finding.firewall} filters what comes in: nodes need their TCP port, and UDP 5353 to be found`,
        'unless rules let these through already:',
        ...finding.rules.map((rule) => ` ${rule}`),
      )
    case 'firewall-unknown':
      return ok(
        finding.why === 'rights' ? 'only root can see the rules: sudo, and look again' : 'not known on this system',
      )
    case 'multicast-heard':
      return ok(
        `${counted(finding.answers.length, 'node')} answered: ${finding.answers.map(({ id, address }) => `${shortAddress(address)} (${shortId(id)})`).join(', ')}`,
      )
    case 'multicast-quiet':
      return words(
        `asked on ${finding.interfaces.join(', ')}; no node answered`,
        'start a node on another machine of this network, then look again',
        GUEST_NETWORKS,
      )
    case 'multicast-alone':
      return words(
        `this node answered, and no other (asked on ${finding.interfaces.join(', ')})`,
        'is the other one running, without --no-mdns? Try doctor there',
        GUEST_NETWORKS,
      )
    case 'multicast-deaf':
      return words(
        `what was sent did not come back${finding.interfaces.length === 0 ? '' : ` on ${finding.interfaces.join(', ')}`}: UDP port 5353 is blocked on this machine`,
        'let it through in the firewall (see above)',
        `or ${NAME_A_PEER}`,
      )
    case 'multicast-unsent':
      return words(
        `the question could not be sent: ${finding.why}`,
        'without a default route multicast goes nowhere; give it one (eth0 stands for your interface):',
        ' sudo ip route add 224.0.0.0/4 dev eth0',
        `or ${NAME_A_PEER}`,
      )
    case 'multicast-unanswered':
      return words(
        'the node that runs here did not answer',
        'it was started with --no-mdns, or went deaf: restart it without',
      )
    case 'multicast-port':
      return words(
        `UDP port 5353 cannot be shared: ${finding.why}`,
        'another program holds it for itself alone (sudo ss -lunp sport = :5353): stop it, or ' + NAME_A_PEER,
      )
    case 'multicast-off':
      return ok('not tried: --no-mdns')
    case 'peers-none':
      return ok('none to ask: name one with --peer <address>')
    case 'peer-address':
      return words(finding.why, 'see --peer in npx rhizome-node --help')
    case 'peer-resolved':
      return ok(`${finding.host} is ${finding.addresses.map(shortAddress).join(', ')}`)
    case 'peer-unresolved':
      return words(
        `the name ${finding.host} says nothing here: ${finding.why}`,
        'see that it is spelt right, or give the address instead',
      )
    case 'peer-reached':
      return ok('TCP connects')
    case 'peer-refused':
      return words(
        'the machine is there, and nothing listens on that port',
        'start the node there; its banner and npx rhizome-node status say at which port it is',
        'or a firewall there says no: let the port through',
      )
    case 'peer-silent':
      return words(
        'no answer at all',
        'is the machine up, and the address right?',
        'else a firewall there, or between, swallows what is sent: let the TCP port through',
      )
    case 'peer-no-route':
      return words(
        'there is no way from here to that address',
        'this machine is on another network: see interfaces above, its routes and its VPN',
      )
    case 'peer-unreached':
      return words(`cannot be reached (${finding.why})`, 'see that the address and the port are right')
    case 'peer-met':
      return ok(`the handshake went well; it is ${finding.id}`)
    case 'peer-self':
      return words('this is the address of this node itself', 'give the address of another machine')
    case 'peer-secret':
      return finding.hasSecret
        ? words('it hangs up: it has another secret than this node, or none', 'give both the same --secret')
        : words(
            'it hangs up: it has a secret and this node none, or it is no rhizome node',
            'give this node the --secret of the other; see that the port is that of the node, not of its HTTP API',
          )
    case 'peer-hung-up':
      return words(finding.why, 'ask its owner: a list of allowed peers without this one, or too many connections')
    case 'peer-other':
      return words(finding.why, 'see that the address is that of the node which you mean')
    case 'peer-speaks':
      return ok(`speaks ${finding.protocols.join(', ')}`)
    case 'peer-version':
      return words(
        `it is of another version: it speaks ${finding.speaks.join(', ')}, and not ${finding.missing.join(', ')}`,
        'bring both nodes to the same version: npx rhizome-node --version',
      )
    case 'peer-stranger':
      return words(`it is no rhizome node (${finding.agent})`, 'see that the port is that of the node')
    case 'peer-answers':
      return ok(`round trip ${roundTripText(finding.roundTripMs)}`)
    case 'peer-no-answer':
      return words(
        `it is connected and answers no ping: ${finding.why}`,
        'it is overloaded or stands still: look at its machine',
      )
    case 'peer-shares':
      return ok(`holds ${finding.topics.join(', ')}`)
    case 'peer-shares-none':
      return words(
        `holds none of ${finding.topics.join(', ')}`,
        `start it with the same --topic: names are compared letter by letter`,
      )
    case 'namespace-held':
      return ok(`${finding.topic}: held by ${counted(finding.peersCount, 'other node')}`)
    case 'namespace-unasked':
      return finding.triedCount === 0
        ? words(
            `${finding.topic}: nobody is there to hold it`,
            'start another node with the same topic:',
            ` npx rhizome-node --topic ${finding.topic}`,
          )
        : words(`${finding.topic}: nobody could be asked`, 'what failed above comes first')
    case 'namespace-alone':
      return words(
        finding.metCount === 1
          ? `${finding.topic}: the node that was met does not hold it`
          : `${finding.topic}: none of the ${finding.metCount} nodes that were met holds it`,
        'start both with the same --topic: names are compared letter by letter',
      )
    case 'namespace-unnamed':
      return ok('no topic was named: give --topic to see who holds it')
  }
}

function taken({ address, isGiven, holder }: Extract<Finding, { kind: 'port-taken' }>): Words {
  const who = holder === 'node' ? 'another rhizome node' : 'another program, or a node under another secret'
  const says = `${shortAddress(address)} is held by ${who}`
  if (isGiven) return words(says, 'stop it, or listen elsewhere: --listen <port>')
  return words(says, 'a node started here takes the next free port: whoever dials it by --peer must name that one')
}

function ok(says: string): Words {
  return { says, todo: [] }
}

function words(says: string, ...todo: readonly string[]): Words {
  return { says, todo }
}

function interfacesText(interfaces: readonly FoundInterface[]): string {
  return interfaces
    .map(({ name, address, kind }) => `${name} ${address}${kind === 'lan' || kind === 'loopback' ? '' : ` (${kind})`}`)
    .join(', ')
}

/** `1.4 GB`, `230 MB`, `12 kB`. */
function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(bytes >= 1e10 ? 0 : 1)} GB`
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e3)} kB`
}

function offset(offsetMs: number): string {
  return `off by ${(Math.abs(offsetMs) / 1_000).toFixed(1)} s`
}

function offBy(offsetMs: number): string {
  return `${duration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind'}`
}

/** The store lies in a folder of the node's directory. */
function dataOf(store: string): string {
  return shellWord(shortPath(store.replace(/[/\\]store$/, '')))
}
