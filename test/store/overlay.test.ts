/** What is released from the overlay is gone from it, at a cost that is linear in what is released. */
import { expect, test } from 'vitest'
import { BLOCK_DELTAS_MAX } from '../../src/log/block.ts'
import { Overlay } from '../../src/store/overlay.ts'
import { claim, NAMESPACE, TestLog } from '../support/blocks.ts'

// As square of them this takes minutes.
test('a hundred thousand claims about one entity leave block by block', () => {
  const overlay = new Overlay()
  const log = new TestLog()
  const claims = Array.from({ length: BLOCK_DELTAS_MAX }, () => claim('hub', '1', 'n', 1))
  const blocks = 25
  for (let place = 1; place <= blocks; place++) {
    overlay.add({ kind: 'block', block: log.append(claims), bytes: 1, place, end: place }, 0)
  }
  expect(overlay.entries(NAMESPACE, 'hub/1')).toHaveLength(blocks * BLOCK_DELTAS_MAX)
  overlay.release(blocks - 1)
  expect(overlay.entries(NAMESPACE, 'hub/1')).toHaveLength(BLOCK_DELTAS_MAX)
  overlay.release(blocks)
  expect(overlay.entries(NAMESPACE, 'hub/1')).toEqual([])
  expect(overlay.nextEntity(NAMESPACE, '', true)).toBeUndefined()
})
