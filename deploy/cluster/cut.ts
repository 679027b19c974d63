/**
 * Runs in a node's process before the node: breaks and refuses this process's connections to the ports that its file of
 * cuts names. Every connection between two nodes was dialled by one of them, so the dialling side is enough.
 */

import { subscribe } from 'node:diagnostics_channel'
import { readFileSync, watchFile, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { type Cuts, CUTS_SEEN_FILE } from './cuts.ts'

const POLL_MS = 50

const path = process.env['CLUSTER_CUTS'] ?? ''
const dialled = new Map<Socket, number>()
let ports: ReadonlySet<number> = new Set()

subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket }
  socket.on('connectionAttempt', (_address: string, port: number) => {
    dialled.set(socket, port)
    // Not in the midst of connecting, which goes on after this.
    if (ports.has(port)) process.nextTick(() => socket.destroy(refusal(port)))
  })
  socket.once('close', () => dialled.delete(socket))
})
obey()
watchFile(path, { interval: POLL_MS, persistent: false }, obey)

function obey(): void {
  const cuts = JSON.parse(readFileSync(path, 'utf8')) as Cuts
  ports = new Set(cuts.ports)
  for (const [socket, port] of dialled) if (ports.has(port)) socket.resetAndDestroy()
  writeFileSync(join(dirname(path), CUTS_SEEN_FILE), cuts.version, { mode: 0o600 })
}

/** As the system says where nobody listens. */
function refusal(port: number): Error {
  return Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}: cut off by a partition`), {
    code: 'ECONNREFUSED',
  })
}
