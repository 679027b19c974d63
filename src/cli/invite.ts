/** The commands `invite` and `join`: from a running node to a colleague's, by one line. */

import { text } from 'node:stream/consumers'
import { RhizomeError } from '../errors.ts'
import type { Call } from './call.ts'
import { Control } from './control.ts'
import { findDirectory } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { formatInvitation, type Invitation, invitedPeers, parseInvitation } from './invitation.ts'
import { isLocal, shortPath, withoutPeer } from './paths.ts'
import { run } from './run.ts'
import { readNote } from './running.ts'

export async function invite(call: Call): Promise<ExitCode> {
  const { config, terminal } = call
  const { directory, topics: held, socketPath, isRunning } = await findDirectory(call, { changes: true })
  const note = await readNote(directory)
  if (!isRunning || note === undefined) {
    const topic = config.topics[0] ?? held[0] ?? 'users'
    const message = `the node in ${shortPath(directory)} does not run: start it with npx rhizome-node --topic ${topic}, then invite`
    throw new RhizomeError('RZ_CLI_NO_NODE', message)
  }
  const { topics, peer, secret } = note
  const addresses = await addressesNow(socketPath)
  const invitation: Invitation = {
    topics,
    peer,
    addresses: addresses.map(withoutPeer),
    ...(secret === undefined ? {} : { secret }),
  }
  const line = formatInvitation(invitation)
  terminal.out(config.json ? JSON.stringify({ line, ...invitation, secret: secret !== undefined }) : line)
  if (!config.json) for (const remark of remarks(invitation)) terminal.err(remark)
  return EXIT.ok
}

/** Where it listens now: a relay may have given it a place since it started, or another network another address. */
async function addressesNow(socketPath: string): Promise<readonly string[]> {
  await using control = new Control(socketPath)
  const { body } = await control.ask<{ readonly addresses: readonly string[] }>(['api', 'status'])
  return body.addresses
}

function remarks({ addresses, secret }: Invitation): readonly string[] {
  const lines = ['Your colleague types: npx rhizome-node join <this line>']
  if (secret !== undefined) lines.push('The secret is in it: give it to nobody who should not read and write.')
  if (addresses.every(isLocal)) lines.push('This node listens on this machine alone, so it works here only.')
  return lines
}

export async function join(call: Call): Promise<ExitCode> {
  const [word = ''] = call.words
  const invitation = parseInvitation(word === '-' ? await text(call.stdin) : word)
  const { topics, secret } = invitation
  const { config } = call
  if (config.secret !== undefined && config.secret !== secret) {
    throw new RhizomeError('RZ_CLI_USAGE', 'the invitation has a secret of its own, or none: leave out --secret')
  }
  const joined = {
    ...config,
    topics: [...new Set([...topics, ...config.topics])],
    // What is held of a namespace is this node's own matter.
    holds: [...topics.filter((topic) => !config.topics.includes(topic)), ...config.holds],
    peers: [...new Set([...invitedPeers(invitation), ...config.peers])],
    ...(secret === undefined ? {} : { secret }),
  }
  return run({ ...call, config: joined })
}
