/** What the cluster command tells a person in one line that says what to do; anything else that is thrown is a fault of ours. */

export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  readonly exitCode: 1 | 2

  /** `exitCode` 2: it was typed wrongly. */
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

export function usage(message: string): ClusterError {
  return new ClusterError(message, 2)
}
