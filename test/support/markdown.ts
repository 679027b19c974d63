/** Fenced blocks of a page, each with its language and the heading above it. */

export interface FencedBlock {
  /** Empty where the fence names none. */
  readonly language: string
  /** Text of the nearest heading above; empty before the first one. */
  readonly heading: string
  /** Of the opening fence, from 1. */
  readonly line: number
  readonly text: string
}

export function fencedBlocks(page: string): readonly FencedBlock[] {
  const blocks: FencedBlock[] = []
  let heading = ''
  let open: { readonly language: string; readonly line: number; readonly lines: string[] } | undefined
  for (const [index, line] of page.split(/\r?\n/).entries()) {
    const fence = /^```(\S*)/.exec(line)
    if (fence !== null && open === undefined) open = { language: fence[1] ?? '', line: index + 1, lines: [] }
    else if (fence !== null && open !== undefined) {
      blocks.push({ language: open.language, line: open.line, heading, text: open.lines.join('\n') })
      open = undefined
    } else if (open !== undefined) open.lines.push(line)
    else heading = /^#+ +(.*)$/.exec(line)?.[1] ?? heading
  }
  return blocks
}
