/**
 * The control socket of a node's directory: where it lies, how it is found and how it is opened. It speaks the whole HTTP
 * API without a token, because its file mode (0600) lets nobody in but the user. On Windows it is a named pipe.
 */

import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { RhizomeError } from '../errors.ts'

/** `sockaddr_un` holds 108 bytes on Linux, 104 on macOS, the terminating zero included. */
const PATH_BYTES_MAX = 103
const SOCKET_FILE = 'node.sock'
/** Holds the path of a socket that lies elsewhere because its own would be too long. */
const ELSEWHERE_FILE = 'socket'

/** Where the node of `directory` listens, when one does: for those who connect. */
export async function findControlSocket(directory: string): Promise<string> {
  const own = ownPath(directory)
  if (fits(own)) return own
  try {
    return (await readFile(join(directory, ELSEWHERE_FILE), 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return own
    throw error
  }
}

/** The same for who listens: past the limit of a path, a short one in a new folder that nobody else can enter. */
export async function makeControlPath(directory: string): Promise<string> {
  const own = ownPath(directory)
  if (fits(own)) return own
  const path = join(await mkdtemp(join(tmpdir(), 'rhizome-')), SOCKET_FILE)
  await writeFile(join(directory, ELSEWHERE_FILE), `${path}\n`, { mode: 0o600 })
  return path
}

/** Makes `server` listen at `path`, in place of a socket that a dead process left. Throws RZ_HTTP_SOCKET_TAKEN. */
export async function listenAt(path: string, server: Server): Promise<void> {
  try {
    await bind(path, server)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      throw new RhizomeError('RZ_HTTP_LISTEN_FAILED', `no socket can be made at ${path}: ${(error as Error).message}`, {
        cause: error,
      })
    }
    if (await answers(path)) {
      throw new RhizomeError(
        'RZ_HTTP_SOCKET_TAKEN',
        `a running node listens at ${path}: stop it, or give another --data`,
      )
    }
    await rm(path, { force: true })
    await bind(path, server)
  }
  if (!isPipe(path)) await chmod(path, 0o600)
}

/** Removes the folder that `makeControlPath` made for a socket of `directory`, if it did. */
export async function removeElsewhere(path: string, directory: string): Promise<void> {
  if (isPipe(path) || path === ownPath(directory)) return
  await rm(join(directory, ELSEWHERE_FILE), { force: true })
  await rm(dirname(path), { recursive: true, force: true })
}

function ownPath(directory: string): string {
  if (process.platform !== 'win32') return join(directory, SOCKET_FILE)
  const name = createHash('sha256').update(resolve(directory).toLowerCase()).digest('hex').slice(0, 32)
  return `\\\\.\\pipe\\rhizome-${name}`
}

function fits(path: string): boolean {
  return isPipe(path) || Buffer.byteLength(path) <= PATH_BYTES_MAX
}

function isPipe(path: string): boolean {
  return path.startsWith('\\\\.\\pipe\\')
}

/** Made closed to others from its first moment, where the process can say so. */
async function bind(path: string, server: Server): Promise<void> {
  const { promise, resolve: listening, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  const mask = isMainThread ? process.umask(0o177) : undefined
  try {
    server.listen(path, listening)
  } finally {
    if (mask !== undefined) process.umask(mask)
  }
  try {
    await promise
  } finally {
    server.removeListener('error', reject)
    server.removeListener('listening', listening)
  }
}

/** True when a living process accepts connections at `path`. */
async function answers(path: string): Promise<boolean> {
  const { promise, resolve: decide } = Promise.withResolvers<boolean>()
  const socket = connect(path)
  socket.once('connect', () => decide(true))
  socket.once('error', () => decide(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
