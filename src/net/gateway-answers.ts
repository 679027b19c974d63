/**
 * What routers say by UPnP, read without trust: anything on the LAN may answer instead of one. A description lies where the answer
 * came from, and so does what it describes; no text takes more time than grows with its length.
 */

const SERVICE = /^urn:schemas-upnp-org:service:WAN(IP|PPP)Connection:[12]$/

/** Where an answer to a search says that its description lies; undefined where that is anywhere but at its sender. */
export function locationOf(answer: string, sender: string): URL | undefined {
  if (!answer.startsWith('HTTP/1.1 200 ')) return undefined
  const line = answer.split('\n').find((each) => /^location:/i.test(each))
  const text = line?.slice('location:'.length).trim() ?? ''
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' && url.hostname === sender ? url : undefined
}

/** The service of a description that maps ports; undefined where it has none at its own place. */
export function controlOf(
  description: string,
  location: URL,
): { readonly control: URL; readonly service: string } | undefined {
  const base = textOf(description, 'URLBase') ?? location.href
  for (const rest of description.split('<service>').slice(1)) {
    const [block = ''] = rest.split('</service>', 1)
    const service = textOf(block, 'serviceType') ?? ''
    const path = textOf(block, 'controlURL') ?? ''
    if (!SERVICE.test(service) || !URL.canParse(path, base)) continue
    const control = new URL(path, base)
    if (control.protocol === 'http:' && control.host === location.host) return { control, service }
  }
  return undefined
}

/** The text of the first element of that name, which holds no other; undefined where there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const opening = new RegExp(`<${name}(?:\\s[^<>]*)?>`).exec(xml)
  if (opening === null) return undefined
  const start = opening.index + opening[0].length
  const end = xml.indexOf('<', start)
  return xml.startsWith(`</${name}>`, end) ? xml.slice(start, end).trim() : undefined
}
