/** Whether a TCP address can be listened on, and whether one can be reached. */
import { connect, createServer } from 'node:net'
import { once } from 'node:events'

export type ListenTry =
  | { readonly kind: 'free' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly why: string }

/** Listens for a moment. */
export async function tryListen(host: string, port: number): Promise<ListenTry> {
  const server = createServer()
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'EADDRINUSE' ? { kind: 'taken' } : { kind: 'refused', why: code ?? message }
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  await promise
  return { kind: 'free' }
}

export type ConnectTry =
  | { readonly kind: 'open'; readonly elapsedMs: number }
  /** Somebody said no at once: the machine is there, and nothing listens on the port, or a firewall answers so. */
  | { readonly kind: 'refused' }
  /** No answer: the machine is not there, or a firewall swallows what is sent. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'no-route' }
  | { readonly kind: 'failed'; readonly why: string }

const CONNECT_MS = 4_000

/** Connects and hangs up. */
export async function tryConnect(host: string, port: number, timeoutMs: number = CONNECT_MS): Promise<ConnectTry> {
  const startMs = performance.now()
  const socket = connect({ host, port })
  const timer = setTimeout(
    () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    timeoutMs,
  )
  try {
    await once(socket, 'connect')
    return { kind: 'open', elapsedMs: performance.now() - startMs }
  } catch (error) {
    return failureOf(error as NodeJS.ErrnoException)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

function failureOf({ code, message }: NodeJS.ErrnoException): ConnectTry {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return { kind: 'refused' }
    case 'ETIMEDOUT':
      return { kind: 'silent' }
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return { kind: 'no-route' }
    default:
      return { kind: 'failed', why: code ?? message }
  }
}
