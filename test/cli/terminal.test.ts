/** What a screen is sent: prose broken between words, tables that fit it, and streams that nobody looks at left alone. */
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'

import { printTable } from '../../src/cli/table.ts'
import { openTerminal, type TerminalParts } from '../../src/cli/terminal.ts'

function screen(isTTY: boolean, columns: number) {
  const text = { out: '', err: '' }
  const stream = (name: 'out' | 'err') =>
    Object.assign(new EventEmitter(), { isTTY, columns, write: (part: string) => (text[name] += part) })
  const parts = { stdout: stream('out'), stderr: stream('err'), env: { NO_COLOR: '1' } }
  return { text, terminal: openTerminal(parts as unknown as TerminalParts) }
}

const rows = [
  ['users', '1,204', 'in sync with 1 peer as of 3 s ago'],
  ['zoo', '0', 'alone'],
]
const header = ['topic', 'deltas', 'sync']

describe('a table', () => {
  it('stands in columns where it fits', () => {
    const { text, terminal } = screen(true, 80)
    printTable(terminal, header, rows)
    expect(text.out).toBe(
      'topic  deltas  sync\nusers  1,204   in sync with 1 peer as of 3 s ago\nzoo    0       alone\n',
    )
  })

  it('is a line per cell where it does not', () => {
    const { text, terminal } = screen(true, 40)
    printTable(terminal, header, rows)
    expect(text.out).toBe(
      'topic   users\ndeltas  1,204\nsync    in sync with 1 peer as of 3 s ago\n\ntopic   zoo\ndeltas  0\nsync    alone\n',
    )
  })

  it('is tab-separated lines where nobody looks', () => {
    const { text, terminal } = screen(false, 10)
    printTable(terminal, header, rows)
    expect(text.out).toBe('topic\tdeltas\tsync\nusers\t1,204\tin sync with 1 peer as of 3 s ago\nzoo\t0\talone\n')
  })
})

describe('a note', () => {
  const note = 'note: no node runs here; start one'
  it('is broken between words where somebody looks', () => {
    const { text, terminal } = screen(true, 20)
    terminal.err(note)
    expect(text.err).toBe('note: no node runs\n  here; start one\n')
  })

  it('is one line where nobody does, and what is to be copied is one line everywhere', () => {
    const [piped, looked] = [screen(false, 20), screen(true, 20)]
    piped.terminal.err(note)
    looked.terminal.err('  npx rhizome-node --topic users --peer 10.0.0.1:4000')
    expect([piped.text.err, looked.text.err]).toEqual([
      `${note}\n`,
      '  npx rhizome-node --topic users --peer 10.0.0.1:4000\n',
    ])
  })
})
