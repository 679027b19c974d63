/**
 * Other protocols on the control socket (RFC 9110, 7.8): a request that asks for one by name is answered 101, and its
 * connection handed over. Over TCP there are none: a request that asks for one is answered as if it had not.
 */

import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Upgrades } from './options.ts'
import { problemOf, PROBLEM_TYPE } from './problem.ts'

export function handOver(server: Server, upgrades: Upgrades): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Whoever takes it says what becomes of failures.
    socket.on('error', () => socket.destroy())
    const name = request.headers.upgrade ?? ''
    const take = Object.hasOwn(upgrades, name) ? upgrades[name] : undefined
    if (take === undefined) return refuse(socket, name)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${name}\r\n\r\n`)
    if (head.length > 0) socket.unshift(head)
    socket.setTimeout(0)
    take(socket)
  })
}

function refuse(socket: Socket, name: string): void {
  const body = JSON.stringify(problemOf('RZ_HTTP_INPUT', `there is no protocol "${name}" here`))
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  )
}
