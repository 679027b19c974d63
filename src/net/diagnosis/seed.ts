/** What a name says whose records are peers: asked once, as a node asks it for ever. */
import { parseSeed, Seeds } from '../seeds.ts'

export interface SeedSaid {
  readonly host: string
  /** Multiaddrs; empty where `why` tells that there are none. */
  readonly addresses: readonly string[]
  readonly why: string
}

/** Throws RZ_NET_ADDRESS_INVALID. */
export async function askSeed(text: string): Promise<SeedSaid> {
  const seed = parseSeed(text)
  const { promise, resolve } = Promise.withResolvers<SeedSaid>()
  let why = ''
  const seeds = new Seeds({
    onAnswer: (found) =>
      resolve({
        host: seed.host,
        addresses: found.map(({ address, peer }) => (peer === undefined ? address : `${address}/p2p/${peer}`)),
        why,
      }),
    onFailed: (_, message) => (why = message),
    isAlone: () => true,
    log: () => {},
  })
  try {
    seeds.add(seed)
    return await promise
  } finally {
    seeds.stop()
  }
}
