/** The line protocol over one connection, pipelined: PUT and GET a second, by a client in a process of its own. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { openText } from '../../../src/text/server.ts'
import { cpuSecondsSince, type Figure, type Row, rowOfFigures } from '../measure.ts'
import { type Bench, inFolder, type Scale, sized } from '../row.ts'
import { benchNamespace, openOffline } from '../workload.ts'
import type { TextRun } from '../text-client.ts'

export const text: Bench = {
  name: 'text',
  async measure(scale: Scale): Promise<readonly Row[]> {
    const lines = sized(scale, 200_000, 2_000)
    const keys = sized(scale, 10_000, 100)
    const puts: Figure[] = []
    const gets: Figure[] = []
    for (let run = 0; run < scale.runs; run++) {
      const [put, get] = await inFolder((folder) => measureOnce(folder, lines, keys))
      puts.push(put)
      gets.push(get)
    }
    const { runs } = scale
    return [
      rowOfFigures(
        { what: 'telnet: PUT, pipelined over one connection', unit: 'lines/s', atLeast: 20_000, runs },
        puts,
      ),
      rowOfFigures(
        { what: 'telnet: GET, pipelined over one connection', unit: 'lines/s', atLeast: 40_000, runs },
        gets,
      ),
    ]
  },
}

async function measureOnce(folder: string, lines: number, keys: number): Promise<readonly [Figure, Figure]> {
  await using node = await openOffline(folder)
  await using face = await openText(node, { port: 0 })
  const put = await clientRun({ kind: 'put', port: face.port, lines, keys })
  const counts = benchNamespace(node).counts()
  if (counts.deltas !== lines + 1) throw new Error(`${counts.deltas} deltas of ${lines} puts`)
  const get = await clientRun({ kind: 'get', port: face.port, lines, keys })
  return [put, get]
}

/** The CPU time is that of the node: the client is not what is measured. */
async function clientRun(run: TextRun): Promise<Figure> {
  const child = fork(new URL('../text-client.ts', import.meta.url), [JSON.stringify(run)])
  try {
    const before = process.cpuUsage()
    const [seconds] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('the client ended before it was done'))),
    ])) as [number]
    return { value: run.lines / seconds, perCpuSecond: run.lines / cpuSecondsSince(before) }
  } finally {
    child.kill()
  }
}
