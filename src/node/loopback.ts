/** Which addresses only this machine reaches: what listens beyond them asks for a token. */

import { isIPv4 } from 'node:net'

/** True when the address, or `localhost`, is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (bare === 'localhost' || bare === '::1') return true
  return isIPv4(bare) && bare.startsWith('127.')
}
