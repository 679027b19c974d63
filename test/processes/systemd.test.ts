/** systemd itself reads the unit of deploy/systemd: it finds nothing wrong, and little that the service could still do to the machine. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/nodes.ts'

const NAME = 'rhizome-node@users.service'
const unit = readFileSync(new URL('../../deploy/systemd/rhizome-node@.service', import.meta.url), 'utf8')
/** Of ten; 9.6 is a service that may do everything. What is left is the network, and V8's compiler. */
const EXPOSURE_MAX = 1.5

/** The unit as installed for a topic. The command need not be installed here. */
async function installed(text: string): Promise<string> {
  const path = join(await temporaryFolder(), NAME)
  await writeFile(path, text.replace('/usr/local/bin/rhizome-node', '/bin/true').replaceAll('%i', 'users'))
  return path
}

const verify = (path: string) => spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })

describe('systemd', () => {
  it('finds nothing wrong with the unit, and would find a slip', async () => {
    expect(verify(await installed(unit))).toMatchObject({ status: 0, stdout: '', stderr: '' })
    const slip = verify(await installed(unit.replace('ProtectSystem=', 'ProtectSystm=')))
    expect(slip.stderr).toMatch(/Unknown key(?: name)? 'ProtectSystm'/)
  })

  it('holds the service well apart from the machine', async () => {
    const path = await installed(unit)
    const out = execFileSync('systemd-analyze', ['security', '--offline=true', path], { encoding: 'utf8' })
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(out)?.[1])
    expect(exposure).toBeLessThanOrEqual(EXPOSURE_MAX)
  })
})
