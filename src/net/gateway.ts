/**
 * A router that opens ports when it is asked: an Internet gateway of UPnP, version 1 or 2. What it says is not trusted
 * (`gateway-answers.ts`), and no answer is longer than a description needs.
 */
import { createSocket } from 'node:dgram'
import { controlOf, locationOf, textOf } from './gateway-answers.ts'
import { interfacesHere } from './interfaces.ts'
import {
  GATEWAY_ANSWER_BYTES_MAX,
  GATEWAY_ANSWERS_MAX,
  GATEWAY_CALL_MS,
  GATEWAY_SEARCH_MS,
  PORT_LEASE_S,
} from './limits.ts'

const SEARCH_HOST = '239.255.255.250'
const SEARCH_PORT = 1_900
/** More of a router's own words is nothing that people read. */
const REFUSAL_CHARS_MAX = 100
const DEVICES = [1, 2].map((version) => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`)

/** The gateway said no; `code` is that of UPnP. */
export class GatewayRefusal extends Error {
  readonly code: number

  constructor(code: number, description: string) {
    const words = description.slice(0, REFUSAL_CHARS_MAX)
    super(words === '' ? `it refused with code ${code}` : `it refused: ${words} (${code})`)
    this.code = code
  }
}

export class Gateway {
  /** Where it answers. */
  readonly host: string
  /** This machine's address on its network. */
  readonly localAddress: string
  readonly #control: URL
  readonly #service: string

  constructor(place: { readonly control: URL; readonly service: string; readonly localAddress: string }) {
    this.host = place.control.hostname
    this.localAddress = place.localAddress
    this.#control = place.control
    this.#service = place.service
  }

  externalAddress(signal: AbortSignal): Promise<string> {
    return this.#call('GetExternalIPAddress', {}, signal).then((answer) => textOf(answer, 'NewExternalIPAddress') ?? '')
  }

  /** What comes to `externalPort` goes to this machine's `port`, for PORT_LEASE_S; asked again it goes on. Throws GatewayRefusal. */
  async map(port: number, externalPort: number, signal: AbortSignal): Promise<void> {
    await this.#call(
      'AddPortMapping',
      {
        NewRemoteHost: '',
        NewExternalPort: externalPort,
        NewProtocol: 'TCP',
        NewInternalPort: port,
        NewInternalClient: this.localAddress,
        NewEnabled: 1,
        NewPortMappingDescription: 'rhizome-node',
        NewLeaseDuration: PORT_LEASE_S,
      },
      signal,
    )
  }

  async unmap(externalPort: number, signal: AbortSignal): Promise<void> {
    const mapping = { NewRemoteHost: '', NewExternalPort: externalPort, NewProtocol: 'TCP' }
    await this.#call('DeletePortMapping', mapping, signal)
  }

  async #call(action: string, values: Readonly<Record<string, string | number>>, signal: AbortSignal): Promise<string> {
    const inner = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`)
    const body =
      '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
      's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
      `<u:${action} xmlns:u="${this.#service}">${inner.join('')}</u:${action}></s:Body></s:Envelope>`
    const headers = { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${this.#service}#${action}"` }
    const { isOk, text } = await request(this.#control, { method: 'POST', headers, body }, signal)
    if (isOk) return text
    throw new GatewayRefusal(Number(textOf(text, 'errorCode') ?? 501), textOf(text, 'errorDescription') ?? '')
  }
}

/** Those that answer on this machine's IPv4 networks within GATEWAY_SEARCH_MS. */
export async function findGateways(signal: AbortSignal): Promise<readonly Gateway[]> {
  const own = interfacesHere().filter(
    ({ family, kind, address }) => family === 'IPv4' && kind !== 'loopback' && !address.startsWith('169.254.'),
  )
  const found = await Promise.all(own.map(({ address }) => search(address, signal)))
  const gateways = await Promise.allSettled(found.flat().map((each) => describe(each, signal)))
  return gateways.flatMap((each) => (each.status === 'fulfilled' && each.value !== undefined ? [each.value] : []))
}

interface Answer {
  readonly location: URL
  readonly localAddress: string
}

function search(localAddress: string, stopping: AbortSignal): Promise<readonly Answer[]> {
  const answers = new Map<string, Answer>()
  const socket = createSocket('udp4')
  const { promise, resolve } = Promise.withResolvers<readonly Answer[]>()
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    signal.removeEventListener('abort', end)
    socket.close(() => resolve([...answers.values()]))
  }
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(GATEWAY_SEARCH_MS)])
  signal.addEventListener('abort', end)
  socket.on('message', (bytes, from) => {
    const location = locationOf(bytes.toString('latin1'), from.address)
    if (location !== undefined && answers.size < GATEWAY_ANSWERS_MAX)
      answers.set(location.href, { location, localAddress })
  })
  socket.on('error', end)
  socket.bind(0, localAddress, () => {
    try {
      socket.setMulticastInterface(localAddress)
      socket.setMulticastTTL(2)
    } catch {
      // The address went away meanwhile.
      return end()
    }
    for (const device of DEVICES) {
      const lines = ['M-SEARCH * HTTP/1.1', `HOST: ${SEARCH_HOST}:${SEARCH_PORT}`, 'MAN: "ssdp:discover"', 'MX: 1']
      socket.send(`${[...lines, `ST: ${device}`].join('\r\n')}\r\n\r\n`, SEARCH_PORT, SEARCH_HOST)
    }
  })
  return promise
}

async function describe({ location, localAddress }: Answer, signal: AbortSignal): Promise<Gateway | undefined> {
  const { text } = await request(location, {}, signal)
  const place = controlOf(text, location)
  return place && new Gateway({ ...place, localAddress })
}

async function request(url: URL, init: RequestInit, stopping: AbortSignal) {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(GATEWAY_CALL_MS)])
  const response = await fetch(url, { ...init, signal, redirect: 'error' })
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > GATEWAY_ANSWER_BYTES_MAX) throw new Error('its answer has no end')
  }
  return { isOk: response.ok, text }
}
