/** Why a line is no statement, and where: what `ERROR <code> <column> <text>` tells. */

import type { ErrorCode } from '../errors.ts'

/** Thrown within the parser alone; its door (`parse.ts`) answers it as a value. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault'
  readonly code: ErrorCode
  /** UTF-16 units before it. */
  readonly at: number

  constructor(at: number, message: string, code: ErrorCode = 'RZ_TEXT_SYNTAX') {
    super(message)
    this.at = at
    this.code = code
  }
}

/** Which character of the line it is, from 1: as an editor counts. */
export function columnOf(line: string, at: number): number {
  let column = 1
  for (let unit = 0; unit < at && unit < line.length; column++) unit += (line.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1
  return column
}
