/** Other protocols on the control socket. */

import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openApi } from './api.ts'

const ASKED = (name: string) => `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${name}\r\n\r\n`

async function say(target: { readonly path: string } | { readonly port: number }, text: string): Promise<string> {
  const socket = connect(target)
  socket.setEncoding('utf8')
  socket.end(text)
  let heard = ''
  for await (const chunk of socket) heard += chunk as string
  return heard
}

const echo = (socket: Socket) => void socket.pipe(socket)

describe('a protocol beside HTTP', () => {
  it('is spoken on the control socket by whoever asks for it by name', async () => {
    await using api = await openApi({ upgrades: { echo } })
    const heard = await say({ path: api.socketPath }, `${ASKED('echo')}hello`)
    expect(heard).toBe('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nhello')
  })

  it('that there is not is refused, and HTTP goes on', async () => {
    await using api = await openApi({ upgrades: { echo } })
    expect(await say({ path: api.socketPath }, ASKED('constructor'))).toMatch(/^HTTP\/1.1 400 .*RZ_HTTP_INPUT/s)
    expect((await api.ask('GET', '/health')).status).toBe(200)
  })

  it('is none over TCP', async () => {
    await using api = await openApi({ upgrades: { echo } })
    expect(await say({ port: api.port }, ASKED('echo'))).not.toMatch(/^HTTP\/1.1 101/)
  })
})
