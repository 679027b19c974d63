/** The command `say`: a message that is not data, to the nodes that are there. */

import { RhizomeError } from '../errors.ts'
import type { Call } from './call.ts'
import { type Door, openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { counted, visible } from './terminal.ts'

interface NamedPeer {
  readonly peer: string
  readonly name: string
  readonly state: string
}

export async function say(call: Call): Promise<ExitCode> {
  const { config, terminal, options } = call
  const [message = ''] = call.words
  await using door = await openDoor(call, { about: 'node', changes: true })
  if (!door.isRunning) {
    terminal.err(`no node runs here: start one with npx rhizome-node --topic ${door.topic}`)
    return EXIT.noNode
  }
  const wanted = options['to']
  const to = typeof wanted === 'string' ? { to: await addressee(door, wanted) } : {}
  const path = ['api', 'ns', door.topic, 'messages']
  const { body } = await door.control.ask<{ neighbours: number }>(path, { method: 'POST', body: { message, ...to } })
  if (config.json) terminal.out(JSON.stringify(body))
  else if (body.neighbours > 0) terminal.out(`said to ${counted(body.neighbours, 'node')}, and passed on by them`)
  if (body.neighbours > 0) return EXIT.ok
  terminal.err(`nobody is connected who holds ${door.topic}: nobody heard it`)
  return EXIT.failed
}

/** The id of the member of that name; what is no name is left for the node to judge. */
async function addressee(door: Door, wanted: string): Promise<string> {
  const { body } = await door.control.ask<readonly NamedPeer[]>(['api', 'ns', door.topic, 'members'])
  const named = body.filter(({ name, state }) => name === wanted && state !== 'left')
  const [first, second] = named
  if (second !== undefined) {
    const ids = named.map(({ peer }) => peer).join(', ')
    throw new RhizomeError(
      'RZ_CLI_AMBIGUOUS',
      `${named.length} nodes are called ${visible(wanted)}: give an id, of ${ids}`,
    )
  }
  return first?.peer ?? wanted
}
