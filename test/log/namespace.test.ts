import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { openNamespaceId, topicOf } from '../../src/log/namespace.ts'
import { codeOf } from '../support/expect.ts'

test.each(['a', '0', 'users', 'a.b_c-d', 'x'.repeat(64)])('%j names an open namespace', (name) => {
  expect(openNamespaceId(name)).toBe(createHash('sha256').update(`rhizome/namespace/open/${name}`).digest('hex'))
  expect(topicOf(name)).toBe(`/rhizome/1/${name}`)
})

test.each(['', '-a', '.a', '_a', 'Users', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(65)])('%j names none', (name) => {
  expect(codeOf(() => openNamespaceId(name))).toBe('RZ_NAMESPACE_NAME')
})
