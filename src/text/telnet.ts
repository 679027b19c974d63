/**
 * Commands of telnet itself (RFC 854) in front of a line. `telnet` sends some at Ctrl-C, and shows nothing more until its
 * question (RFC 860, timing mark) is answered: that nothing is agreed to is answer enough. Inside a line all bytes are the
 * line's.
 */

const IAC = 0xff
const [WILL, WONT, DO, DONT] = [0xfb, 0xfc, 0xfd, 0xfe]
/** From the end of a record to go-ahead: commands of one byte, interrupt among them. */
const [PLAIN_FIRST, PLAIN_LAST] = [0xef, 0xf9]

export interface TelnetHead {
  /** What is no command. */
  readonly rest: Buffer
  readonly answer: Buffer
}

/** The chunk without the commands that it begins with. No line that means something begins with such a byte. */
export function withoutCommands(chunk: Buffer): TelnetHead {
  const answer: number[] = []
  let at = 0
  for (; chunk[at] === IAC;) {
    const command = chunk[at + 1] ?? 0
    const option = chunk[at + 2]
    if (command >= PLAIN_FIRST && command <= PLAIN_LAST) {
      at += 2
    } else if (command >= WILL && command <= DONT && option !== undefined) {
      if (command === DO) answer.push(IAC, WONT, option)
      if (command === WILL) answer.push(IAC, DONT, option)
      at += 3
    } else {
      break
    }
  }
  return { rest: chunk.subarray(at), answer: Buffer.from(answer) }
}
