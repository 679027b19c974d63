/** The line of an invitation: what goes in comes out, and whatever was changed on the way is noticed. */
import { hash } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatInvitation, type Invitation, invitedPeers, parseInvitation } from '../../src/cli/invitation.ts'

const invitations: fc.Arbitrary<Invitation> = fc.record(
  {
    topics: fc.array(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/), { minLength: 1, maxLength: 5 }),
    addresses: fc.array(fc.constantFrom('/ip4/10.0.0.1/tcp/4000', '/ip6/::1/tcp/1', '/dns4/example.org/tcp/4000'), {
      maxLength: 4,
    }),
    secret: fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed()),
    peer: fc.constant('12D3KooWGRUUVFWXjeRGB42yBJLRQ1iRRYmDmNGrGfjuwE6oEw45'),
  },
  { requiredKeys: ['topics', 'addresses'] },
)
const sample: Invitation = { topics: ['users'], addresses: ['/ip4/10.0.0.1/tcp/4000'], secret: 'correct horse' }
const line = formatInvitation(sample)
const lineOf = (bytes: Uint8Array) =>
  `rhizome:${Buffer.concat([hash('sha256', bytes, 'buffer').subarray(0, 4), bytes]).toString('base64url')}`

describe('an invitation', () => {
  it('is what it was after the way through a line', () => {
    fc.assert(
      fc.property(invitations, (invitation) => {
        expect(parseInvitation(formatInvitation(invitation))).toEqual(invitation)
      }),
    )
  })

  it('is one line of letters, digits, - and _', () => expect(line).toMatch(/^rhizome:[\w-]+$/))

  it('survives the line breaks and spaces of a mail', () => {
    expect(parseInvitation(`  ${line.replaceAll(/.{20}/g, '$&\r\n ')}\n`)).toEqual(sample)
  })

  it('with one character changed, left out or added is refused', () => {
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.constantFrom('change', 'drop', 'add'), (index, kind) => {
        const other = line[index] === 'x' ? 'y' : 'x'
        const rest = line.slice(kind === 'add' ? index : index + 1)
        const changed = line.slice(0, index) + (kind === 'drop' ? '' : other) + rest
        expect(() => parseInvitation(changed)).toThrow(
          expect.objectContaining({ code: 'RZ_CLI_INVITE_INVALID' }) as Error,
        )
      }),
    )
  })

  const faults: readonly [title: string, text: string, message: string][] = [
    ['nothing', '', 'it must begin with rhizome:'],
    ['the prefix alone', 'rhizome:', 'it is cut off'],
    ['another line', 'https://example.org', 'it must begin with rhizome:'],
    ['half of it', line.slice(0, line.length / 2), 'it is cut off or was changed'],
    ['a line of a later version', lineOf(Buffer.from([2, 1, 2, 3])), 'later release: upgrade'],
    ['no JSON', lineOf(Buffer.from([1, 1, 2, 3])), 'its content is not JSON'],
    ['JSON of another shape', lineOf(Buffer.from('\u0001{"t":[]}')), 'it names no topic'],
    [
      'a secret that is no text',
      lineOf(Buffer.from('\u0001{"t":["a"],"a":[],"s":1}')),
      'its secret or peer is no text',
    ],
    ['a line without end', `rhizome:${'x'.repeat(20_000)}`, 'it is longer than'],
  ]
  for (const [title, text, message] of faults) {
    it(`is not ${title}`, () => expect(() => parseInvitation(text)).toThrow(message))
  }

  it('is dialled at its addresses, under its peer id alone', () => {
    expect(invitedPeers({ ...sample, peer: '12D3' })).toEqual(['/ip4/10.0.0.1/tcp/4000/p2p/12D3'])
    expect(invitedPeers(sample)).toEqual(['/ip4/10.0.0.1/tcp/4000'])
  })
})
