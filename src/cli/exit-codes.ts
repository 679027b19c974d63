/** What the process answers to its caller, in one table: documented in README.md and in `--help` of each command. */

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  partly: 4,
  noNode: 5,
  unproven: 6,
  /** As a shell reports a process that Ctrl-C ended. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'failed; stderr says why',
  2: 'wrong flag, argument or setting',
  3: 'no such record',
  4: 'in part: lines rejected, or held by fewer than --until',
  5: 'no node and no data here',
  6: 'the file does not prove what it says',
  130: 'stopped at once, by a second Ctrl-C',
}

/** The exit code of a failure with this error code. */
export function exitCodeOf(code: string | undefined): ExitCode {
  switch (code) {
    case 'RZ_CLI_USAGE':
    case 'RZ_CLI_AMBIGUOUS':
    case 'RZ_CLI_CONFIG':
    case 'RZ_CLI_INVITE_INVALID':
    case 'RZ_NAMESPACE_NAME':
    case 'RZ_NET_ADDRESS_INVALID':
    case 'RZ_DELIVERY_INVALID':
    case 'RZ_BACKUP_TARGET':
      return EXIT.usage
    case 'RZ_HTTP_NOT_FOUND':
      return EXIT.notFound
    case 'RZ_CLI_NO_NODE':
      return EXIT.noNode
    case 'RZ_PROOF_FORMAT':
    case 'RZ_PROOF_INVALID':
      return EXIT.unproven
    default:
      return EXIT.failed
  }
}
