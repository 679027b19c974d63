/** Tells from what libp2p threw why a dial failed, in words that say what to do. */
import { RhizomeError } from '../errors.ts'
import type { DialFailure } from './dial-plan.ts'

export interface FailureReason {
  readonly code: DialFailure
  readonly message: string
}

const UNREACHABLE =
  /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|connection error|Could not connect/

/** What Node's WebSocket tells is an event, the same whatever went wrong. */
const WEB_ERROR = 'ErrorEvent'

export interface DialContext {
  /** TCP was connected, so somebody answered at the address. */
  readonly answered: boolean
  readonly hasSecret: boolean
}

export function reasonOf(error: unknown, context: DialContext): FailureReason {
  const reasons = leaves(error).map((each) => reasonOfOne(each, context))
  // Several addresses of one peer: the most telling reason counts.
  const order: readonly DialFailure[] = ['self', 'secret-mismatch', 'refused', 'other', 'unreachable']
  const [first] = reasons.toSorted((a, b) => order.indexOf(a.code) - order.indexOf(b.code))
  return first ?? { code: 'other', message: String(error) }
}

function reasonOfOne({ name, message, code }: Leaf, context: DialContext): FailureReason {
  if (/dial self|our own peer id/i.test(message))
    return { code: 'self', message: 'this is the address of this node itself' }
  if (/identity key|expected remote/.test(message)) {
    return { code: 'other', message: 'another node than the expected one answers there' }
  }
  if (/Intercepted|DialDenied|ConnectionDenied/.test(name)) {
    return {
      code: 'refused',
      message: 'this node does not connect to that peer: it is not allowed or blocked for a while',
    }
  }
  if (name === WEB_ERROR) {
    return { code: 'unreachable', message: 'no WebSocket is opened there: nobody listens, or something refuses it' }
  }
  if (UNREACHABLE.test(message)) return { code: 'unreachable', message: `nobody answers there (${message})` }
  if (/Timeout|Abort/.test(name) || /due to timeout/.test(message)) {
    const nobody = context.answered ? 'somebody answers there, and too slowly' : 'nobody answered in time'
    return { code: 'unreachable', message: nobody }
  }
  if (code === 'RZ_NET_SECRET_MISMATCH' || (context.answered && handshakeBroke(name))) {
    return { code: 'secret-mismatch', message: mismatchMessage(context.hasSecret) }
  }
  return { code: 'other', message: message === '' ? name : message }
}

/**
 * What is thrown when the connection stood and the very first bytes failed: see `secret.ts`. A timeout is none of it: with
 * another secret the other side hangs up at once, and a busy machine must not be told of secrets.
 */
function handshakeBroke(name: string): boolean {
  return /EncryptionFailed|StreamReset|UnexpectedEOF|StreamClosed|StreamState/.test(name)
}

function mismatchMessage(hasSecret: boolean): string {
  return hasSecret
    ? 'somebody answers there and hangs up: it has another secret than this node, or none'
    : 'somebody answers there and hangs up: it has a secret and this node none (--secret), or it is no rhizome node'
}

interface Leaf {
  readonly name: string
  readonly message: string
  readonly code?: string
}

function leaves(error: unknown): Leaf[] {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.flatMap(leaves)
  if (error instanceof RhizomeError) return [{ name: error.name, message: error.message, code: error.code }]
  if (error instanceof Error) return [{ name: error.name, message: error.message }]
  const isEvent = typeof error === 'object' && error !== null && error.constructor.name === WEB_ERROR
  return [{ name: isEvent ? WEB_ERROR : 'Error', message: String(error) }]
}
