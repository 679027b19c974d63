/** What is about to be written, as a writer tells it to a holder. words.ts. */

import { decodePointers, encodePointers } from '../../delta/bytes.ts'
import type { PeerId, Pointer, Value } from '../../delta/delta.ts'
import { parsePeerId } from '../../delta/identifiers.ts'
import { bytesIn, listIn, textIn, textsIn } from './words.ts'

export interface Intended {
  readonly records: ReadonlySet<string>
  readonly deltas: readonly (readonly Pointer[])[]
  readonly checkReferences: boolean
  readonly creator: PeerId
}

export function intendedValue({ records, deltas, checkReferences, creator }: Intended): Value {
  return [[...records], deltas.map(encodePointers), checkReferences, creator]
}

export function parseIntended(value: Value): Intended {
  const [records, deltas, checkReferences, creator] = listIn(value)
  return {
    records: new Set(textsIn(records)),
    deltas: listIn(deltas).map((item) => decodePointers(bytesIn(item))),
    checkReferences: checkReferences === true,
    creator: parsePeerId(textIn(creator)),
  }
}
