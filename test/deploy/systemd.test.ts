/** The unit of deploy/systemd: what it makes a node do. Whether systemd takes it: test/processes/systemd.test.ts. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { wrongFlags, wrongVariables } from '../support/settings.ts'

const unit = readFileSync(new URL('../../deploy/systemd/rhizome-node@.service', import.meta.url), 'utf8')
const page = readFileSync(new URL('../../deploy/README.md', import.meta.url), 'utf8')
const values = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)

describe('the unit', () => {
  it('uses flags and variables that there are', () => {
    expect(wrongFlags((values('ExecStart')[0] ?? '').split(' ').slice(1))).toEqual([])
    const names = values('Environment').flatMap((line) => line.split(' ').map((pair) => pair.split('=')[0] ?? ''))
    expect(names).toContain('RHIZOME_SECRET')
    expect(wrongVariables(names)).toEqual([])
  })

  it('keeps the data where systemd makes a folder for it', () => {
    const [directory] = values('StateDirectory')
    expect(values('ExecStart')[0]).toContain(`--data %S/${directory} `)
  })

  it('is started again after a failure, and not after a wrong setting', () => {
    expect(values('Restart')).toEqual(['on-failure'])
    expect(values('RestartPreventExitStatus')).toEqual([String(EXIT.usage)])
  })

  it('takes its secret from the file that the page tells of', () => {
    const [credential = ''] = values('LoadCredential')
    const [name, path = ''] = credential.split(':')
    expect(values('Environment')).toContain(`RHIZOME_SECRET=%d/${name}`)
    expect(page).toContain(path.replace('%i', 'users'))
  })
})
