/** The data of the rows: records of three properties, and where they are written. */

import { join } from 'node:path'
import { type Namespace, type NodeOptions, openNode, type RhizomeNode } from '../../src/index.ts'

export const TOPIC = 'bench'
/** Deltas of a record. */
export const RECORD_DELTAS = 3

/** Record number `index`: a name, an address, an age. Every peer writes the same. */
export function recordOf(index: number): { readonly name: string; readonly email: string; readonly age: number } {
  return { name: `Person ${index}`, email: `person.${index}@example.org`, age: 18 + (index % 80) }
}

/** A node on disk in `folder` without a network. */
export function openOffline(folder: string, options: Partial<NodeOptions> = {}): Promise<RhizomeNode> {
  return openNode({ topics: [TOPIC], data: join(folder, 'node'), network: false, name: 'bench', ...options })
}

/** A node on disk in `folder` that listens on loopback and dials `peers`. */
export function openOnLoopback(folder: string, peers: readonly string[] = []): Promise<RhizomeNode> {
  return openOffline(folder, {
    network: { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, registry: false, peers },
  })
}

export function benchNamespace(node: RhizomeNode): Namespace {
  return node.namespace(TOPIC)
}

/** Puts in flight at once where writes are gathered. */
export const WAVE = 1_000

/** Writes records `from` to `to` in waves of concurrent puts: they are gathered into blocks. */
export async function putGathered(users: Namespace, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += WAVE) {
    const wave: Promise<unknown>[] = []
    for (let index = start; index < Math.min(start + WAVE, to); index++)
      wave.push(users.put('user', `${index}`, recordOf(index)))
    await Promise.all(wave)
  }
}

/** Writes `count` deltas in blocks of `perBlock` (each is awaited, so that none shares a block), spread over `entities` records of five properties. */
export async function appendBlocks(users: Namespace, count: number, perBlock: number, entities: number): Promise<void> {
  for (let start = 0; start < count; start += perBlock) {
    const end = Math.min(start + perBlock, count)
    await users.transaction((transaction) => {
      for (let index = start; index < end; index++) {
        const entity = `item/${index % entities}`
        const property = `p${Math.floor(index / entities) % 5}`
        transaction.append([
          { localContext: 'item', target: entity, targetContext: property },
          { localContext: property, target: `value ${index} ${FILLING}` },
        ])
      }
    })
  }
}

/** Makes a delta about 250 bytes long, as in choices.md. */
const FILLING = 'x'.repeat(150)
