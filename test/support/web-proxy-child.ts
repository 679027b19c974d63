/**
 * A reverse proxy of the web on port 80, as stands before servers: it hands WebSockets on to the address that it is started with,
 * and answers everything else itself. Nothing but HTTP gets through.
 */
import { createServer, request } from 'node:http'

const [, , host = '', port = ''] = process.argv
const server = createServer((_, response) => response.writeHead(426).end('a WebSocket is wanted\n'))

server.on('upgrade', ({ headers, url = '/' }, client, head) => {
  const onward = request({ host, port, headers, path: url })
  onward.on('upgrade', (answer, upstream, first) => {
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`)
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
server.listen(80, () => process.send?.('ready'))
