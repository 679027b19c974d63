/** The command `ping`: every known member of a namespace, with its round trip or without an answer. */

import type { Pinged } from '../node/members.ts'
import type { Call } from './call.ts'
import { openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortId } from './paths.ts'
import { roundTripText } from './peers.ts'
import { printTable } from './table.ts'
import { counted } from './terminal.ts'

export async function ping(call: Call): Promise<ExitCode> {
  const { config, terminal } = call
  await using door = await openDoor(call, { about: 'node', changes: false })
  if (!door.isRunning) {
    terminal.err(`no node runs here: start one with npx rhizome-node --topic ${door.topic}`)
    return EXIT.noNode
  }
  const { body } = await door.control.ask<readonly Pinged[]>(['api', 'ns', door.topic, 'ping'], { method: 'POST' })
  if (config.json) for (const each of body) terminal.out(JSON.stringify(pingJson(each)))
  else printTable(terminal, ['name', 'id', 'state', 'ping'], body.map(pingRow))
  const silentCount = body.filter(({ roundTripMs }) => roundTripMs === undefined).length
  if (body.length === 0) terminal.err(`nobody else is known to hold ${door.topic}`)
  if (silentCount === 0) return EXIT.ok
  terminal.err(`${silentCount} of ${counted(body.length, 'member')} did not answer`)
  return EXIT.failed
}

function pingRow({ member: { name, peer, state }, roundTripMs }: Pinged): readonly string[] {
  return [name, shortId(peer), state, roundTripMs === undefined ? 'not responding' : roundTripText(roundTripMs)]
}

function pingJson({ member: { peer, name, state }, roundTripMs }: Pinged): object {
  return { peer, name, state, roundTripMs: roundTripMs ?? null }
}
