/**
 * The two DNS messages of mDNS discovery, as far as a diagnosis needs them: the question by which libp2p's mDNS asks for a
 * service tag, and the addresses in the answers. Reads bytes from anybody: every length is checked, compressed names
 * may only point backwards, and what is no such message is undefined. RFC 1035 4, RFC 6762, libp2p specs/discovery/mdns.md.
 */

const HEADER_BYTES = 12
const TYPE_PTR = 12
const TYPE_TXT = 16
const CLASS_IN = 1
const RESPONSE_FLAG = 0x80
const RECORDS_MAX = 256
const LABELS_MAX = 128
const ADDRESS_PREFIX = 'dnsaddr='

export type DnsMessage =
  | { readonly kind: 'question'; readonly id: number; readonly name: string }
  /** Addresses of the nodes that answered for `name`, each a multiaddr with a peer id. */
  | { readonly kind: 'answer'; readonly name: string; readonly addresses: readonly string[] }

/** A question for the tag, such as `_rhizome._udp.local`. The id comes back with one's own copy alone. */
export function question(id: number, name: string): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')])
  const header = [id >> 8, id & 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
  return Uint8Array.from([...header, ...labels, 0, 0, TYPE_PTR, 0, CLASS_IN])
}

/** Undefined for what is no question or answer of this kind. Never throws. */
export function parseDnsMessage(bytes: Uint8Array): DnsMessage | undefined {
  try {
    return parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (error) {
    // Every read outside of the message is one of these.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function parse(message: Buffer): DnsMessage | undefined {
  if (message.length < HEADER_BYTES) return undefined
  const count = (offset: number) => message.readUInt16BE(offset)
  let at = HEADER_BYTES
  let asked: string | undefined
  if (count(4) > RECORDS_MAX) return undefined
  for (let index = 0; index < count(4); index++) {
    const { name, end } = readName(message, at)
    asked ??= name
    at = end + 4
  }
  const isAnswer = (message.readUInt8(2) & RESPONSE_FLAG) !== 0
  if (!isAnswer) return asked === undefined ? undefined : { kind: 'question', id: count(0), name: asked }
  const recordCount = count(6) + count(8) + count(10)
  if (recordCount > RECORDS_MAX) return undefined
  let tag: string | undefined
  const addresses: string[] = []
  for (let index = 0; index < recordCount; index++) {
    const { name, end } = readName(message, at)
    const type = message.readUInt16BE(end)
    const start = end + 10
    at = start + message.readUInt16BE(end + 8)
    if (at > message.length) return undefined
    if (type === TYPE_PTR) tag ??= name
    if (type === TYPE_TXT) addresses.push(...textsIn(message.subarray(start, at)))
  }
  return tag === undefined ? undefined : { kind: 'answer', name: tag, addresses }
}

function textsIn(record: Buffer): readonly string[] {
  const texts: string[] = []
  for (let at = 0; at < record.length; at += 1 + record.readUInt8(at)) {
    const text = record.subarray(at + 1, at + 1 + record.readUInt8(at)).toString('latin1')
    if (text.startsWith(ADDRESS_PREFIX)) texts.push(text.slice(ADDRESS_PREFIX.length))
  }
  return texts
}

/** A name, and where the message goes on behind it. */
function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = start
  let end: number | undefined
  while (labels.length <= LABELS_MAX) {
    const length = message.readUInt8(at)
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 }
    if ((length & 0xc0) === 0xc0) {
      const target = message.readUInt16BE(at) & 0x3fff
      // Only backwards, or a name could go round for ever.
      if (target >= at) throw new RangeError('a name points forwards')
      end ??= at + 2
      at = target
      continue
    }
    if (at + 1 + length > message.length) throw new RangeError('a name ends behind the message')
    labels.push(message.subarray(at + 1, at + 1 + length).toString('latin1'))
    at += 1 + length
  }
  throw new RangeError('a name has too many labels')
}
