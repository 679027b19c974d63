/**
 * Who holds a TCP port, as far as this process may know: Linux tells it of processes of the same user through /proc; of
 * others, and elsewhere, it stays unknown. Only for messages.
 */

import { readdir, readFile, readlink } from 'node:fs/promises'

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const LISTEN = '0A'

/** Such as `process 4711 (node)`; undefined where it cannot be known. */
export async function portHolder(port: number): Promise<string | undefined> {
  const sockets = new Set((await Promise.all(TABLES.map((table) => listening(table, port)))).flat())
  if (sockets.size === 0) return undefined
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    if (!(await holdsAny(pid, sockets))) continue
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    return `process ${pid} (${name.trim()})`
  }
  return undefined
}

/** The sockets that listen on `port`, as the links of /proc/<pid>/fd name them. */
async function listening(table: string, port: number): Promise<readonly string[]> {
  const text = await readFile(table, 'utf8').catch(() => '')
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix) === true)
    .map((columns) => `socket:[${columns[9] ?? ''}]`)
}

async function holdsAny(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  const descriptors = await readdir(folder).catch(() => [])
  const links = await Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => '')))
  return links.some((link) => sockets.has(link))
}
