/** Adapts libp2p's loggers to one function that takes lines. Without one, libp2p's own (silent unless DEBUG is set) is used. */
import { format } from 'node:util'
import type { ComponentLogger, Logger } from '@libp2p/interface'

export function componentLogger(write: (line: string) => void): ComponentLogger {
  return { forComponent: (name) => loggerOf(name, write) }
}

function loggerOf(name: string, write: (line: string) => void): Logger {
  const log = (pattern: string, ...values: unknown[]): void => write(`${name} ${expand(pattern, values)}`)
  return Object.assign(log, {
    enabled: true,
    error: (pattern: string, ...values: unknown[]) => write(`${name} error ${expand(pattern, values)}`),
    // Each byte moved would be a line.
    trace: () => undefined,
    newScope: (scope: string) => loggerOf(`${name}:${scope}`, write),
  })
}

/** libp2p's own format letters (%p peer, %a address, %e error, %b %t %m %c %k bytes and ids) are all texts here. */
function expand(pattern: unknown, values: readonly unknown[]): string {
  const texts = values.map((value) => (value instanceof Error ? `${value.name}: ${value.message}` : value))
  return format(String(pattern).replaceAll(/%[abcekmpt]/g, '%s'), ...texts)
}
