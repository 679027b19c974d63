/** Whether the machine has an interface over which another one could be met. */

import type { Interface } from '../../net/interfaces.ts'
import type { Finding } from './finding.ts'

export function judgeInterfaces(interfaces: readonly Interface[]): Finding {
  const check = 'interfaces'
  const outward = interfaces.filter(({ kind }) => kind !== 'loopback')
  if (outward.length === 0) return { check, verdict: 'warn', kind: 'interfaces-loopback', interfaces }
  const lan = outward.filter(({ kind }) => kind === 'lan')
  if (lan.length === 0) return { check, verdict: 'warn', kind: 'interfaces-virtual', interfaces: outward }
  // mDNS is spoken over IPv4 alone, and a node listens there unless told otherwise.
  if (!outward.some(({ family }) => family === 'IPv4'))
    return { check, verdict: 'warn', kind: 'interfaces-no-ipv4', interfaces: outward }
  return { check, verdict: 'pass', kind: 'interfaces-good', interfaces: outward }
}
