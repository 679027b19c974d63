/** `status()` never flatters: what it says is held against what everybody held. */

import { isFuture } from '../../../src/delta/clock.ts'
import type { LogKey } from '../../../src/log/block.ts'
import { lengthOf } from '../../../src/log/frontier.ts'
import type { Invariant } from '../invariant.ts'
import type { Member, World } from '../world.ts'

export const statusNeverFlatters: Invariant = {
  name: 'status',
  throughout: (world) =>
    world.members.flatMap((member) => {
      const { machine } = member
      if (machine.node === undefined || machine.isPaused) return []
      const status = world.namespaceOf(member).status()
      const isAlone = machine.node.peers().every(({ connected }) => !connected)
      if (isAlone && status.kind !== 'alone' && status.kind !== 'full')
        return [`${machine.name} has no peer and says "${status.kind}"`]
      if (status.kind !== 'in-sync') return []
      return status.peers.flatMap((peer) => flattered(world, member, peer, status.asOfMs))
    }),
}

/** Each side knows where it stands, once nothing is in the way. */
export const statusTellsTheEnd: Invariant = {
  name: 'status in the end',
  inTheEnd: (world) =>
    (world.members.length === 1 ? [] : world.members).flatMap((member) => {
      const { kind } = world.namespaceOf(member).status()
      return kind === 'in-sync' ? [] : [`${member.machine.name} says "${kind}"`]
    }),
}

/**
 * "In sync with this peer as of then": the node holds what the peer held then, but for blocks that are dated too far ahead of
 * its clock, which counted as not being there then: else whoever dates a block in the next century would keep everybody behind.
 */
function flattered(world: World, member: Member, peer: string, asOfMs: number): readonly string[] {
  const other = world.members.find(({ machine }) => machine.peerId === peer)
  if (other === undefined) return []
  // It is told by the clock as it stands now.
  const atMs = asOfMs - member.machine.clockOffsetMs
  // What a session meets is judged a little later, by a clock that may have been set meanwhile.
  const clockMs = world.witness.earliestClockAt(member, atMs)
  const { store, name } = member.machine
  const lacked = world.witness.heldAt(other, atMs).filter((entry) => {
    const own = store?.logState(world.namespace, entry.log)
    const heldCount = lengthOf(own)
    return (
      heldCount < Math.min(lengthOf(entry), own?.cut ?? Infinity) &&
      mayBeHeld(world, { log: entry.log, seq: heldCount, clockMs })
    )
  })
  return lacked.length === 0
    ? []
    : [
        `${name} says it is in sync with ${other.machine.name} and lacks blocks of ${lacked.length} logs that were there then`,
      ]
}

/**
 * Whether the block is one that a clock which stands so admits, as far as anybody who runs can tell: with the others of its run,
 * since one signature is all that they have.
 */
function mayBeHeld(
  world: World,
  { log, seq, clockMs }: { readonly log: LogKey; readonly seq: number; readonly clockMs: number },
): boolean {
  const headers = world.members.flatMap((other) => {
    const run = other.machine.store?.readRun(world.namespace, log, seq, 0)
    return run === undefined ? [] : run.blocks.slice(-1).map(({ header }) => header)
  })
  const [header] = headers
  return header !== undefined && !isFuture(header.time, clockMs)
}
