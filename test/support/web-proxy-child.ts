/**
 * A reverse proxy of the web, as stands before servers: it hands WebSockets on to the address that it is started with, and answers
 * everything else itself. Nothing but HTTP gets through. Started with a folder of `key.pem` and `cert.pem` it speaks TLS on port 443,
 * else it is on port 80.
 */
import { readFileSync } from 'node:fs'
import { createServer, request, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'

const [, , host = '', port = '', folder] = process.argv
const answer: RequestListener = (_, response) => response.writeHead(426).end('a WebSocket is wanted\n')
const server =
  folder === undefined
    ? createServer(answer)
    : createTlsServer(
        { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) },
        answer,
      )

server.on('upgrade', ({ headers, url = '/' }, client, head) => {
  const onward = request({ host, port, headers, path: url })
  onward.on('upgrade', (upgraded, upstream, first) => {
    const lines = Object.entries(upgraded.headers).map(([name, value]) => `${name}: ${String(value)}`)
    client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
    client.write(first)
    upstream.write(head)
    client.pipe(upstream).pipe(client)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  onward.on('error', () => client.destroy())
  onward.end()
})
server.listen(folder === undefined ? 80 : 443, () => process.send?.('ready'))
