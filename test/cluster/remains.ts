/** What a cluster leaves on this machine: for tests that nothing is left. */

import { readdirSync, readFileSync } from 'node:fs'

/** Processes that carry the cluster's name in their environment. */
export function processesOf(project: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) =>
      environmentOf(pid).some((line) => line.startsWith('CLUSTER_FOLDER=') && line.endsWith(`/${project}`)),
    )
    .map((pid) => `process ${pid}`)
}

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}
