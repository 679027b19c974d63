/**
 * Who holds a TCP port, as far as this process may know: Linux tells it of processes of the same user through /proc; of
 * others, and elsewhere, it stays unknown. Only for messages.
 */

import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const LISTEN = '0A'
const WORD_CHARACTERS_MAX = 40
const UNPRINTED = /[\u0000-\u001F\u007F-\u009F]/g

/** Such as `process 4711 (node server.js)`; undefined where it cannot be known. */
export async function portHolder(port: number): Promise<string | undefined> {
  const sockets = new Set((await Promise.all(TABLES.map((table) => listening(table, port)))).flat())
  if (sockets.size === 0) return undefined
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    if (!(await holdsAny(pid, sockets))) continue
    return `process ${pid} (${commandOf(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))})`
  }
  return undefined
}

/** Program and script, as `comm`, the name of a thread, says little; the other words may hold what others must not see. */
function commandOf(commandLine: string): string {
  const [program = '', script = ''] = commandLine.split('\0')
  const words = script === '' || script.startsWith('-') ? [program] : [program, script]
  return words.map((word) => basename(word).replace(UNPRINTED, '').slice(0, WORD_CHARACTERS_MAX)).join(' ')
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
