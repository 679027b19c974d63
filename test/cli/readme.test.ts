/** The page of the command line tells what the code does: settings and exit codes, compared both ways, and every event. */
import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { EXIT_MEANINGS } from '../../src/cli/exit-codes.ts'
import { flagOf, type Setting, SETTINGS, variableOf } from '../../src/cli/settings.ts'
import { readTable } from '../support/house.ts'

const read = (path: string) => readFileSync(new URL(`../../src/cli/${path}`, import.meta.url), 'utf8')
const page = read('README.md')
const section = (title: string) => readTable(page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '')

describe('src/cli/README.md', () => {
  it('lists every setting with its flag, variable, key and default', () => {
    const rows = (SETTINGS as readonly Setting[]).map(({ key, argument = '', otherwise }) => {
      const flag = `${flagOf(key)} ${argument.replaceAll('|', ' or ')}`.trim()
      return [flag, variableOf(key), key, otherwise].map((cell) => cell.replaceAll('`', ''))
    })
    expect(section('Settings').map((row) => row.map((cell) => cell.replaceAll('`', '')))).toEqual(rows)
  })

  it('lists every exit code', () => {
    expect(section('Exit codes')).toEqual(Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [code, meaning]))
  })

  it('names every event, and no other', () => {
    const source = read('report.ts').split('export type Report =')[1]?.split('\nexport ')[0] ?? ''
    const events = [...source.matchAll(/readonly event: ('[^\n;]+)/g)].flatMap(([, names = '']) =>
      [...names.matchAll(/'([a-z-]+)'/g)].map(([, name]) => name),
    )
    const told = section('Events of a running node as JSON').flatMap(([names = '']) =>
      names.replaceAll('`', '').split(', '),
    )
    expect(new Set(told)).toEqual(new Set(['started', 'stopped', ...events]))
  })
})
