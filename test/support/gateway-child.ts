/** A router's UPnP on the router itself: answers searches, and maps ports by nftables, in the table that `nat.ts` made. Tells its mappings over IPC. */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

const [, , inside = '', outside = ''] = process.argv
const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1'
const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'
const PORT = 5_000
const CHAIN = 'table ip nat { chain mapped { type nat hook prerouting priority dstnat; }; }\n'
/** By the port outside, where it goes. */
const mappings = new Map<number, string>()

function nft(args: readonly string[], options: { readonly input?: string }): void {
  const program = 'nft'
  execFileSync(program, args, options)
}

function apply(): void {
  const rules = [...mappings].map(
    ([port, to]) => `add rule ip nat mapped iifname "eth0" tcp dport ${port} dnat to ${to}`,
  )
  nft(['-f', '-'], { input: `${CHAIN}flush chain ip nat mapped\n${rules.join('\n')}\n` })
  process.send?.([...mappings])
}

function answerTo(action: string, valueOf: (name: string) => string): string | number {
  const port = Number(valueOf('NewExternalPort'))
  if (action === 'GetExternalIPAddress') return `<NewExternalIPAddress>${outside}</NewExternalIPAddress>`
  if (action === 'AddPortMapping') {
    const to = `${valueOf('NewInternalClient')}:${valueOf('NewInternalPort')}`
    if ((mappings.get(port) ?? to) !== to) return 718
    mappings.set(port, to)
  } else if (action !== 'DeletePortMapping' || valueOf('NewProtocol') !== 'TCP' || !mappings.delete(port)) return 402
  apply()
  return ''
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  response.setHeader('content-type', 'text/xml')
  if (request.method === 'GET') {
    const service = `<serviceType>${SERVICE}</serviceType><controlURL>/control</controlURL>`
    return response.end(
      `<root><device><deviceType>${DEVICE}</deviceType><serviceList><service>${service}</service></serviceList></device></root>`,
    )
  }
  const action = /#(\w+)"$/.exec(String(request.headers['soapaction']))?.[1] ?? ''
  const answer = answerTo(action, (name) => new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? '')
  if (typeof answer === 'number') {
    response.statusCode = 500
    return response.end(
      `<UPnPError><errorCode>${answer}</errorCode><errorDescription>no</errorDescription></UPnPError>`,
    )
  }
  return response.end(`<u:${action}Response xmlns:u="${SERVICE}">${answer}</u:${action}Response>`)
}

// What is mapped passes; all else that comes unasked goes on being dropped.
nft(['insert', 'rule', 'ip', 'nat', 'through', 'ct', 'status', 'dnat', 'accept'], {})
// A port that another machine has already.
mappings.set(4_000, '192.168.1.99:4000')
const server = createServer((request, response) => void serve(request, response))
server.listen(PORT, inside, () => {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  socket.on('message', (bytes, from) => {
    if (!bytes.toString().includes(`ST: ${DEVICE}`)) return
    const lines = ['HTTP/1.1 200 OK', `ST: ${DEVICE}`, `LOCATION: http://${inside}:${PORT}/root.xml`]
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, from.port, from.address)
  })
  socket.bind(1_900, () => {
    socket.addMembership('239.255.255.250', inside)
    apply()
  })
})
