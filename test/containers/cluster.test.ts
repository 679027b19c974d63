/** A cluster at hand on containers. */

import { execFileSync } from 'node:child_process'
import { backendContract } from '../cluster/contract.ts'

/** Files run one after the other: what others have left is theirs to answer for. */
const volumesBefore = new Set(list('volume', 'ls', '--quiet'))

backendContract('docker', { resolvesNames: true, remains })

/** Containers and networks by their names; volumes have none, but the engine is this run's own. */
function remains(project: string): readonly string[] {
  return [
    ...list('ps', '--all', '--format', '{{.Names}}').filter((name) => name.startsWith(project)),
    ...list('network', 'ls', '--format', '{{.Name}}').filter((name) => name.startsWith(project)),
    ...list('volume', 'ls', '--quiet').filter((name) => !volumesBefore.has(name)),
  ]
}

function list(...words: readonly string[]): readonly string[] {
  const lines = execFileSync('docker', words, { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line !== '')
}
