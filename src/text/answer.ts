/** Answers as lines: what was asked for, then how it ended. */

import { RhizomeError } from '../errors.ts'
import { columnOf } from './syntax-fault.ts'

/** How an answer ends. The first three are the original's. */
export const OK = 'OK'
const NOT_FOUND = 'NOT FOUND'
const NOT_IMPLEMENTED = 'COMMAND NOT IMPLEMENTED'

export interface Answer {
  /** One line, without its end. Bytes where it is no text. */
  readonly line?: string | Buffer
  readonly end: string
}

export const DONE: Answer = { end: OK }
export const UNKNOWN_BUCKET: Answer = { end: NOT_FOUND }
export const NO_COMMAND: Answer = { end: NOT_IMPLEMENTED }

/** C0 and C1 controls: an error is one line, whatever it quotes. */
const CONTROLS = /[\u0000-\u001F\u007F-\u009F]+/g

export function errorLine(code: string, column: number, message: string): string {
  return `ERROR ${code} ${column} ${message.replace(CONTROLS, ' ')}`
}

/** The answer to what failed; failures without a code are faults of ours, and their text is for the operator. */
export function failed(error: unknown, column: number, onError: (error: unknown) => void): Answer {
  if (error instanceof RhizomeError) {
    if (error.code.startsWith('RZ_STORE_')) onError(error)
    return { end: errorLine(error.code, column, error.message) }
  }
  onError(error)
  return { end: errorLine('RZ_TEXT_FAILED', column, 'this node failed on it; its own output says why') }
}

/** The column of a part of a line that is bytes. */
export function columnOfByte(line: Buffer, at: number): number {
  const text = line.toString('utf8', 0, at)
  return columnOf(text, text.length)
}
