/** A cluster at hand on containers. */

import { execFileSync } from 'node:child_process'
import { backendContract } from '../cluster/contract.ts'

backendContract('docker', { resolvesNames: true, remains })

/** Each test's containers, networks and volumes, which are told apart by the engine being this run's own. */
function remains(project: string): readonly string[] {
  return [
    ...list('ps', '--all', '--format', '{{.Names}}').filter((name) => name.startsWith(project)),
    ...list('network', 'ls', '--format', '{{.Name}}').filter((name) => name.startsWith(project)),
    ...list('volume', 'ls', '--quiet'),
  ]
}

function list(...words: readonly string[]): readonly string[] {
  const lines = execFileSync('docker', words, { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line !== '')
}
