/** The command `tail`: deltas as they come, one line each. */

import type { Json } from '../delta/json.ts'
import type { Call } from './call.ts'
import { openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortId } from './paths.ts'
import { visible } from './terminal.ts'

interface Pointer {
  readonly localContext: string
  readonly target: Json
  readonly targetContext?: string
}

/** As the HTTP API writes it. */
export interface DeltaJson {
  readonly cursor: string
  readonly id: string
  readonly time: { readonly ms: number; readonly counter: number }
  readonly creator: string
  readonly pointers: readonly Pointer[]
}

export async function tail(call: Call): Promise<ExitCode> {
  const { config, options, signal, terminal } = call
  await using door = await openDoor(call)
  const namespace = ['api', 'ns', door.topic]
  if (!door.isRunning) terminal.err('note: no node runs here, so nothing comes in; --all prints what is there')
  else if (terminal.isTty) terminal.err(beginning(door.topic, options['all'] === true))
  const deltas =
    options['all'] === true
      ? door.control.follow<DeltaJson>([...namespace, 'deltas'], { signal, query: { follow: door.isRunning } })
      : door.control.events<DeltaJson>([...namespace, 'events'], { signal })
  for await (const delta of deltas) {
    terminal.out(config.json ? JSON.stringify(delta) : deltaLine(delta, terminal.style))
    if (signal.aborted) break
  }
  return EXIT.ok
}

/** Said to somebody who looks, and may wait for what will not come. */
function beginning(topic: string, isAll: boolean): string {
  if (isAll) return `following ${topic} from its oldest delta; Ctrl-C stops`
  return `following ${topic} from now on; --all shows what is there, too; Ctrl-C stops`
}

/** `12:03:11  …a1b2c3d4  user/alice name = Alice`, and for other shapes all pointers. */
export function deltaLine(delta: DeltaJson, style: Call['terminal']['style']): string {
  const time = new Date(delta.time.ms).toTimeString().slice(0, 8)
  return `${style('dim', `${time}  ${shortId(delta.creator)}`)}  ${claimOf(delta.pointers)}`
}

function claimOf(pointers: readonly Pointer[]): string {
  const [about, value] = pointers
  const isProperty =
    pointers.length === 2 && about?.targetContext !== undefined && value?.localContext === about.targetContext
  if (isProperty) return `${visible(textOf(about.target))} ${visible(value.localContext)} ${valueText(value)}`
  const [negation] = pointers
  if (pointers.length === 1 && negation?.localContext === 'negates')
    return `negates ${visible(textOf(negation.target))}`
  return pointers.map((pointer) => `${visible(pointer.localContext)} ${valueText(pointer)}`).join(', ')
}

function valueText({ target, targetContext }: Pointer): string {
  if (targetContext !== undefined) return `→ ${visible(textOf(target))} (${visible(targetContext)})`
  return typeof target === 'string' ? `= ${visible(target)}` : `:= ${visible(JSON.stringify(target))}`
}

function textOf(target: Json): string {
  return typeof target === 'string' ? target : JSON.stringify(target)
}
