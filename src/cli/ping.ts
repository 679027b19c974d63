/** The command `ping`: every known member of a namespace, or those of some names, with its round trip or without an answer. */

import type { Pinged } from '../node/members.ts'
import type { Call } from './call.ts'
import { type Door, openDoor } from './door.ts'
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
  const path = ['api', 'ns', door.topic, 'ping']
  const { body } = await door.control.ask<readonly Pinged[]>(path, { method: 'POST' })
  const [first, ...others] = call.words
  const rows = first === undefined ? body.map(rowOf) : await expected([first, ...others], body, door)
  if (config.json) for (const row of rows) terminal.out(JSON.stringify(rowJson(row)))
  else printTable(terminal, ['name', 'id', 'state', 'ping'], rows.map(rowText))
  const silentCount = rows.filter(({ isSelf, roundTripMs }) => isSelf !== true && roundTripMs === undefined).length
  if (rows.length === 0) terminal.err(`nobody else is known to hold ${door.topic}`)
  if (silentCount === 0) return EXIT.ok
  terminal.err(`${silentCount} of ${counted(rows.length, first === undefined ? 'member' : 'node')} did not answer`)
  return EXIT.failed
}

interface Row {
  readonly name: string
  /** Absent, as is its state: nobody of that name is known. */
  readonly peer?: string
  readonly state?: string
  readonly roundTripMs?: number
  readonly isSelf?: true
}

/** Who answered of several of one name: a node that lost its data comes back as another peer. */
async function expected(names: readonly string[], body: readonly Pinged[], door: Door): Promise<readonly Row[]> {
  const { name: own, peerId } = (await door.control.ask<{ name: string; peerId: string }>(['api', 'status'])).body
  return names.map((name) => {
    if (name === own) return { name, peer: peerId, isSelf: true }
    const known = body.filter(({ member }) => member.name === name)
    const best = known.find(({ roundTripMs }) => roundTripMs !== undefined) ?? known.at(-1)
    return best === undefined ? { name } : rowOf(best)
  })
}

function rowOf({ member: { name, peer, state }, roundTripMs }: Pinged): Row {
  return { name, peer, state, ...(roundTripMs === undefined ? {} : { roundTripMs }) }
}

function rowText({ name, peer, state, roundTripMs, isSelf }: Row): readonly string[] {
  const id = peer === undefined ? '-' : shortId(peer)
  if (isSelf === true) return [name, id, 'this node', '-']
  return [name, id, state ?? 'unknown', roundTripMs === undefined ? 'not responding' : roundTripText(roundTripMs)]
}

function rowJson({ name, peer, state, roundTripMs, isSelf }: Row): object {
  const said = { peer: peer ?? null, name, state: state ?? null, roundTripMs: roundTripMs ?? null }
  return isSelf === true ? { ...said, self: true } : said
}
